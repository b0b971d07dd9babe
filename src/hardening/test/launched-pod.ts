import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A pod's file system, with programs that write down what they were given. */
export interface Pod {
  name: string;
  root: string;
  /** The mounted Secret. */
  keys: string;
  /** The volume. */
  data: string;
  /** The emptyDir for rendered files. */
  run: string;
  /** The properties file that is mounted for the image's entrypoint. */
  mounted: string;
  /** Directory of the programs: `run` (an image's entrypoint), `kafka-server-start`, `kafka-storage`, with `.sh` and without. */
  bin: string;
}

/** What came of a start. */
export interface Started {
  code: number | null;
  output: string;
  /** Name and arguments of the program that was reached; undefined where none was. */
  program?: string | undefined;
  arguments: string[];
  environment: Record<string, string>;
  /** Arguments of the call that formats; undefined where there was none. */
  format?: string[] | undefined;
  /** The lines of the properties file that the program was started with. */
  lines: string[];
  /** A property of that file; throws where it stands there twice. */
  property: (name: string) => string | undefined;
}

const writesDown = (to: string) =>
  `{ printf '%s\\0' "$(basename "$0")" "$#" "$@"; env -0; } >'${to}.new' && mv '${to}.new' '${to}'`;

/** Makes a pod whose stores have been issued. */
export async function podIn(directory: string, name = 'kafka-0'): Promise<Pod> {
  const root = await mkdtemp(join(directory, 'pod-'));
  const pod: Pod = {
    name,
    root,
    keys: join(root, 'keys'),
    data: join(root, 'data'),
    run: join(root, 'run'),
    mounted: join(root, 'mounted.properties'),
    bin: join(root, 'bin'),
  };
  for (const path of [pod.keys, pod.data, pod.run, pod.bin]) await mkdir(path);
  for (const store of [`${name}.p12`, `${name}.controller.p12`, 'nodes.p12', 'password'])
    await writeFile(join(pod.keys, store), 'store');
  const program = async (file: string, body: string) =>
    writeFile(join(pod.bin, file), `#!/bin/bash\n${body}\n`, { mode: 0o755 });
  await program('run', writesDown(join(root, 'started')));
  for (const suffix of ['', '.sh']) {
    await program(`kafka-server-start${suffix}`, writesDown(join(root, 'started')));
    await program(`kafka-storage${suffix}`, `${writesDown(join(root, 'formatted'))}; echo Formatting`);
  }
  return pod;
}

/** The environment that every hardened pod has. */
export const environmentOf = (pod: Pod): Record<string, string> => ({
  WARDEN_POD: pod.name,
  WARDEN_SERVICE: 'brokers.demo.svc',
  WARDEN_VOTERS: '3',
  WARDEN_FIRST_ORDINAL: '0',
  WARDEN_ID_OFFSET: '0',
  WARDEN_CONTROLLER_PORT: '9093',
  WARDEN_CLUSTER_ID: 'layoutlayoutlayoutlayo',
  WARDEN_KEYS: pod.keys,
  WARDEN_RUN: pod.run,
  WARDEN_MOUNTED_PROPERTIES: pod.mounted,
  WARDEN_POLL_SECONDS: '0.05',
});

/** Starts the launcher. */
export function startIn(
  pod: Pod,
  script: string,
  given: { arguments: string[]; environment: Record<string, string> },
): ChildProcess {
  return spawn('/bin/bash', [script, ...given.arguments], {
    cwd: pod.root,
    env: { PATH: `${pod.bin}:/usr/bin:/bin`, ...environmentOf(pod), ...given.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Collects what a process says. */
export function listenTo(child: ChildProcess): {
  text: () => string;
  says: (part: string) => Promise<void>;
} {
  let text = '';
  const waiting: { part: string; done: () => void; failed: (reason: Error) => void }[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const { part, done } of waiting) if (text.includes(part)) done();
    });
  child.on('close', () => {
    for (const { part, failed } of waiting) failed(new Error(`"${part}" was never said, but: ${text}`));
  });
  return {
    text: () => text,
    says: (part) =>
      text.includes(part)
        ? Promise.resolve()
        : new Promise((done, failed) => waiting.push({ part, done, failed })),
  };
}

const readIfThere = (path: string) => readFile(path, 'utf8').catch(() => undefined);

function parseCall(text: string | undefined) {
  const [program, count = '0', ...rest] = (text ?? '').split('\0');
  const given = rest.splice(0, Number(count));
  const environment = Object.fromEntries(
    rest.filter((e) => e.includes('=')).map((e) => [e.slice(0, e.indexOf('=')), e.slice(e.indexOf('=') + 1)]),
  );
  return { program: text === undefined ? undefined : program, arguments: given, environment };
}

/** Waits for the end of a start. */
export async function endOf(pod: Pod, child: ChildProcess, output: () => string): Promise<Started> {
  const [code] = (await once(child, 'close')) as [number | null];
  const started = parseCall(await readIfThere(join(pod.root, 'started')));
  const formatted = parseCall(await readIfThere(join(pod.root, 'formatted')));
  const file = started.arguments[0] ?? '';
  const lines = ((file.startsWith('/') ? await readIfThere(file) : undefined) ?? '').trimEnd().split('\n');
  return {
    code,
    output: output(),
    ...started,
    format: formatted.program === undefined ? undefined : formatted.arguments,
    lines,
    property(name) {
      const found = lines.filter((l) => l.startsWith(`${name}=`));
      if (found.length > 1) throw new Error(`${name} stands ${found.length} times in the file`);
      return found[0]?.slice(name.length + 1);
    },
  };
}

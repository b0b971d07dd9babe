import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, after, before, describe, test } from 'node:test';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

const script = join(import.meta.dirname, 'stop.sh');

let shared: string;
before(async () => (shared = await mkdtemp(join(tmpdir(), 'stop-'))));
after(() => rm(shared, { recursive: true, force: true }));

/** A sidecar that answers each request as told, the last answer again and again; `undefined` says nothing, for ever. */
async function sidecar(t: TestContext, ...answers: (string | undefined)[]) {
  const requests: string[] = [];
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
      if (!text.includes('\r\n\r\n')) return;
      requests.push(text);
      const answer = answers[Math.min(requests.length, answers.length) - 1];
      if (answer !== undefined) socket.end(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { requests, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const saying = (line: string, status = '200 OK') =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${line.length + 1}\r\nConnection: close\r\n\r\n${line}\n`;

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly seconds: number;
}

interface Shell {
  readonly command: string[];
  /** Programs that it finds, `NAME=FILE` where they have another name here; all where left out. */
  readonly only?: string[];
  readonly environment?: Record<string, string>;
}

/** A search path with these programs alone. */
async function pathWith(programs: string[]): Promise<string> {
  const directory = await mkdtemp(join(shared, 'bin-'));
  for (const program of programs) {
    const [name = '', file = name] = program.split('=');
    const found = ['/usr/bin', '/bin'].map((d) => join(d, file)).find(existsSync);
    if (found !== undefined) await symlink(found, join(directory, name));
  }
  return directory;
}

async function stop(
  { command, only, environment = {} }: Shell,
  address: string | undefined,
  { hook = [], limit = 30 }: { hook?: string[]; limit?: number } = {},
): Promise<Run> {
  const [program = '', ...options] = command;
  const from = performance.now();
  const child = spawn(program, [...options, script, ...hook], {
    env: {
      PATH: only === undefined ? '/usr/bin:/bin' : await pathWith(only),
      WARDEN_LOG: '/dev/stdout',
      // What may run as a container's first process is another test's matter.
      WARDEN_FIRST: '/nonexistent',
      WARDEN_POD: 'kafka-1',
      WARDEN_POD_UID: 'b1-uid',
      WARDEN_STOP_SECONDS: String(limit),
      ...(address === undefined ? {} : { WARDEN_STOPS: address }),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, seconds: (performance.now() - from) / 1_000 };
}

const none = { WARDEN_BASH: '/nonexistent' };
const few = ['timeout', 'date', 'sleep', 'printf'];
const shells: Record<string, Shell> = {
  bash: { command: ['/bin/bash'] },
  'sh that finds bash': { command: ['/bin/sh'] },
  'bash with a handful of coreutils': { command: ['/bin/bash'], only: few },
  'a shell without sockets, with curl': {
    command: ['/bin/dash'],
    only: [...few, 'curl', 'dash'],
    environment: none,
  },
  'a shell without sockets, with wget': {
    command: ['/bin/dash'],
    only: [...few, 'wget', 'dash'],
    environment: none,
  },
};
/** As Alpine has it: one program under all names. */
const applets = (...names: string[]) => names.map((name) => `${name}=busybox`);
shells['busybox, with nc'] = {
  command: ['/bin/busybox', 'sh'],
  only: applets('sh', 'timeout', 'date', 'sleep', 'nc'),
  environment: none,
};

const usable = ({ command, only = [] }: Shell) =>
  existsSync(command[0] ?? '') &&
  only.every((p) => ['/usr/bin', '/bin'].some((d) => existsSync(join(d, p.split('=').at(-1) ?? ''))));

for (const [name, shell] of Object.entries(shells))
  describe(
    `the preStop hook, run by ${name}`,
    { skip: usable(shell) ? false : 'not on this machine' },
    () => {
      test('asks about this very pod, and ends at a yes', async (t) => {
        const { requests, address } = await sidecar(t, saying('yes the others can spare it'));
        const run = await stop(shell, address);
        assert.deepEqual([run.code, run.output], [0, '']);
        assert.equal(requests.length, 1);
        assert.match(requests[0] ?? '', /^GET \/v1\/stops\/kafka-1\?uid=b1-uid HTTP\/1\.[01]\r\n/);
        assert.ok(run.seconds < 2, `${run.seconds} s`);
      });

      test('asks again while it is told to wait, and says once why', async (t) => {
        const wait = saying('wait orders-0 is at its minimum');
        const { requests, address } = await sidecar(t, wait, wait, saying('yes'));
        const run = await stop(shell, address);
        assert.equal(run.code, 0);
        assert.equal(requests.length, 3);
        assert.equal(
          run.output,
          'kafka-warden: waiting for up to 30 seconds before stopping: orders-0 is at its minimum\n',
        );
      });

      test('waits no longer than it may', async (t) => {
        const { requests, address } = await sidecar(t, saying('wait orders-0 is at its minimum'));
        const run = await stop(shell, address, { limit: 5 });
        assert.equal(run.code, 0);
        assert.match(run.output, /stopping all the same after 5 seconds: orders-0 is at its minimum/);
        assert.ok(requests.length >= 3 && run.seconds <= 5, `${run.seconds} s`);
      });

      test('lets the pod go where nobody says anything sensible', async (t) => {
        const answers = {
          garbage: 'what?',
          'another answer': saying('perhaps'),
          nothing: saying(''),
          'an error': saying('wait', '503 Service Unavailable'),
          'an unknown pod': saying('the cluster has no such pod', '404 Not Found'),
        };
        for (const [what, answer] of Object.entries(answers)) {
          const { requests, address } = await sidecar(t, answer);
          const run = await stop(shell, address);
          assert.equal(run.code, 0, what);
          assert.match(run.output, /does not say whether the other brokers can spare this one/, what);
          assert.ok(requests.length <= 1 && run.seconds < 2.5, `${what}: ${run.seconds} s`);
        }
      });

      test('lets the pod go where nobody listens, where there is no such name, and after two seconds of silence', async (t) => {
        const { address: silent } = await sidecar(t, undefined);
        for (const [address, most] of [
          ['localhost:1', 1],
          ['nobody.invalid:8080', 3.5],
          [silent, 3.5],
        ] as const) {
          const run = await stop(shell, address);
          assert.equal(run.code, 0);
          assert.match(run.output, /does not say/);
          assert.ok(run.seconds < most + 0.5, `${address}: ${run.seconds} s`);
        }
      });

      test('runs the manifest’s own hook after it, and ends as that ends', async (t) => {
        const { address } = await sidecar(t, saying('wait so'), saying('yes'));
        const own = await mkdtemp(join(shared, 'hook-'));
        await writeFile(join(own, 'hook'), '#!/bin/sh\necho "own: $1"\nexit 7\n', { mode: 0o755 });
        const run = await stop(shell, address, { hook: [join(own, 'hook'), 'two words'] });
        assert.equal(run.code, 7);
        assert.match(run.output, /^kafka-warden: waiting .*: so\nown: two words\n$/);
        assert.equal(
          (await stop(shell, undefined, { hook: [join(own, 'hook'), 'x'] })).output,
          'own: x\n',
          'nobody to ask',
        );
      });
    },
  );

test(
  'a pod without anything that speaks HTTP stops at once',
  { skip: !existsSync('/bin/dash') },
  async (t) => {
    const { requests, address } = await sidecar(t, saying('wait'));
    const run = await stop({ command: ['/bin/dash'], only: [...few, 'dash'], environment: none }, address);
    assert.equal(run.code, 0);
    assert.deepEqual(requests, []);
    assert.match(run.output, /does not say/);
  },
);

test('without a log of the container it says what it says where it can', async (t) => {
  const { address } = await sidecar(t, saying('wait so'), saying('yes'));
  const shell = { command: ['/bin/bash'], environment: { WARDEN_LOG: '/nonexistent/log' } };
  assert.match((await stop(shell, address)).output, /^kafka-warden: waiting/);
});

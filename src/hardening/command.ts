import type { Container } from './model.ts';

/** How a container's process is started, as far as the manifest tells. */
export type Start =
  /** The image's own start command. */
  | { kind: 'image' }
  /** The known entrypoint, directly: `field` is where it stands (index 0 of `command` or `args`). */
  | { kind: 'entrypoint'; field: 'command' | 'args'; rest: string[] }
  /** A shell script in element `index` of `field`, which ends in the known entrypoint. */
  | { kind: 'shell'; field: 'command' | 'args'; index: number; script: string }
  /** Anything else, with what is in the way. */
  | { kind: 'unknown'; reason: string; line?: string };

const shells = new Set(['sh', 'bash', 'ash', 'dash']);
const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const quote = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * Finds where a container calls the image's entrypoint. Kubernetes' `command` replaces the image's ENTRYPOINT, `args` its CMD;
 * where only `args` is given, it is the whole start command of an image whose start is its CMD.
 */
export function startOf(container: Container, entrypoint: string): Start {
  const { command = [], args = [] } = container;
  if (command.length === 0 && args.length === 0) return { kind: 'image' };
  const argv = [...command, ...args];
  const place = (i: number) =>
    i < command.length
      ? { field: 'command' as const, index: i }
      : { field: 'args' as const, index: i - command.length };
  const first = argv[0] ?? '';
  if (first === entrypoint) return { kind: 'entrypoint', field: place(0).field, rest: argv.slice(1) };
  if (!shells.has(baseName(first)))
    return { kind: 'unknown', reason: `it starts ${first} instead of ${entrypoint}` };
  const flag = argv.findIndex((a, i) => i > 0 && /^-[a-z]*c[a-z]*$/.test(a));
  const script = flag > 0 ? argv[flag + 1] : undefined;
  if (script === undefined)
    return { kind: 'unknown', reason: `it starts a script file (${argv.slice(0, 3).join(' ')})` };
  return shellStart(script, { entrypoint, ...place(flag + 1) });
}

interface Where {
  entrypoint: string;
  field: 'command' | 'args';
  index: number;
}

const withoutComment = (line: string) => line.replace(/(^|\s)#.*$/, '$1');

function shellStart(script: string, where: Where): Start {
  const word = new RegExp(`(^|[\\s;&|(])${quote(where.entrypoint)}(?=$|[\\s;&|)])`, 'g');
  const lines = script.split('\n').map(withoutComment);
  const hits = lines.filter((line) => line.match(word));
  const calls = hits.reduce((n, line) => n + (line.match(word)?.length ?? 0), 0);
  if (calls === 0) {
    const line = lines.findLast((l) => l.trim() !== '') ?? '';
    return { kind: 'unknown', reason: `its script never calls ${where.entrypoint}`, line: line.trim() };
  }
  const line = (hits[0] ?? '').trim();
  if (calls > 1)
    return { kind: 'unknown', reason: `its script calls ${where.entrypoint} ${calls} times`, line };
  const sourced = new RegExp(`(^|[\\s;&|])(\\.|source)\\s+${quote(where.entrypoint)}`).test(line);
  if (sourced)
    return { kind: 'unknown', reason: `its script sources ${where.entrypoint} instead of calling it`, line };
  if (/(?<!<)<<-?(?!<)\s*['"]?\w+/.test(script))
    return { kind: 'unknown', reason: 'its script has a here-document', line };
  return { kind: 'shell', field: where.field, index: where.index, script };
}

/** The script with the entrypoint's call wrapped in the launcher's. */
export function wrapScript(script: string, entrypoint: string, launcher: readonly string[]): string {
  const word = new RegExp(`(^|[\\s;&|(])${quote(entrypoint)}(?=$|[\\s;&|)])`);
  let done = false;
  return script
    .split('\n')
    .map((line) => {
      if (done || !withoutComment(line).match(word)) return line;
      done = true;
      return line.replace(word, (_, before: string) => `${before}${launcher.join(' ')} ${entrypoint}`);
    })
    .join('\n');
}

/** Names of variables that a shell script assigns (`export X=`, `X=… command`, `X=…`), with literal values where they are. */
export function assignments(script: string): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const pattern = /(?:^|[\s;&|(])([A-Za-z_][A-Za-z0-9_]*)=("([^"]*)"|'([^']*)'|[^\s;&|)]*)/gm;
  for (const match of script.matchAll(pattern)) {
    const [, name = '', raw = '', double, single] = match;
    const value = single ?? double ?? raw;
    found.set(name, single === undefined && /[$`]/.test(value) ? undefined : value);
  }
  return found;
}

import type { Container } from './model.ts';

/** An argument with its JSON pointer below the container. */
export interface Argument {
  text: string;
  from: string;
}

/** How a container's process is started, as far as the manifest tells. */
export type Start =
  /** The image's own start command. */
  | { kind: 'image' }
  /** The known entrypoint, called directly or by a program that only starts another: element `index` of `field`. */
  | { kind: 'entrypoint'; field: 'command' | 'args'; index: number; rest: Argument[] }
  /** A shell script in element `index` of `field`, which calls the known entrypoint once. */
  | { kind: 'shell'; field: 'command' | 'args'; index: number; script: string }
  /** Anything else, with what is in the way. */
  | { kind: 'unknown'; reason: string; line?: string };

const shells = new Set(['sh', 'bash', 'ash', 'dash']);
/** Programs that start what follows and leave its arguments alone. */
const starters = new Set(['tini', 'dumb-init', 'nice', '__cacert_entrypoint.sh']);
const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const quote = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

interface Element extends Argument {
  field: 'command' | 'args';
  index: number;
}

const elementsOf = (field: 'command' | 'args', list: readonly string[] = []): Element[] =>
  list.map((text, index) => ({ field, index, text, from: `/${field}/${index}` }));

/**
 * Finds where a container calls the image's entrypoint. Kubernetes' `command` replaces the image's ENTRYPOINT, `args` its CMD;
 * where only `args` is given, it is the whole start command of an image whose start is its CMD.
 */
export function startOf(container: Container, entrypoint: string): Start {
  const argv = [...elementsOf('command', container.command), ...elementsOf('args', container.args)];
  const first = argv[0]?.text;
  if (first === undefined) return { kind: 'image' };
  const call = argv.findIndex((a) => a.text === entrypoint);
  if (call === 0 || (call > 0 && starters.has(baseName(first)))) {
    const { field, index } = argv[call] ?? { field: 'command', index: 0 };
    return { kind: 'entrypoint', field, index, rest: argv.slice(call + 1) };
  }
  if (!shells.has(baseName(first)))
    return { kind: 'unknown', reason: `it starts "${first}" instead of ${entrypoint}` };
  const flag = argv.findIndex((a, i) => i > 0 && /^-[a-z]*c[a-z]*$/.test(a.text));
  const script = flag > 0 ? argv[flag + 1] : undefined;
  if (script === undefined) {
    const line = argv.map((a) => a.text).join(' ');
    return { kind: 'unknown', reason: 'it starts a script file whose content cannot be seen', line };
  }
  return shellStart(script, entrypoint);
}

const withoutComment = (line: string) => line.replace(/(^|\s)#.*$/, '$1');

/** The entrypoint as a word of its own. */
const wordOf = (entrypoint: string, flags = '') =>
  new RegExp(`(^|[\\s;&|(])${quote(entrypoint)}(?=$|[\\s;&|)])`, flags);

function shellStart({ text: script, field, index }: Element, entrypoint: string): Start {
  const word = wordOf(entrypoint, 'g');
  const lines = script.split('\n').map(withoutComment);
  const hits = lines.filter((line) => line.match(word));
  const calls = hits.reduce((n, line) => n + (line.match(word)?.length ?? 0), 0);
  const line = (hits[0] ?? lines.findLast((l) => l.trim() !== '') ?? '').trim();
  const unknown = (reason: string): Start => ({ kind: 'unknown', reason, line });
  if (calls === 0) return unknown(`its script never calls ${entrypoint}`);
  if (calls > 1) return unknown(`its script calls ${entrypoint} ${calls} times`);
  if (new RegExp(`(^|[\\s;&|])(\\.|source)\\s+${quote(entrypoint)}`).test(line))
    return unknown(`its script sources ${entrypoint} instead of calling it`);
  if (/(?<!<)<<-?(?!<)\s*['"]?\w+/.test(script)) return unknown('its script has a here-document');
  return { kind: 'shell', field, index, script };
}

/** True where the shell makes way for the entrypoint, which then gets its signals. */
export const callsByExec = (script: string, entrypoint: string): boolean =>
  new RegExp(`\\bexec\\s+(env\\s+)?([A-Za-z_]\\w*=\\S*\\s+)*${quote(entrypoint)}`).test(script);

/** The script with the launcher's call in front of the entrypoint's. */
export function wrapScript(script: string, entrypoint: string, launcher: readonly string[]): string {
  const word = wordOf(entrypoint);
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

/**
 * Names of variables that a shell script assigns (`export X=`, `X=… command`, `X=…`), with their literal values; undefined where
 * the value is an expression, or differs from one assignment to the next.
 */
export function assignments(script: string): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  const pattern = /(?:^|[\s;&|(])([A-Za-z_][A-Za-z0-9_]*)=("([^"]*)"|'([^']*)'|[^\s;&|)]*)/gm;
  const text = script.split('\n').map(withoutComment).join('\n');
  for (const match of text.matchAll(pattern)) {
    const [, name = '', raw = '', double, single] = match;
    const value = single ?? double ?? raw;
    const literal = single === undefined && /[$`]/.test(value) ? undefined : value;
    found.set(name, found.has(name) && found.get(name) !== literal ? undefined : literal);
  }
  return found;
}

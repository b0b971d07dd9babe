import type { Container, PodSpec } from './model.ts';
import { liesIn } from './mounts.ts';
import { commandsOf, type Command, type Word } from './shell.ts';

/** An argument with its JSON pointer below the container. */
export interface Argument {
  text: string;
  from: string;
}

/** What a call starts: the image's own entrypoint, Kafka's `kafka-server-start`, or `kafka-storage format`. */
export type Program = 'entrypoint' | 'server' | 'format';

/** A call in a script: where the launcher goes, and up to where it replaces an interpreter (`bash FILE`). */
export interface Call {
  program: Program;
  text: string;
  start: number;
  end: number;
  byExec: boolean;
  /** The shell does nothing behind it, so that it may make way. */
  last: boolean;
  rest: string[];
}

/** How a container's process is started, as far as the manifest tells. */
export type Start =
  /** The image's own start command. */
  | { kind: 'image' }
  /** A known program, called directly or by one that only starts another: element `index` of `field`. */
  | {
      kind: 'program';
      program: Exclude<Program, 'format'>;
      field: 'command' | 'args';
      index: number;
      rest: Argument[];
    }
  /** A shell script in element `index` of `field`, which calls known programs. */
  | {
      kind: 'shell';
      field: 'command' | 'args';
      index: number;
      script: string;
      calls: Call[];
      commands: Command[];
    }
  /** A script file in element `index` of `field`, whose content only the start can see. */
  | { kind: 'file'; field: 'command' | 'args'; index: number; interpreter: boolean }
  /** Anything else, with what is in the way. */
  | { kind: 'unknown'; reason: string; line?: string };

/** What is known beside the container. */
export interface StartFacts {
  entrypoints: readonly string[];
  pod?: PodSpec;
}

const shells = new Set(['sh', 'bash', 'ash', 'dash']);
/** Programs that start what follows and leave its arguments alone. */
const starters = new Set(['tini', 'dumb-init', 'nice', '__cacert_entrypoint.sh']);
/** Those, and what a shell has for the same. */
const prefixes = new Set([...starters, 'exec', 'nohup', 'env', 'command', 'setsid', 'gosu', 'su-exec']);
/** Programs that run text, so that a call in it cannot be given the launcher. */
const evaluators = new Set([
  '.',
  'source',
  'eval',
  'su',
  'runuser',
  'sudo',
  'xargs',
  'timeout',
  'setpriv',
  'chroot',
]);

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const isServer = (text: string) => /^kafka-server-start(\.sh)?$/.test(baseName(text));
const isStorage = (text: string) => /^kafka-storage(\.sh)?$/.test(baseName(text));

function programOf(text: string, entrypoints: readonly string[]): 'entrypoint' | 'server' | undefined {
  if (entrypoints.includes(text)) return 'entrypoint';
  return isServer(text) ? 'server' : undefined;
}

interface Element extends Argument {
  field: 'command' | 'args';
  index: number;
}

const elementsOf = (field: 'command' | 'args', list: readonly string[] = []): Element[] =>
  list.map((text, index) => ({ field, index, text, from: `/${field}/${index}` }));

/**
 * Finds where a container starts Kafka. Kubernetes' `command` replaces the image's ENTRYPOINT, `args` its CMD; where only `args`
 * is given, it is the whole start command of an image whose start is its CMD.
 */
export function startOf(container: Container, facts: StartFacts): Start {
  const argv = [...elementsOf('command', container.command), ...elementsOf('args', container.args)];
  const first = argv[0];
  if (first === undefined) return { kind: 'image' };
  const call = argv.findIndex((a) => programOf(a.text, facts.entrypoints) !== undefined);
  if (call === 0 || (call > 0 && starters.has(baseName(first.text)))) {
    const { field, index, text } = argv[call] ?? first;
    const program = programOf(text, facts.entrypoints) ?? 'entrypoint';
    return { kind: 'program', program, field, index, rest: argv.slice(call + 1) };
  }
  if (shells.has(baseName(first.text))) return shellOf(argv, container, facts);
  if (isMountedScript(first.text, container, facts.pod))
    return { kind: 'file', field: first.field, index: first.index, interpreter: false };
  const wanted = facts.entrypoints[0] ?? 'kafka-server-start.sh';
  return { kind: 'unknown', reason: `it starts "${first.text}" instead of ${wanted}` };
}

function shellOf(argv: Element[], container: Container, facts: StartFacts): Start {
  const flag = argv.findIndex((a, i) => i > 0 && /^-[a-z]*c[a-z]*$/.test(a.text));
  const script = flag > 0 ? argv[flag + 1] : undefined;
  if (script !== undefined) return scriptOf(script, facts.entrypoints);
  const file = argv.findIndex((a, i) => i > 0 && !a.text.startsWith('-'));
  const element = argv[file];
  if (element !== undefined && isMountedScript(element.text, container, facts.pod))
    return { kind: 'file', field: element.field, index: element.index, interpreter: true };
  const line = argv.map((a) => a.text).join(' ');
  return { kind: 'unknown', reason: 'it starts a script file whose content cannot be seen', line };
}

/** A file from a ConfigMap, Secret or projected volume: the launcher reads it at start. */
function isMountedScript(path: string, container: Container, pod: PodSpec | undefined): boolean {
  const mount = (container.volumeMounts ?? [])
    .filter((m) => liesIn(path, m.mountPath))
    .sort((a, b) => b.mountPath.length - a.mountPath.length)[0];
  const volume = pod?.volumes?.find((v) => v.name === mount?.name);
  return (volume?.configMap ?? volume?.secret ?? volume?.projected) !== undefined;
}

function scriptOf({ text: script, field, index }: Element, entrypoints: readonly string[]): Start {
  const commands = commandsOf(script);
  const calls = commands
    .flatMap((c) => callOf(c, entrypoints) ?? [])
    .map((call) => ({ ...call, last: isLast(call, script, commands) }));
  const problem = problemOf(script, { commands, calls, entrypoints });
  return problem ?? { kind: 'shell', field, index, script, calls, commands };
}

interface Read {
  commands: Command[];
  calls: Call[];
  entrypoints: readonly string[];
}

const lineOf = (script: string, at: number) =>
  script
    .slice(script.lastIndexOf('\n', at - 1) + 1)
    .split('\n', 1)[0]
    ?.trim() ?? '';

function problemOf(script: string, { commands, calls, entrypoints }: Read): Start | undefined {
  const wanted = entrypoints[0] ?? 'kafka-server-start.sh';
  const mentions = (w: Word) =>
    entrypoints.some((e) => w.text.includes(e)) || /kafka-server-start/.test(w.text);
  const escape = commands.map((c) => escapeOf(c, { calls, mentions })).find((e) => e !== undefined);
  if (escape !== undefined)
    return { kind: 'unknown', reason: `its script ${escape.how}`, line: lineOf(script, escape.word.start) };
  if (calls.some((c) => c.program !== 'format')) return undefined;
  const last = script.split('\n').findLast((l) => l.trim() !== '' && !l.trim().startsWith('#')) ?? '';
  return { kind: 'unknown', reason: `its script never calls ${wanted}`, line: last.trim() };
}

interface Known {
  calls: readonly Call[];
  mentions: (word: Word) => boolean;
}

/** A command that starts Kafka where the launcher cannot be put before it. */
function escapeOf({ words }: Command, { calls, mentions }: Known): { word: Word; how: string } | undefined {
  const word = words.find(mentions);
  if (word === undefined) return undefined;
  const { at, interpreter } = behindPrefixes(words);
  const name = baseName((interpreter ?? words[at])?.text ?? '');
  const evaluates = interpreter !== undefined && words.some((w) => /^-[a-z]*c$/.test(w.text));
  const isCall = calls.some((c) => words.some((w) => w.start === c.start));
  if (!evaluators.has(name) && !evaluates && (isCall || isHarmless(name))) return undefined;
  const sources = name === '.' || name === 'source';
  return {
    word,
    how: sources ? `sources ${word.text} instead of calling it` : `starts Kafka through ${name}`,
  };
}

/** Programs to which the name of another is only a text. */
const isHarmless = (name: string) =>
  /^(echo|printf|test|\[|\[\[|ls|cat|cp|mv|chmod|chown|sed|grep|head|tail|which|type|command|export|local|file|stat|touch|ln|if|set|pkill|pgrep|kill|ps|wait|while|until|trap|)$/.test(
    name,
  ) || isAssignment(name);

const isAssignment = (text: string) => /^[A-Za-z_]\w*\+?=/.test(text);

/** The known program that a command starts, behind assignments and programs that only start another. */
function callOf(
  { words }: Command,
  entrypoints: readonly string[],
): (Omit<Call, 'last'> & { bare: boolean }) | undefined {
  const { at, byExec, interpreter } = behindPrefixes(words);
  const before = words.slice(0, interpreter === undefined ? at : at - 1);
  const bare = before.every((w) => isAssignment(w.text));
  const word = words[at];
  if (word === undefined) return undefined;
  const rest = words.slice(at + 1).map((w) => w.text);
  const isFormat = isStorage(word.text) && rest[0] === 'format';
  const program = isFormat ? 'format' : programOf(word.text, entrypoints);
  if (program === undefined) return undefined;
  const start = (interpreter ?? word).start;
  return { program, text: word.text, start, end: word.start, byExec, bare, rest };
}

/** A call that ends the script on the top level, with nothing but assignments before it, and no handler to run behind it. */
function isLast(
  call: { text: string; start: number; bare: boolean },
  script: string,
  commands: readonly Command[],
): boolean {
  const last = commands.at(-1);
  const isEnd = last?.words.some((w) => w.start === call.start) === true;
  const end = last?.words.at(-1)?.end ?? 0;
  const rest = script.slice(end).replace(/#.*$/gm, '');
  return (
    call.bare && isEnd && last?.documents.length === 0 && /^[\s;]*$/.test(rest) && !/\btrap\b/.test(script)
  );
}

/** Index of the first word that is neither an assignment nor a program that starts what follows. */
function behindPrefixes(words: readonly Word[]): { at: number; byExec: boolean; interpreter?: Word } {
  let byExec = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === undefined || isAssignment(word.text)) continue;
    const name = baseName(word.text);
    if (shells.has(name)) return { at: at + 1, byExec, interpreter: word };
    if (!prefixes.has(name)) return { at, byExec };
    byExec ||= name === 'exec';
    if (name === 'gosu' || name === 'su-exec') at++;
    while (words[at + 1]?.text.startsWith('-') === true) at++;
  }
  return { at: words.length, byExec };
}

/** True where the shell makes way for Kafka, which then gets its signals. */
export const callsByExec = ({ calls }: Extract<Start, { kind: 'shell' }>): boolean =>
  calls.every((c) => c.byExec || c.last || c.program === 'format');

/** The script with the launcher's call in front of every known program's. */
export function wrapScript(
  { script, calls }: Extract<Start, { kind: 'shell' }>,
  launcher: readonly string[],
  { mayExec }: { mayExec: boolean },
): string {
  const format = /\brandom-uuid\b/.test(script) ? '--format-anew' : '--format';
  return calls.reduceRight((text, { program, start, end, byExec, last }) => {
    const first = mayExec && last && !byExec && program !== 'format' ? ['exec'] : [];
    const words = [...first, ...launcher, ...(program === 'format' ? [format] : [])];
    return `${text.slice(0, start)}${words.join(' ')} ${text.slice(end)}`;
  }, script);
}

/** What a script assigns to a variable: its literal value, else the expression; neither where assignments differ. */
export interface Assigned {
  value?: string;
  expression?: string;
}

/** Variables that a shell script assigns (`export X=`, `X=… command`, `X=…`), by name. */
export function assignments({
  script,
  commands,
}: Pick<Extract<Start, { kind: 'shell' }>, 'script' | 'commands'>): Map<string, Assigned> {
  const found = new Map<string, Assigned>();
  for (const { words } of commands)
    for (const { start, end, text } of words) {
      const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(text);
      if (match === null) continue;
      const [, name = '', value = ''] = match;
      const isLiteral = script.slice(start, end).includes("='") || !/[$`]/.test(value);
      const now = isLiteral ? { value } : { expression: value };
      const before = found.get(name);
      found.set(name, before === undefined || sameAssigned(before, now) ? now : {});
    }
  return found;
}

const sameAssigned = (a: Assigned, b: Assigned) => a.value === b.value && a.expression === b.expression;

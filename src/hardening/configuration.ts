import { assignments, type Start } from './command.ts';
import type { Container, PodSpec } from './model.ts';
import { liesIn } from './mounts.ts';
import type { Command } from './shell.ts';
import { variableOf as sharedVariableOf, type Profile } from './profiles/profile.ts';

export { sharedVariableOf as variableOf };

/** A Kafka property as far as the manifest shows it before anything runs. */
export type Value =
  | { state: 'absent' }
  /** A literal; `from` is a JSON pointer below the container. */
  | { state: 'literal'; value: string; from: string }
  /**
   * Set, but only the start knows to what (a field or key reference, a shell expression). `shared`: the same for every pod;
   * `expression`: the shell's text.
   */
  | { state: 'computed'; from: string; fieldPath?: string; shared?: boolean; expression?: string }
  /** Perhaps set, by something that cannot be seen from here. `shared`: the same for every pod. */
  | { state: 'unknown'; from: string; shared: boolean };

/** How the configuration reaches Kafka. */
export type Delivery =
  /** The image's entrypoint reads the environment. */
  | { kind: 'environment' }
  /** `kafka-server-start FILE`: the environment counts for nothing. */
  | { kind: 'file'; path: string; own: boolean };

/** The configuration of a broker container: env, arguments and shell assignments over what is mounted. */
export interface Configuration {
  delivery: Delivery;
  /** By Kafka's property name. */
  property(name: string): Value;
  /** By variable, for what is no property (`CLUSTER_ID`, `KAFKA_OPTS`). */
  variable(name: string): Value;
  /** Names of all variables that are set visibly. */
  names: readonly string[];
  /** Names of all properties that are set visibly. */
  properties: readonly string[];
}

/** Where a container's configuration comes from. */
export interface Sources {
  start: Start;
  pod: PodSpec;
  profile: Pick<Profile, 'variablesOf' | 'propertyOf' | 'mountedDirectories'>;
}

/** Linux starts no program with a longer argument or variable (MAX_ARG_STRLEN). */
const longestVariable = 131_072;

/**
 * The kubelet resolves `$(NAME)` from entries that stand before; those with a literal value can be read here. undefined: longer
 * than any variable can be, which a few entries that name each other twice reach soon.
 */
function resolved(text: string, values: ReadonlyMap<string, Value>): string | undefined {
  let length = text.length;
  const whole = text.replace(/(?<!\$)\$\(([A-Za-z_][\w.-]*)\)/g, (reference, name: string) => {
    const value = values.get(name);
    if (value?.state !== 'literal') return reference;
    length += value.value.length;
    return length > longestVariable ? '' : value.value;
  });
  return length > longestVariable ? undefined : whole;
}

function fromEnv(container: Container): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [i, entry] of (container.env ?? []).entries()) {
    const from = `/env/${i}`;
    const source = entry.valueFrom;
    if (source === undefined) {
      const value = resolved(entry.value ?? '', values);
      values.set(
        entry.name,
        value === undefined ? { state: 'computed', from } : { state: 'literal', value, from },
      );
    } else if (source.fieldRef !== undefined)
      values.set(entry.name, { state: 'computed', from, fieldPath: source.fieldRef.fieldPath });
    else values.set(entry.name, { state: 'computed', from, shared: true });
  }
  return values;
}

/** NAME=VALUE arguments of the entrypoint, which it exports after the environment. */
function fromArguments(start: Extract<Start, { kind: 'program' }>, values: Map<string, Value>): void {
  for (const { text, from } of start.rest) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text);
    if (match) values.set(match[1] ?? '', { state: 'literal', value: match[2] ?? '', from });
  }
}

const isMounted = (container: Container, path: string) =>
  (container.volumeMounts ?? []).findIndex((m) => liesIn(path, m.mountPath));

/** A mounted source whose content cannot be seen: the same for every pod where it comes from one object. */
function unseenMount(container: Container, pod: PodSpec, index: number): Value {
  const mount = container.volumeMounts?.[index];
  const volume = pod.volumes?.find((v) => v.name === mount?.name);
  const fixed = volume?.configMap ?? volume?.secret ?? volume?.projected;
  const shared = fixed !== undefined && mount?.subPathExpr === undefined;
  return { state: 'unknown', from: `/volumeMounts/${index}`, shared };
}

/** Sources beside the visible variables whose content cannot be seen: a start script may set anything. */
function unseenIn(container: Container, { start, pod, profile }: Sources): Value | undefined {
  if (start.kind === 'file')
    return { state: 'unknown', from: `/${start.field}/${start.index}`, shared: false };
  if (container.envFrom?.[0] !== undefined) return { state: 'unknown', from: '/envFrom/0', shared: true };
  const index = (container.volumeMounts ?? []).findIndex((m) =>
    profile.mountedDirectories.some((d) => `${m.mountPath}/`.startsWith(`${d}/`)),
  );
  return index < 0 ? undefined : unseenMount(container, pod, index);
}

function variablesOf(container: Container, start: Start): Map<string, Value> {
  const values = fromEnv(container);
  if (start.kind === 'program') fromArguments(start, values);
  if (start.kind === 'shell')
    for (const [name, { value, expression }] of assignments(start)) {
      const from = `/${start.field}/${start.index}`;
      values.set(
        name,
        value === undefined
          ? { state: 'computed', from, ...(expression === undefined ? {} : { expression }) }
          : { state: 'literal', value, from },
      );
    }
  return values;
}

/** The file that `kafka-server-start` is given, where the manifest calls it; `own` to the image where nothing else provides it. */
function deliveryOf(start: Start, container: Container): Delivery {
  const rest =
    start.kind === 'program' && start.program === 'server'
      ? start.rest.map((a) => a.text)
      : start.kind === 'shell'
        ? start.calls.find((c) => c.program === 'server')?.rest
        : undefined;
  if (rest === undefined) return { kind: 'environment' };
  const path = rest.find((a) => !a.startsWith('-')) ?? '';
  const touched =
    start.kind === 'shell' &&
    start.commands.some(
      ({ words, outputs }) =>
        outputs.includes(path) ||
        (!words.some((w) => /kafka-(server-start|storage)/.test(w.text)) &&
          words.some((w) => w.text.includes(path))),
    );
  const isPlain = /^[\w./-]+$/.test(path);
  return { kind: 'file', path, own: isPlain && !touched && isMounted(container, path) < 0 };
}

const entry = /^([A-Za-z][\w.-]*)\s*[=:](.*)$/;

/** A property in a line, and its value; undefined where there is none. Kafka's names have a dot within, but for `listeners`. */
function propertyIn(line: string): [name: string, value: string] | undefined {
  const [, name = '', value = ''] = entry.exec(line.trim()) ?? [];
  const dot = name.indexOf('.');
  const isName = name === 'listeners' || (dot > 0 && dot < name.length - 1);
  return isName ? [name, value.trim()] : undefined;
}

/** Properties that a start command shows: `--override`, here-documents, `echo key=value >> file`. */
function fromScript(start: Start): Map<string, Value> {
  const found = new Map<string, Value>();
  const set = (line: string, from: string, literal: boolean) => {
    const [name, value = ''] = propertyIn(line) ?? [];
    if (name === undefined) return;
    const computed = !literal && /[$`]/.test(value);
    found.set(
      name,
      computed ? { state: 'computed', from, expression: value } : { state: 'literal', value, from },
    );
  };
  if (start.kind === 'program')
    overrides(
      start.rest.map((a) => [a.text, a.from]),
      set,
    );
  if (start.kind !== 'shell') return found;
  const from = `/${start.field}/${start.index}`;
  for (const command of start.commands)
    for (const [line, literal] of linesWritten(command)) set(line, from, literal);
  for (const call of start.calls)
    overrides(
      call.rest.map((text) => [text, from]),
      set,
    );
  return found;
}

/** Lines that a command writes into a file, and whether the shell leaves `$` in them alone. */
function linesWritten({ words, documents, outputs }: Command): [string, boolean][] {
  const bodies = documents.flatMap(({ body, literal }) =>
    body
      .split('\n')
      .filter((line) => !/^\s*[#!]/.test(line))
      .map((line): [string, boolean] => [line, literal]),
  );
  const prints = /^(echo|printf)$/.test(words[0]?.text ?? '') && outputs.length > 0;
  const printed = prints ? words.slice(1).flatMap((w) => w.text.split(/\n|\\n/)) : [];
  return [...bodies, ...printed.map((line): [string, boolean] => [line, false])];
}

function overrides(
  words: readonly (readonly [string, string])[],
  set: (line: string, from: string, literal: boolean) => void,
): void {
  for (const [i, [text, from]] of words.entries()) {
    const next = words[i + 1];
    if (text === '--override' && next !== undefined) set(next[0], next[1], false);
    if (text.startsWith('--override=')) set(text.slice('--override='.length), from, false);
  }
}

/** Reads what a container's manifest tells of its configuration. */
export function configurationOf(container: Container, sources: Sources): Configuration {
  const { start, profile } = sources;
  const values = variablesOf(container, start);
  const delivery = deliveryOf(start, container);
  const missing = unseenIn(container, sources) ?? { state: 'absent' };
  const unset = (value: Value | undefined) =>
    value === undefined || (value.state === 'literal' && value.value === '');
  const variable = (name: string): Value => {
    const value = values.get(name);
    return value === undefined || unset(value) ? missing : value;
  };
  const names = [...values.keys()];
  if (delivery.kind === 'file')
    return {
      ...fileConfiguration(container, { ...sources, ...delivery }),
      delivery,
      variable,
      names,
    };
  const property = (name: string): Value => {
    const given = profile.variablesOf(name).find((v) => !unset(values.get(v)));
    return given === undefined ? missing : variable(given);
  };
  const properties = names.flatMap((n) => profile.propertyOf(n) ?? []);
  return { delivery, property, variable, names, properties };
}

function fileConfiguration(
  container: Container,
  { start, pod, path, own }: Sources & { path: string; own: boolean },
): Pick<Configuration, 'property' | 'properties'> {
  const shown = fromScript(start);
  const index = isMounted(container, path);
  const written = start.kind === 'shell' && start.commands.some((c) => c.outputs.includes(path));
  const script = start.kind === 'shell' ? `/${start.field}/${start.index}` : '';
  const missing: Value =
    index >= 0 && !written
      ? unseenMount(container, pod, index)
      : { state: 'unknown', from: script === '' ? '/command' : script, shared: own };
  return { property: (name) => shown.get(name) ?? missing, properties: [...shown.keys()] };
}

/** The literal value, or undefined. */
export const literal = (value: Value) => (value.state === 'literal' ? value.value : undefined);

/** True where something visible sets the value. */
export const isGiven = (value: Value): value is Extract<Value, { state: 'literal' | 'computed' }> =>
  value.state === 'literal' || value.state === 'computed';

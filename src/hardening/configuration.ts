import { assignments, type Start } from './command.ts';
import type { Container, PodSpec } from './model.ts';

/** A Kafka property as far as the manifest shows it before anything runs. */
export type Value =
  | { state: 'absent' }
  /** A literal; `from` is a JSON pointer below the container. */
  | { state: 'literal'; value: string; from: string }
  /** Set, but only the start knows to what (a field or key reference, a shell expression). */
  | { state: 'computed'; from: string; fieldPath?: string; shared?: boolean }
  /** Perhaps set, by something that cannot be seen from here. `shared`: the same for every pod. */
  | { state: 'unknown'; from: string; shared: boolean };

/** The configuration of a broker container: env, arguments and shell assignments over what is mounted. */
export interface Configuration {
  /** By Kafka's property name. */
  property(name: string): Value;
  /** By variable, for what is no property (`CLUSTER_ID`, `KAFKA_OPTS`). */
  variable(name: string): Value;
  /** Names of all variables that are set visibly. */
  names: readonly string[];
}

const variableNames = new Map<string, string>();

/** `listener.name.client.scram-sha-512.x` → `KAFKA_LISTENER_NAME_CLIENT_SCRAM___SHA___512_X`. */
export function variableOf(property: string): string {
  let name = variableNames.get(property);
  if (name === undefined) {
    name = `KAFKA_${property.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_').toUpperCase()}`;
    variableNames.set(property, name);
  }
  return name;
}

/** Where the image looks for a mounted file to merge with the environment. */
export interface Sources {
  start: Start;
  pod: PodSpec;
  /** Directory of the mounted `server.properties`. */
  mountedDirectory: string;
}

function fromEnv(container: Container): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [i, entry] of (container.env ?? []).entries()) {
    const from = `/env/${i}`;
    const source = entry.valueFrom;
    if (source === undefined) values.set(entry.name, { state: 'literal', value: entry.value ?? '', from });
    else if (source.fieldRef !== undefined)
      values.set(entry.name, { state: 'computed', from, fieldPath: source.fieldRef.fieldPath });
    else values.set(entry.name, { state: 'computed', from, shared: true });
  }
  return values;
}

/** NAME=VALUE arguments of the entrypoint, which it exports after the environment. */
function fromArguments(start: Extract<Start, { kind: 'entrypoint' }>, values: Map<string, Value>): void {
  for (const { text, from } of start.rest) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text);
    if (match) values.set(match[1] ?? '', { state: 'literal', value: match[2] ?? '', from });
  }
}

/** Sources whose content cannot be seen. */
function unseenIn(container: Container, { pod, mountedDirectory }: Sources): Value | undefined {
  if (container.envFrom?.[0] !== undefined) return { state: 'unknown', from: '/envFrom/0', shared: true };
  const index = (container.volumeMounts ?? []).findIndex((m) =>
    `${m.mountPath}/`.startsWith(`${mountedDirectory}/`),
  );
  const mount = container.volumeMounts?.[index];
  if (mount === undefined) return undefined;
  const volume = pod.volumes?.find((v) => v.name === mount.name);
  const fixed = volume?.configMap ?? volume?.secret ?? volume?.projected;
  return {
    state: 'unknown',
    from: `/volumeMounts/${index}`,
    shared: fixed !== undefined && mount.subPathExpr === undefined,
  };
}

/** Reads what a container's manifest tells of its configuration. */
export function configurationOf(container: Container, sources: Sources): Configuration {
  const values = fromEnv(container);
  const { start } = sources;
  if (start.kind === 'entrypoint') fromArguments(start, values);
  if (start.kind === 'shell')
    for (const [name, value] of assignments(start.script)) {
      const from = `/${start.field}/${start.index}`;
      values.set(name, value === undefined ? { state: 'computed', from } : { state: 'literal', value, from });
    }
  const missing = unseenIn(container, sources) ?? { state: 'absent' };
  const variable = (name: string) => {
    const value = values.get(name);
    return value === undefined || (value.state === 'literal' && value.value === '') ? missing : value;
  };
  return { variable, property: (name) => variable(variableOf(name)), names: [...values.keys()] };
}

/** The literal value, or undefined. */
export const literal = (value: Value) => (value.state === 'literal' ? value.value : undefined);

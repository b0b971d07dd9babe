import { assignments, type Start } from './command.ts';
import type { Container, PodSpec } from './model.ts';

/** A Kafka property as far as the manifest shows it before anything runs. */
export type Value =
  | { state: 'absent' }
  /** A literal; `from` is a JSON pointer below the container. */
  | { state: 'literal'; value: string; from: string }
  /** Set, but only the start knows to what (a field reference, a shell expression). */
  | { state: 'computed'; from: string; fieldPath?: string }
  /** Perhaps set, by something that cannot be seen from here. */
  | { state: 'unknown'; from: string };

/** The configuration of a broker container: env, arguments and shell assignments over what is mounted. */
export interface Configuration {
  /** By Kafka's property name. */
  property(name: string): Value;
  /** By variable, for what is no property (`CLUSTER_ID`, `KAFKA_OPTS`). */
  variable(name: string): Value;
  /** Names of all variables that are set visibly. */
  names: readonly string[];
  /** Where settings may come from that cannot be seen: a JSON pointer below the container for each source. */
  unseen: readonly string[];
}

/** `listener.name.client.scram-sha-512.x` → `KAFKA_LISTENER_NAME_CLIENT_SCRAM___SHA___512_X`. */
export const variableOf = (property: string) =>
  `KAFKA_${property.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_').toUpperCase()}`;

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
    if (entry.valueFrom === undefined) {
      values.set(entry.name, { state: 'literal', value: entry.value ?? '', from });
    } else {
      const fieldPath = entry.valueFrom.fieldRef?.fieldPath;
      values.set(entry.name, { state: 'computed', from, ...(fieldPath === undefined ? {} : { fieldPath }) });
    }
  }
  return values;
}

/** Reads what a container's manifest tells of its configuration. */
export function configurationOf(container: Container, sources: Sources): Configuration {
  const values = fromEnv(container);
  const { start } = sources;
  if (start.kind === 'entrypoint')
    for (const argument of start.rest) {
      const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(argument);
      if (match) values.set(match[1] ?? '', { state: 'literal', value: match[2] ?? '', from: '/args' });
    }
  if (start.kind === 'shell')
    for (const [name, value] of assignments(start.script)) {
      const from = `/${start.field}/${start.index}`;
      values.set(name, value === undefined ? { state: 'computed', from } : { state: 'literal', value, from });
    }
  const unseen = [
    ...(container.envFrom ?? []).map((_, i) => `/envFrom/${i}`),
    ...(container.volumeMounts ?? []).flatMap((m, i) =>
      `${m.mountPath}/`.startsWith(`${sources.mountedDirectory}/`) ? [`/volumeMounts/${i}`] : [],
    ),
  ];
  const absent = (): Value =>
    unseen[0] === undefined ? { state: 'absent' } : { state: 'unknown', from: unseen[0] };
  const variable = (name: string) => {
    const value = values.get(name);
    return value === undefined || (value.state === 'literal' && value.value === '') ? absent() : value;
  };
  return { variable, property: (name) => variable(variableOf(name)), names: [...values.keys()], unseen };
}

/** The literal value, or undefined. */
export const literal = (value: Value) => (value.state === 'literal' ? value.value : undefined);

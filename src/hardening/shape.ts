import { literal, type Configuration, type Value } from './configuration.ts';
import {
  longestList,
  parseListeners,
  parseProtocolMap,
  parseVoters,
  type Listener,
  type Voter,
} from './listeners.ts';
import type { Container } from './model.ts';

/** What the manifest says of listeners, ids and quorum, read once and asked by layout, obstacles and rules. */
export interface Shape {
  /** All listeners that the manifest names literally; empty where it names none. */
  listeners: Listener[];
  /** Protocol of a listener by the manifest's map, else by its own name. */
  protocolOf(listener: Listener): string;
  isController(listener: Listener): boolean;
  controllerListener?: Listener | undefined;
  interBroker?: Listener | undefined;
  /** Listeners that are neither the controller's nor the brokers' own. */
  clients: Listener[];
  /** What is advertised, by listener, as far as the text shows; hosts may be expressions. */
  advertised: Address[];
  /** undefined: not given, or not readable. */
  voters?: Voter[] | undefined;
  votersText?: string | undefined;
  /** The node id that the manifest gives literally, the same for every pod. */
  nodeId?: number | undefined;
  /** Node id minus ordinal, where a shell expression in the manifest gives it. */
  idShift?: number | undefined;
}

/** An advertised address as the manifest shows it: host and port may be expressions; of a port only a number is told. */
export interface Address {
  name: string;
  host: string;
  port: number | undefined;
}

/** Reads the listeners and the quorum of a configuration; the first generations did not look into shell expressions. */
export function shapeOf(configuration: Configuration, generation = 3): Shape {
  const text = (property: string) => literal(configuration.property(property));
  const bound = parseListeners(text('listeners') ?? '') ?? [];
  const addresses = shownAddresses(configuration.property('advertised.listeners'));
  const advertised =
    generation < 3
      ? (parseListeners(text('advertised.listeners') ?? '') ?? [])
      : addresses.flatMap(({ port, ...l }) => (port === undefined ? [] : [{ ...l, port }]));
  const listeners = [...bound, ...advertised.filter((a) => !bound.some((b) => b.name === a.name))];
  const map = parseProtocolMap(text('listener.security.protocol.map') ?? '');
  const controllerNames = (text('controller.listener.names') ?? 'CONTROLLER').split(',').map((n) => n.trim());
  const votersText = text('controller.quorum.voters');
  const isController = (l: Listener) => controllerNames.includes(l.name);
  const others = listeners.filter((l) => !isController(l));
  const interBrokerName = text('inter.broker.listener.name');
  const named = others.find((l) => l.name === interBrokerName);
  return {
    listeners,
    protocolOf: (l) => map.get(l.name) ?? l.name,
    isController,
    controllerListener: listeners.find(isController),
    interBroker: named,
    clients: others.length > 1 ? others.filter((l) => l !== named) : others,
    advertised: addresses,
    voters: votersText === undefined ? undefined : parseVoters(votersText),
    votersText,
    ...identityIn(configuration),
  };
}

/** What is advertised, by the text or by the expression that will give it. */
function shownAddresses(value: Value): Address[] {
  const text = (value.state === 'computed' ? value.expression : literal(value)) ?? '';
  if (text.length > longestList) return [];
  const found = text.matchAll(/([A-Za-z0-9_]+):\/\/([^,]*?):(\d+|\$\(\([^)]*\)\)|\$[{(]?[^,]*)(?=,|$)/g);
  return [...found].map(([, name = '', host = '', port = '']) => ({
    name,
    host,
    port: /^\d+$/.test(port) ? Number(port) : undefined,
  }));
}

function identityIn(configuration: Configuration): Pick<Shape, 'nodeId' | 'idShift'> {
  const values = ['node.id', 'broker.id'].map((p) => configuration.property(p));
  const text = values.map(literal).find((v) => v !== undefined) ?? '';
  const computed = values.find((v) => v.state === 'computed');
  return {
    nodeId: /^\d{1,9}$/.test(text) ? Number(text) : undefined,
    idShift: shiftOf(computed?.expression ?? ''),
  };
}

/**
 * What a shell expression adds to the ordinal: 0 for `${HOSTNAME##*-}`, 100 for `$((${HOSTNAME##*-} + 100))`, 10 for
 * `1${HOSTNAME##*-}` (of ordinals below ten). undefined where it cannot be told.
 */
export function shiftOf(expression: string): number | undefined {
  const ordinal = String.raw`(?:\$\{(?:HOSTNAME|POD_NAME|MY_POD_NAME)##\*-\}|\$\{?(?:ORDINAL|ordinal|POD_INDEX)\}?|ordinal|ORDINAL)`;
  const plain = new RegExp(`^(\\d{0,4})${ordinal}$`).exec(expression);
  if (plain) return Number(plain[1] ?? 0) * 10;
  const sum = new RegExp(
    `^\\$\\(\\(\\s*(?:${ordinal}\\s*\\+\\s*(\\d+)|(\\d+)\\s*\\+\\s*${ordinal})\\s*\\)\\)$`,
  ).exec(expression);
  return sum === null ? undefined : Number(sum[1] ?? sum[2]);
}

/** The port that clients use today: the client listener's, else a declared port that is not the controller's, else 9092. */
export function clientPortOf(shape: Shape, container: Container): number {
  if (shape.clients[0] !== undefined) return shape.clients[0].port;
  const declared = (container.ports ?? []).filter((p) => p.containerPort !== controllerPortOf(shape));
  const named = declared.find((p) => /^(kafka|client|plain|plaintext|broker)/.test(p.name ?? ''));
  const usual = declared.find((p) => p.containerPort === 9092);
  return (usual ?? named)?.containerPort ?? 9092;
}

/** The controllers' port: the voters', else the controller listener's, else 9093. */
export const controllerPortOf = (shape: Shape): number =>
  shape.voters?.[0]?.port ?? shape.controllerListener?.port ?? 9093;

export const isLocal = (host: string) => /^(localhost|127\.0\.0\.1|\[?::1\]?|0\.0\.0\.0)$/.test(host);

/** True for the one voter of a single-node example, `1@localhost:9093`. */
export const isLocalQuorum = (shape: Shape) =>
  shape.voters?.length === 1 && isLocal(shape.voters[0]?.host ?? '');

/** The pods that vote: undefined where a quorum of one node is meant, or none is given. */
export const votersIn = (shape: Shape): Voter[] | undefined =>
  isLocalQuorum(shape) ? undefined : shape.voters;

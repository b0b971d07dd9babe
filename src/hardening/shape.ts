import { literal, type Configuration } from './configuration.ts';
import { parseListeners, parseProtocolMap, parseVoters, type Listener, type Voter } from './listeners.ts';
import type { Container, StatefulSet } from './model.ts';

/** What the manifest says of listeners, ids and quorum, read once and asked by layout, obstacles and rules. */
export interface Shape {
  /** All listeners that the manifest names literally; empty where it names none. */
  listeners: Listener[];
  /** Protocol of a listener by the manifest's map, else by its own name. */
  protocolOf(listener: Listener): string;
  controllerListener?: Listener | undefined;
  interBroker?: Listener | undefined;
  /** Listeners that are neither the controller's nor the brokers' own. */
  clients: Listener[];
  /** undefined: not given, or not readable. */
  voters?: Voter[] | undefined;
  votersText?: string | undefined;
  /** The node id that the manifest gives literally, the same for every pod. */
  nodeId?: number | undefined;
}

/** Reads the listeners and the quorum of a configuration. */
export function shapeOf(configuration: Configuration): Shape {
  const text = (property: string) => literal(configuration.property(property));
  const bound = parseListeners(text('listeners') ?? '') ?? [];
  const advertised = parseListeners(text('advertised.listeners') ?? '') ?? [];
  const listeners = [...bound, ...advertised.filter((a) => !bound.some((b) => b.name === a.name))];
  const map = parseProtocolMap(text('listener.security.protocol.map') ?? '');
  const controllerNames = (text('controller.listener.names') ?? 'CONTROLLER').split(',').map((n) => n.trim());
  const votersText = text('controller.quorum.voters');
  const isController = (l: Listener) => controllerNames.includes(l.name);
  const others = listeners.filter((l) => !isController(l));
  const interBrokerName = text('inter.broker.listener.name');
  const named = others.find((l) => l.name === interBrokerName);
  const id = text('node.id') ?? text('broker.id') ?? '';
  return {
    listeners,
    protocolOf: (l) => map.get(l.name) ?? l.name,
    controllerListener: listeners.find(isController),
    interBroker: named,
    clients: others.length > 1 ? others.filter((l) => l !== named) : others,
    voters: votersText === undefined ? undefined : parseVoters(votersText),
    votersText,
    nodeId: /^\d{1,9}$/.test(id) ? Number(id) : undefined,
  };
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

const isLocal = (host: string) => /^(localhost|127\.0\.0\.1|\[?::1\]?|0\.0\.0\.0)$/.test(host);

/** True for the one voter of a single-node example, `1@localhost:9093`. */
export const isLocalQuorum = (shape: Shape) =>
  shape.voters?.length === 1 && isLocal(shape.voters[0]?.host ?? '');

/** The pods that vote: undefined where a quorum of one node is meant, or none is given. */
export const votersIn = (shape: Shape): Voter[] | undefined =>
  isLocalQuorum(shape) ? undefined : shape.voters;

/**
 * Node id minus ordinal as the voters have it: `1@kafka-0…,2@kafka-1…` is 1. undefined where the voters are not the set's first
 * pods, on one port. Without voters, or with a single one on localhost, the literal node id of a single pod decides, else 0.
 */
export function idOffsetOf(shape: Shape, set: StatefulSet): number | undefined {
  const { metadata: { name = '' } = {}, spec: { replicas = 1, ordinals } = { selector: {}, template: {} } } =
    set;
  const first = ordinals?.start ?? 0;
  if (shape.votersText === undefined)
    return replicas === 1 && shape.nodeId !== undefined ? shape.nodeId - first : 0;
  if (isLocalQuorum(shape)) return (shape.voters?.[0]?.id ?? 0) - first;
  return offsetOfPods(shape.voters ?? [], { name, first });
}

/** The offset of voters that are the pods `name-first`, `name-(first + 1)` …, in any order. */
function offsetOfPods(voters: Voter[], { name, first }: { name: string; first: number }): number | undefined {
  const places = voters.map(({ id, host, port }) => ({ id, port, ordinal: ordinalOf(host, name) }));
  places.sort((a, b) => a.ordinal - b.ordinal);
  const [lowest] = places;
  const inOrder = places.every(
    (p, i) => p.ordinal === first + i && p.id - i === lowest?.id && p.port === lowest.port,
  );
  return inOrder && lowest !== undefined ? lowest.id - first : undefined;
}

/** The ordinal in a host such as `kafka-0.kafka.ns.svc`; NaN where the host is no pod of the set. */
function ordinalOf(host: string, set: string): number {
  const pod = host.split('.')[0] ?? '';
  const ordinal = pod.startsWith(`${set}-`) ? pod.slice(set.length + 1) : '';
  return /^\d+$/.test(ordinal) ? Number(ordinal) : NaN;
}

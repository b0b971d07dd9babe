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
  const voters = votersText === undefined ? undefined : parseVoters(votersText);
  const isController = (l: Listener) => controllerNames.includes(l.name);
  const others = listeners.filter((l) => !isController(l));
  const interBrokerName = text('inter.broker.listener.name');
  const named = others.find((l) => l.name === interBrokerName);
  return {
    listeners,
    protocolOf: (l) => map.get(l.name) ?? l.name,
    controllerListener: listeners.find(isController),
    interBroker: named,
    clients: others.length > 1 ? others.filter((l) => l !== named) : others,
    voters,
    votersText,
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

/**
 * Node id minus ordinal as the voters have it: `1@kafka-0…,2@kafka-1…` is 1. undefined where the hosts are not this set's pods
 * in order; 0 where there are no voters, or a single one on localhost with the id 0.
 */
export function idOffsetOf(shape: Shape, set: StatefulSet): number | undefined {
  if (shape.votersText === undefined) return 0;
  const [first] = shape.voters ?? [];
  if (shape.voters === undefined || first === undefined) return undefined;
  if (shape.voters.length === 1 && isLocal(first.host)) return first.id - (set.spec?.ordinals?.start ?? 0);
  const offsets = shape.voters.map(({ id, host }) => id - ordinalOf(host, set.metadata?.name ?? ''));
  const [offset] = offsets;
  return Number.isInteger(offset) && offsets.every((o) => o === offset) ? offset : undefined;
}

const isLocal = (host: string) => /^(localhost|127\.0\.0\.1|\[?::1\]?|0\.0\.0\.0)$/.test(host);

/** The ordinal in a host such as `kafka-0.kafka.ns.svc`; NaN where the host is no pod of the set. */
function ordinalOf(host: string, set: string): number {
  const pod = host.split('.')[0] ?? '';
  return pod.startsWith(`${set}-`) ? Number(pod.slice(set.length + 1)) : NaN;
}

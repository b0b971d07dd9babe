import { createHash } from 'node:crypto';
import { keys } from '../names.ts';
import { literal, type Configuration } from './configuration.ts';
import { exposureOf, type Exposure } from './exposure.ts';
import type { Container, Layout, Role, StatefulSet } from './model.ts';
import { withoutSlash } from './mounts.ts';
import { planQuorum, type Quorum } from './quorum.ts';
import { clientPortOf, controllerPortOf, type Shape } from './shape.ts';
import { isObject } from './tree.ts';

/** 16 bytes of SHA-256(namespace/name) in base64url, hashed again while it begins with `-`, which Kafka's tools take for a flag. */
export function clusterIdFor(namespace: string, cluster: string): string {
  let hash = createHash('sha256').update(`${namespace}/${cluster}`).digest();
  for (;;) {
    const id = hash.subarray(0, 16).toString('base64url');
    if (!id.startsWith('-')) return id;
    hash = createHash('sha256').update(hash).digest();
  }
}

/** The layout that stands in a hardened set's annotation; undefined where there is none that can be read. */
export function layoutOf(set: StatefulSet | undefined): Layout | undefined {
  const text = set?.metadata?.annotations?.[keys.layout];
  if (text === undefined) return undefined;
  try {
    const layout = JSON.parse(text) as Layout | null;
    return layout?.schema === 1 && isComplete(layout) ? layout : undefined;
  } catch {
    return undefined;
  }
}

const numbers = [
  'clientPort',
  'internalPort',
  'controllerPort',
  'voters',
  'replicationFactor',
  'minInsyncReplicas',
  'idOffset',
] as const;

const isPort = (port: number) => port > 0 && port < 65_536;

const isVoteless = ({ role, voters }: Layout) => voters === 0 && (role === 'broker' || role === 'zookeeper');

const roles: readonly unknown[] = [
  'combined',
  'broker',
  'controller',
  'zookeeper',
  'unseen',
] satisfies Role[];

const isListOf = (list: unknown, fits: (element: unknown) => boolean): boolean =>
  list === undefined || (Array.isArray(list) && list.every(fits));

const isExternal = (element: unknown): boolean =>
  isObject(element) &&
  typeof element['name'] === 'string' &&
  typeof element['from'] === 'string' &&
  Number.isInteger(element['port']);

/** What only some layouts have is sound where it is there. */
const isSound = ({ role, voterIds, external, hosts, claim }: Layout): boolean =>
  (role === undefined || roles.includes(role)) &&
  isListOf(voterIds, (id) => Number.isInteger(id)) &&
  isListOf(external, isExternal) &&
  isListOf(hosts, (host) => typeof host === 'string') &&
  (claim === undefined || typeof claim === 'string');

const isComplete = (layout: Layout) =>
  isSound(layout) &&
  numbers.every((n) => Number.isInteger(layout[n])) &&
  [layout.clientPort, layout.internalPort, layout.controllerPort].every(isPort) &&
  (layout.voters > 0 || isVoteless(layout)) &&
  layout.minInsyncReplicas > 0 &&
  layout.replicationFactor >= layout.minInsyncReplicas &&
  typeof layout.cluster === 'string' &&
  typeof layout.clusterId === 'string' &&
  typeof layout.service === 'string' &&
  (layout.storage === 'claim' || layout.storage === 'ephemeral');

/** The claim template that a container's data lies on, and where it is mounted. */
export interface DataVolume {
  claim: string;
  mountPath: string;
}

/** How likely a mount holds Kafka's data and not, say, its application logs. */
function likelihood(path: string): number {
  if (/^\/var\/log\b|\/(app-?)?logs?$/i.test(path) && !/kafka-logs$|data/i.test(path)) return 0;
  if (/data|lib\/kafka|bitnami\/kafka|kafka-logs/i.test(path)) return 2;
  return /kafka|log/i.test(path) ? 1 : 0;
}

/** As the first two generations weighed it. */
const likelihoodBefore = (path: string) => Number(/kafka|data|log/i.test(path));

/** Claim templates that the broker mounts; the likeliest data volume first. */
export function dataVolumes(set: StatefulSet, container: Container, generation: number): DataVolume[] {
  const weigh = generation < 3 ? likelihoodBefore : likelihood;
  const claims = (set.spec?.volumeClaimTemplates ?? []).map((c) => c.metadata?.name ?? '');
  return (container.volumeMounts ?? [])
    .filter(
      (m) =>
        claims.includes(m.name) &&
        (generation >= 3 || (m.subPath === undefined && m.subPathExpr === undefined)) &&
        m.readOnly !== true,
    )
    .map((m) => ({ claim: m.name, mountPath: withoutSlash(m.mountPath) }))
    .sort((a, b) => weigh(b.mountPath) - weigh(a.mountPath));
}

/** The parts of a layout's input. */
export interface LayoutSource {
  set: StatefulSet;
  container: Container;
  configuration: Configuration;
  shape: Shape;
  role: Role;
  cluster: string;
  namespace: string;
  clusterId: string | undefined;
  generation: number;
  /** The Service in serviceName gives the pods names of their own, as far as is known. */
  hasNames?: boolean;
}

/** Decides, once, at creation, what never moves afterwards. */
export function planLayout(source: LayoutSource): Layout {
  const { set, container, configuration, shape, role, cluster, namespace, clusterId } = source;
  const { voters, idOffset, voterIds }: Quorum = planQuorum(source) ?? { voters: 1, idOffset: 0 };
  const replicationFactor = replicationOf(source, voterIds?.length);
  const { external, hosts, ...exposed } = exposedBy(source);
  const further = external.map((e) => e.port);
  const hasOwn = shape.controllerListener !== undefined || shape.voters !== undefined;
  const controllerPort = hasOwn
    ? controllerPortOf(shape)
    : firstFree(9093, [exposed.clientPort ?? 0, ...further, ...portsBeside(set, container)]);
  const clientPort =
    exposed.clientPort ?? firstFree(9092, [controllerPort, ...further, ...declaredPorts(set)]);
  const [volume] = dataVolumes(set, container, source.generation);
  // Nobody expects certificates on the port that Kafka's clients use by default.
  const usual = source.generation < 3 ? [] : [9092];
  const taken = [clientPort, controllerPort, jmxPort(configuration), ...further, ...usual];
  return {
    schema: 1,
    cluster,
    clusterId: clusterId ?? clusterIdFor(namespace, cluster),
    service: (source.hasNames !== false && set.spec?.serviceName) || `${set.metadata?.name ?? ''}-nodes`,
    clientPort,
    internalPort: firstFree(9091, [...taken, ...declaredPorts(set)]),
    controllerPort,
    voters,
    replicationFactor,
    minInsyncReplicas: Math.max(1, replicationFactor - 1),
    idOffset,
    ...(volume === undefined ? { storage: 'ephemeral' } : { storage: 'claim', claim: volume.claim }),
    ...membership({ role, voterIds, external, hosts }),
  };
}

/** What only some layouts have. */
const membership = ({
  role,
  voterIds,
  external,
  hosts,
}: { voterIds: number[] | undefined } & Required<
  Pick<Layout, 'role' | 'external' | 'hosts'>
>): Partial<Layout> => ({
  ...(role === 'combined' ? {} : { role }),
  ...(voterIds === undefined ? {} : { voterIds }),
  ...(external.length === 0 ? {} : { external }),
  ...(hosts.length === 0 ? {} : { hosts }),
});

/** Before the third generation one client listener was served, and the brokers' own port was always chosen. */
const exposedBy = (source: LayoutSource): Exposure =>
  source.generation < 3
    ? { clientPort: clientPortOf(source.shape, source.container), external: [], hosts: [] }
    : exposureOf(source);

/**
 * Three, or as many as there are brokers, as far as one set can tell: controllers in a set of their own know of none, a broker of
 * a ZooKeeper cluster only what its own settings presume. The start takes the whole cluster's number where the sidecar knows it.
 */
function replicationOf({ set, configuration, role }: LayoutSource, voters = 0): number {
  if (role === 'controller') return 3;
  const presumed = ['default.replication.factor', 'offsets.topic.replication.factor'].map((p) =>
    Number(literal(configuration.property(p)) ?? 0),
  );
  const replicas = set.spec?.replicas ?? 1;
  const brokers =
    role === 'combined'
      ? Math.max(replicas, voters)
      : Math.max(replicas, role === 'zookeeper' ? Math.max(...presumed) || 0 : 0);
  return replicas === 0 ? 3 : Math.min(3, brokers);
}

const jmxPort = (configuration: Configuration) =>
  Number(literal(configuration.variable('KAFKA_JMX_PORT')) ?? 0);

const portsOf = (containers: readonly Container[]) =>
  containers.flatMap((c) => (c.ports ?? []).map((p) => p.containerPort));

/** Sidecars may stand among the init containers too. */
const containersOf = (set: StatefulSet) => [
  ...(set.spec?.template.spec?.containers ?? []),
  ...(set.spec?.template.spec?.initContainers ?? []),
];
const declaredPorts = (set: StatefulSet) => portsOf(containersOf(set));
const portsBeside = (set: StatefulSet, broker: Container) =>
  portsOf(containersOf(set).filter((c) => c !== broker));

function firstFree(from: number, taken: number[]): number {
  let port = from;
  while (taken.includes(port)) port++;
  return port;
}

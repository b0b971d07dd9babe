import { createHash } from 'node:crypto';
import { keys } from '../names.ts';
import { literal, type Configuration } from './configuration.ts';
import type { Container, Layout, StatefulSet } from './model.ts';
import { clientPortOf, controllerPortOf, idOffsetOf, votersIn, type Shape } from './shape.ts';

/** 16 bytes of SHA-256(namespace/name) in base64url, hashed again while it begins with `-`, which Kafka's tools take for a flag. */
export function clusterIdFor(namespace: string, cluster: string): string {
  let hash = createHash('sha256').update(`${namespace}/${cluster}`).digest();
  for (;;) {
    const id = hash.subarray(0, 16).toString('base64url');
    if (!id.startsWith('-')) return id;
    hash = createHash('sha256').update(hash).digest();
  }
}

/** The cluster a set belongs to: its label or annotation, else its own name. */
export const clusterOf = (set: StatefulSet): string =>
  set.metadata?.labels?.[keys.cluster] ??
  set.metadata?.annotations?.[keys.cluster] ??
  set.metadata?.name ??
  '';

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

const isComplete = (layout: Layout) =>
  numbers.every((n) => Number.isInteger(layout[n])) &&
  [layout.clientPort, layout.internalPort, layout.controllerPort].every(isPort) &&
  layout.voters > 0 &&
  layout.minInsyncReplicas > 0 &&
  layout.replicationFactor >= layout.minInsyncReplicas &&
  typeof layout.cluster === 'string' &&
  typeof layout.clusterId === 'string' &&
  typeof layout.service === 'string' &&
  (layout.storage === 'claim' || layout.storage === 'ephemeral');

/** Replicas rounded down to odd, at most 5; a set created at 0 is planned for 3. */
export function votersFor(replicas: number): number {
  if (replicas === 0) return 3;
  return Math.min(5, replicas % 2 === 0 ? replicas - 1 : replicas);
}

/** The claim template that a container's data lies on, and where it is mounted. */
export interface DataVolume {
  claim: string;
  mountPath: string;
}

const dataPath = /kafka|data|log/i;

/** Claim templates that the broker mounts; the likeliest data volume first. */
export function dataVolumes(set: StatefulSet, container: Container): DataVolume[] {
  const claims = (set.spec?.volumeClaimTemplates ?? []).map((c) => c.metadata?.name ?? '');
  return (container.volumeMounts ?? [])
    .filter(
      (m) =>
        claims.includes(m.name) &&
        m.subPath === undefined &&
        m.subPathExpr === undefined &&
        m.readOnly !== true,
    )
    .map((m) => ({ claim: m.name, mountPath: m.mountPath.replace(/\/+$/, '') }))
    .sort((a, b) => Number(dataPath.test(b.mountPath)) - Number(dataPath.test(a.mountPath)));
}

/** The parts of a layout's input. */
export interface LayoutSource {
  set: StatefulSet;
  container: Container;
  configuration: Configuration;
  shape: Shape;
  namespace: string;
  clusterId: string | undefined;
}

/** Decides, once, at creation, what never moves afterwards. */
export function planLayout(source: LayoutSource): Layout {
  const { set, container, configuration, shape, namespace, clusterId } = source;
  const cluster = clusterOf(set);
  const replicas = set.spec?.replicas ?? 1;
  const replicationFactor = replicas === 0 ? 3 : Math.min(3, replicas);
  const clientPort = clientPortOf(shape, container);
  const controllerPort =
    shape.controllerListener || shape.voters
      ? controllerPortOf(shape)
      : firstFree(9093, [clientPort, ...portsBeside(set, container)]);
  const [volume] = dataVolumes(set, container);
  return {
    schema: 1,
    cluster,
    clusterId: clusterId ?? clusterIdFor(namespace, cluster),
    service: set.spec?.serviceName || `${set.metadata?.name ?? ''}-nodes`,
    clientPort,
    internalPort: firstFree(9091, [
      clientPort,
      controllerPort,
      jmxPort(configuration),
      ...declaredPorts(set),
    ]),
    controllerPort,
    voters: votersIn(shape)?.length ?? votersFor(replicas),
    replicationFactor,
    minInsyncReplicas: Math.max(1, replicationFactor - 1),
    idOffset: idOffsetOf(shape, set) ?? 0,
    ...(volume === undefined ? { storage: 'ephemeral' } : { storage: 'claim', claim: volume.claim }),
  };
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

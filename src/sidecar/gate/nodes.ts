import type { PodFacts } from '../../gate/evidence.ts';
import type { KnownNode } from '../../gate/roll-model.ts';
import { looksNamesUp } from '../../hardening/launcher/launcher.ts';
import { keys } from '../../names.ts';
import type { BrokerFacts } from '../../kafka/index.ts';
import {
  type ClusterSet,
  nodeIdOf,
  ordinalOf,
  podNames,
  podOfBroker,
  roleOf,
  servingSets,
} from '../cluster-set.ts';
import { type Pod, isReady } from '../objects.ts';
import { votes } from '../topology.ts';

/** A broker's or controller's pod, as Kubernetes tells of it. */
export interface NodePod extends PodFacts {
  /** Empty where the pod's StatefulSet is not one of the cluster's. */
  readonly set: string;
  readonly ordinal: number;
  readonly revision: string;
  readonly createdAtMs: number;
  /** It has been ready, as its conditions tell: one that lost it has lost it later than it was initialised. */
  readonly wasReady: boolean;
  readonly namedAtMs?: number;
  /** Its JVM looks names up again after five seconds. */
  readonly looksUp: boolean;
  readonly runs: boolean;
  readonly failing?: string;
  readonly keptFrom?: string;
}

interface Seen {
  readonly sets: readonly ClusterSet[];
  readonly pods: readonly Pod[];
}

/** Node ids by pod, as the running cluster tells them: the layout's are not the ones of every cluster. */
export type NodeIds = ReadonlyMap<string, number>;

/** Node ids by pod, as the brokers that Kafka lists are called. */
export function nodeIdsOf(sets: readonly ClusterSet[], brokers: readonly BrokerFacts[]): Map<string, number> {
  const ids = new Map<string, number>();
  for (const broker of brokers) {
    const pod = podOfBroker(broker);
    if (setFor(sets, pod) !== undefined) ids.set(pod, broker.id);
  }
  return ids;
}

/** Ids of the brokers that should serve: Kafka's where it tells them, else the layouts'. */
export const servingIds = (sets: readonly ClusterSet[], ids: NodeIds): number[] =>
  servingSets(sets).flatMap((set) =>
    podNames(set).map((pod) => ids.get(pod) ?? nodeIdOf(set, ordinalOf(set, pod) ?? 0)),
  );

/** All pods that the gate is for; `ids` where Kafka has told them. */
export function nodePods({ sets, pods }: Seen, cluster: string, ids: NodeIds): NodePod[] {
  return pods
    .filter(({ metadata }) => metadata.labels?.[keys.node] === cluster)
    .map((pod) => nodePod(pod, setFor(sets, pod.metadata.name), ids));
}

const setFor = (sets: readonly ClusterSet[], pod: string): ClusterSet | undefined =>
  sets.find((set) => ordinalOf(set, pod) !== undefined);

function nodePod(pod: Pod, set: ClusterSet | undefined, ids: NodeIds): NodePod {
  const { name, uid, labels, annotations, deletionTimestamp, creationTimestamp } = pod.metadata;
  const keptFrom = annotations?.[keys.keptFrom];
  const ordinal = (set && ordinalOf(set, name)) ?? -1;
  const nodeId = ids.get(name) ?? (set === undefined ? undefined : nodeIdOf(set, ordinal));
  return {
    name,
    uid,
    member: true,
    ...(nodeId === undefined ? {} : { nodeId }),
    ...partsOf(set, name),
    phase: phaseOf(pod),
    terminating: deletionTimestamp !== undefined,
    ready: isReady(pod),
    override: false,
    set: set?.name ?? '',
    ordinal,
    revision: labels?.['controller-revision-hash'] ?? '',
    createdAtMs: creationTimestamp === undefined ? 0 : Date.parse(String(creationTimestamp)),
    wasReady: wasReady(pod),
    ...named(pod),
    looksUp: (pod.spec?.volumes ?? []).some(({ configMap }) => looksNamesUp(configMap?.name ?? '')),
    ...(keptFrom === undefined ? {} : { keptFrom }),
    ...containerFacts(pod),
  };
}

const partsOf = (set: ClusterSet | undefined, pod: string) => ({
  broker: set === undefined || roleOf(set) !== 'controller',
  controller: set !== undefined && (roleOf(set) === 'controller' || votes(set, pod)),
});

/** What a pod waits for before its first start is no failure. */
const beforeStart = new Set(['ContainerCreating', 'PodInitializing']);

function containerFacts(pod: Pod): Pick<NodePod, 'everStarted' | 'runs' | 'failing'> {
  const { state = {}, restartCount = 0 } = kafkaContainer(pod) ?? {};
  const reason = state.waiting?.reason;
  return {
    everStarted: state.running !== undefined || state.terminated !== undefined || restartCount > 0,
    runs: state.running !== undefined,
    ...(reason === undefined || beforeStart.has(reason) ? {} : { failing: reason }),
  };
}

const phases = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;
const phaseOf = ({ status }: Pod): PodFacts['phase'] =>
  phases.find((phase) => phase === status?.phase) ?? 'Unknown';

/** The status of the container that hardening has configured; of the first where none can be told. */
function kafkaContainer({ spec, status }: Pod) {
  const containers = spec?.containers ?? [];
  const hardened = containers.find(({ env = [] }) => env.some(({ name }) => name.startsWith('WARDEN_')));
  const wanted = (hardened ?? containers[0])?.name;
  const statuses = status?.containerStatuses ?? [];
  return wanted === undefined ? statuses[0] : statuses.find(({ name }) => name === wanted);
}

/** A headless Service has its address as soon as its network stands, ready or not; older clusters tell only its start. */
function named({ status }: Pod): Pick<NodePod, 'namedAtMs'> {
  const network = status?.conditions?.find(
    (one) => one.type === 'PodReadyToStartContainers' && one.status === 'True',
  );
  const at = network?.lastTransitionTime ?? status?.startTime;
  return at === undefined ? {} : { namedAtMs: Date.parse(String(at)) };
}

/**
 * Ready becomes False when the pod is made, before it is initialised; a later time of that condition says that it was True
 * in between.
 */
function wasReady(pod: Pod): boolean {
  const conditions = pod.status?.conditions ?? [];
  const at = (type: string) => String(conditions.find((one) => one.type === type)?.lastTransitionTime ?? '');
  const ready = conditions.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return true;
  return at('Initialized') !== '' && at('Ready') > at('Initialized');
}

/** Names of pods that the sets ask for and that are not there. */
export function missingPods({ sets, pods }: Seen): string[] {
  const there = new Set(pods.map(({ metadata }) => metadata.name));
  return sets.flatMap((set) => podNames(set)).filter((name) => !there.has(name));
}

/** The nodes of the sets that Kafka has ever been seen to know. */
export function knownNodes(
  sets: readonly ClusterSet[],
  ids: NodeIds,
  seen: ReadonlySet<number>,
): Map<string, KnownNode> {
  const known = new Map<string, KnownNode>();
  for (const set of sets)
    for (const name of podNames(set)) {
      const ordinal = ordinalOf(set, name) ?? 0;
      const nodeId = ids.get(name) ?? nodeIdOf(set, ordinal);
      if (seen.has(nodeId)) known.set(name, { nodeId, set: set.name, ordinal });
    }
  return known;
}

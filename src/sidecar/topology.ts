import { keys } from '../names.ts';
import {
  type ClusterSet,
  addressOf,
  nodeIdOf,
  ordinalOf,
  podName,
  podNames,
  roleOf,
  servingSets,
} from './cluster-set.ts';
import type { Finding } from './conditions.ts';

/** A voter of the quorum, and the set that provides it. */
export interface Voter {
  readonly id: number;
  /** `HOST:PORT` of its controller listener. */
  readonly address: string;
  readonly set: ClusterSet;
}

/** The quorum that the sets which stand make up, by node id. */
export interface QuorumPlan {
  readonly voters: readonly Voter[];
  /** Ids that a set names as voters, and that no set provides. */
  readonly missing: readonly number[];
}

/** The pods of the lowest ordinals vote, as many as the layout says; brokers alone and ZooKeeper mode have none. */
function ownVoters(set: ClusterSet, namespace: string): Voter[] {
  if (roleOf(set) === 'broker' || roleOf(set) === 'zookeeper') return [];
  return Array.from({ length: set.layout.voters }, (_, index) => {
    const ordinal = set.firstOrdinal + index;
    const host = addressOf(set, podName(set, ordinal), namespace);
    return { id: nodeIdOf(set, ordinal), address: `${host}:${set.layout.controllerPort}`, set };
  });
}

export function quorumPlan(sets: readonly ClusterSet[], namespace: string): QuorumPlan {
  const voters = sets.flatMap((set) => ownVoters(set, namespace)).sort((a, b) => a.id - b.id);
  const provided = new Set(voters.map(({ id }) => id));
  const named = new Set(sets.flatMap(({ layout }) => layout.voterIds ?? []));
  return { voters, missing: [...named].filter((id) => !provided.has(id)).sort((a, b) => a - b) };
}

/** Whether a pod's node is one of the quorum's voters, as the layouts say. */
export function votes(set: ClusterSet, pod: string): boolean {
  const ordinal = ordinalOf(set, pod);
  return ordinal !== undefined && ownVoters(set, '').some(({ id }) => id === nodeIdOf(set, ordinal));
}

/** Replication of new topics. */
export interface Replication {
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
}

/** What the brokers of all sets allow; one set alone keeps what it was laid out for. Undefined without brokers. */
export function replicationOf(sets: readonly ClusterSet[]): Replication | undefined {
  const serving = servingSets(sets);
  const [first] = serving;
  if (first === undefined) return undefined;
  if (serving.length === 1) {
    const { replicationFactor, minInsyncReplicas } = first.layout;
    return { replicationFactor, minInsyncReplicas };
  }
  const brokers = serving.reduce((sum, set) => sum + (set.replicas || set.layout.replicationFactor), 0);
  const replicationFactor = Math.min(3, brokers);
  return { replicationFactor, minInsyncReplicas: Math.max(1, replicationFactor - 1) };
}

/** Node ids that more than one pod would have, with the pods. */
export function collidingIds(sets: readonly ClusterSet[]): { id: number; pods: string[] }[] {
  const nodes = sets.flatMap((set) =>
    podNames(set).map((pod) => ({ id: nodeIdOf(set, ordinalOf(set, pod) ?? 0), pod })),
  );
  return [...Map.groupBy(nodes, ({ id }) => id)]
    .filter(([, group]) => group.length > 1)
    .map(([id, group]) => ({ id, pods: group.map(({ pod }) => pod) }))
    .sort((a, b) => a.id - b.id);
}

/** Sets of which a pod has the node id of a pod of an older set: they are not to start while that is so. */
export function intruders(sets: readonly ClusterSet[]): Set<string> {
  const age = ({ name, object }: ClusterSet) => `${String(object.metadata.creationTimestamp ?? '')} ${name}`;
  const byAge = sets.toSorted((a, b) => (age(a) < age(b) ? -1 : 1));
  const taken = new Set<number>();
  const found = new Set<string>();
  for (const set of byAge) {
    const ids = podNames(set).map((pod) => nodeIdOf(set, ordinalOf(set, pod) ?? 0));
    if (ids.some((id) => taken.has(id))) found.add(set.name);
    else ids.forEach((id) => taken.add(id));
  }
  return found;
}

/** Sets that say, each for itself, that they are the quorum. */
export const rivalQuorums = (sets: readonly ClusterSet[]): string[] => {
  const own = sets.filter((set) => set.layout.voterIds === undefined && ownVoters(set, '').length > 0);
  return own.length > 1 ? own.map(({ name }) => name) : [];
};

/** Whether the sets fit together. What does not is said with the remedy; nothing is changed about it. */
export function agreementFinding(sets: readonly ClusterSet[], cluster: string, namespace: string): Finding {
  const type = 'SetsAgree';
  const no = (reason: string, message: string): Finding => ({ type, status: 'False', reason, message });
  const colliding = collidingIds(sets);
  if (colliding.length > 0) {
    const told = colliding.slice(0, 10).map(({ id, pods }) => `${id} (${pods.join(', ')})`);
    return no(
      'NodeIdsCollide',
      `Several pods of cluster ${cluster} have the same node id: ${told.join('; ')}. A StatefulSet that is new gets no certificates while this is so. Delete it and create it again with the annotation ${keys.idOffset}, a number from which its ids are free.`,
    );
  }
  const rivals = rivalQuorums(sets.filter((set) => roleOf(set) !== 'unseen'));
  if (rivals.length > 0) {
    return no(
      'SeveralQuorums',
      `StatefulSets ${rivals.join(', ')} are each a quorum of their own, but belong to one cluster. Make all but one of them brokers (process.roles=broker), or give each a ${keys.cluster} of its own.`,
    );
  }
  const { voters, missing } = quorumPlan(sets, namespace);
  if (missing.length > 0 || (voters.length === 0 && sets.some((set) => roleOf(set) === 'broker'))) {
    const which = missing.length > 0 ? `with node ids ${missing.join(', ')} ` : '';
    return no(
      'VotersMissing',
      `The controllers ${which}of cluster ${cluster} are in no StatefulSet of this namespace; its brokers wait for them. Apply the StatefulSet of the controllers, labelled ${keys.cluster}=${cluster} if it names another cluster.`,
    );
  }
  return { type, status: 'True', reason: 'Consistent', message: 'The StatefulSets make up one cluster.' };
}

import { layoutOf } from '../hardening/index.ts';
import type { Layout, StatefulSet } from '../hardening/model.ts';
import { keys, maxPods } from '../names.ts';

export interface Scaling {
  /** The set with its annotations as they will be. */
  set: StatefulSet;
  from: number;
  to: number;
  /** The hardened sets of the namespace. */
  sets: readonly StatefulSet[];
  /** The largest replication factor in each cluster of the namespace, as its sidecar last told. */
  largest?: (cluster: string) => LargestReplication | undefined;
}

/** As it stands in the status of a KafkaCluster. */
export interface LargestReplication {
  replicas: number;
  /** Some of the topics that have it. */
  topics: readonly string[];
}

const brokersOf = (set: StatefulSet): number =>
  layoutOf(set)?.role === 'controller' ? 0 : (set.spec?.replicas ?? 1);

/** Brokers of the whole cluster once this set has `to` pods. */
function brokersLeft({ set, to, sets }: Scaling, cluster: string): number {
  const others = sets.filter(
    (other) => layoutOf(other)?.cluster === cluster && other.metadata?.name !== set.metadata?.name,
  );
  return others.reduce((sum, other) => sum + brokersOf(other), to);
}

/**
 * Why a hardened set may not have so many pods, with what to do instead; undefined where nothing is against it. Going up is
 * fine up to what one Secret holds, and never for controllers: a static quorum takes no further voters. Going down breaks what
 * cannot be seen in the same moment by anybody who only writes a number: a quorum whose voters stand in every configuration,
 * and replicas that need so many brokers. (Dynamic quorums, KIP-853, are not hardened, and not judged.)
 */
export function illegalScale(scaling: Scaling): string | undefined {
  const { set, from, to } = scaling;
  const layout = layoutOf(set);
  if (!layout || from === to) return undefined;
  return to > from ? tooMany(to, layout) : tooFew(scaling, layout);
}

function tooMany(to: number, { cluster, role, voters }: Layout): string | undefined {
  if (role === 'controller' && to > voters)
    return `its ${voters} controllers are the voters of a quorum that is written into every node's configuration, and a controller beyond them does not start. Keep ${voters}; brokers are added to the StatefulSet of brokers`;
  return to > maxPods
    ? `the keystores of more than ${maxPods} pods do not fit into the set's Secret. Put further brokers into a StatefulSet of their own with the label ${keys.cluster}: ${cluster}`
    : undefined;
}

function tooFew(scaling: Scaling, layout: Layout): string | undefined {
  const { set, to } = scaling;
  const { role = 'combined', voters } = layout;
  const confirmed = set.metadata?.annotations?.[keys.confirmScale] === String(to);
  const confirm = `annotate the StatefulSet ${keys.confirmScale}=${to}`;
  if (to === 0)
    return confirmed ? undefined : `that stops every pod of the set. Where that is meant, ${confirm} first`;
  if (role !== 'unseen' && to < voters)
    return `its first ${voters} pods are voters of a quorum that is written into every node's configuration: a voter that is gone for good leaves no room for another to fail. Keep at least ${voters} replicas`;
  return role === 'controller' ? undefined : tooFewBrokers(scaling, layout, confirmed ? undefined : confirm);
}

/** By what is: topics that there are. Then by what may come: topics of the replication that new ones get. */
function tooFewBrokers(
  scaling: Scaling,
  { cluster, replicationFactor }: Layout,
  confirm: string | undefined,
): string | undefined {
  const left = brokersLeft(scaling, cluster);
  const brokers = `${left} broker${left === 1 ? '' : 's'}`;
  const largest = scaling.largest?.(cluster);
  if (largest !== undefined && left < largest.replicas)
    return `${brokers} would be left, and ${largest.topics.join(', ')} ${largest.topics.length === 1 ? 'has' : 'have'} ${largest.replicas} replicas, of which some could move nowhere. Keep ${largest.replicas}, or lower the replication of such topics first (kafka-reassign-partitions)`;
  if (left >= replicationFactor || confirm === undefined) return undefined;
  const why =
    largest === undefined
      ? 'replicas of the others could move nowhere'
      : 'topics with that many replicas could not be created any more';
  return `${brokers} would be left for topics of replication factor ${replicationFactor}: ${why}. Keep ${replicationFactor}; where every topic has fewer replicas, ${confirm} first`;
}

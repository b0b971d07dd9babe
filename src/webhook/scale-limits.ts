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
 * Why a hardened set may not have so many pods, with what to do instead; undefined where nothing that the objects show is
 * against it. Going up is fine up to what one Secret holds. Going down breaks what cannot be seen in the same moment by anybody
 * who only writes a number: a quorum whose voters stand in every configuration, and replicas that need so many brokers.
 */
export function illegalScale(scaling: Scaling): string | undefined {
  const { set, from, to } = scaling;
  const layout = layoutOf(set);
  if (!layout || from === to) return undefined;
  return to > from ? tooMany(to, layout) : tooFew(scaling, layout);
}

const tooMany = (to: number, { cluster }: Layout): string | undefined =>
  to > maxPods
    ? `the keystores of more than ${maxPods} pods do not fit into the set's Secret. Put further brokers into a StatefulSet of their own with the label ${keys.cluster}: ${cluster}`
    : undefined;

function tooFew(scaling: Scaling, { role = 'combined', voters, replicationFactor, cluster }: Layout) {
  const { set, to } = scaling;
  const confirmed = set.metadata?.annotations?.[keys.confirmScale] === String(to);
  const confirm = `annotate the StatefulSet ${keys.confirmScale}=${to}`;
  if (to === 0)
    return confirmed ? undefined : `that stops every pod of the set. Where that is meant, ${confirm} first`;
  if (role !== 'unseen' && to < voters)
    return `its first ${voters} pods are voters of a quorum that is written into every node's configuration: a voter that is gone for good leaves no room for another to fail. Keep at least ${voters} replicas`;
  const left = brokersLeft(scaling, cluster);
  if (role === 'controller' || left >= replicationFactor || confirmed) return undefined;
  return `${left} broker${left === 1 ? '' : 's'} would be left for topics of replication factor ${replicationFactor}: replicas of the others could move nowhere. Keep ${replicationFactor}; where every topic has fewer replicas, ${confirm} first`;
}

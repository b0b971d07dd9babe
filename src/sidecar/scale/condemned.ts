import { isExpected } from '../../gate/index.ts';
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
import type { Claim, Pod } from '../objects.ts';
import { votes } from '../topology.ts';
import type { Condemned } from './model.ts';

/** What both systems know of the cluster's nodes. */
export interface NodesSeen {
  readonly sets: readonly ClusterSet[];
  readonly pods: readonly Pod[];
  readonly claims: readonly Claim[];
  /** Brokers that Kafka lists. */
  readonly listed: readonly BrokerFacts[];
  /** Brokers that partitions name as replicas. */
  readonly named: ReadonlySet<number>;
  /** Voters as the quorum itself tells them. */
  readonly voters: readonly number[];
}

const ownedBy = (set: ClusterSet, { metadata }: Pod): boolean =>
  (metadata.ownerReferences ?? []).some(({ uid }) => uid === set.object.metadata.uid);

/** The broker of a pod: as it is listed, else as the layout has it. */
const brokerOf = (listed: readonly BrokerFacts[], set: ClusterSet, pod: string): number =>
  listed.find((one) => podOfBroker(one) === pod)?.id ?? nodeIdOf(set, ordinalOf(set, pod) ?? 0);

/** Brokers of all pods that the sets ask for. */
export const wantedBrokers = ({ sets, listed }: Pick<NodesSeen, 'sets' | 'listed'>): number[] =>
  servingSets(sets).flatMap((set) => podNames(set).map((pod) => brokerOf(listed, set, pod)));

/** The pods that the sets ask for, of which a broker is registered and not fenced. */
export function joinedOf({ sets, pods, listed }: Pick<NodesSeen, 'sets' | 'pods' | 'listed'>) {
  const there = new Set(pods.map(({ metadata }) => metadata.name));
  return servingSets(sets).flatMap((set) =>
    podNames(set).flatMap((pod) => {
      const broker = listed.find((one) => podOfBroker(one) === pod && one.fenced !== true);
      return broker === undefined || !there.has(pod) ? [] : [{ set: set.name, pod, broker: broker.id }];
    }),
  );
}

/** Pods of a set that are there or have left a broker behind, by ordinals that the set does not ask for. */
function ordinalsOf(set: ClusterSet, seen: NodesSeen): Map<number, Pod | undefined> {
  const found = new Map<number, Pod | undefined>();
  const add = (name: string, pod?: Pod) => {
    const ordinal = ordinalOf(set, name);
    if (ordinal !== undefined && !isExpected(ordinal, set) && found.get(ordinal) === undefined)
      found.set(ordinal, pod);
  };
  for (const pod of seen.pods) if (ownedBy(set, pod)) add(pod.metadata.name, pod);
  for (const broker of seen.listed) add(podOfBroker(broker));
  // Before Kafka 4.0 a broker that is away is not listed: the volume that stays says whose it was.
  const prefix = `${set.layout.claim ?? ''}-`;
  for (const { metadata } of seen.claims) {
    if (!metadata.name.startsWith(prefix)) continue;
    const name = metadata.name.slice(prefix.length);
    const ordinal = ordinalOf(set, name);
    if (ordinal !== undefined && seen.named.has(nodeIdOf(set, ordinal))) add(name);
  }
  return found;
}

/**
 * What the sets no longer ask for. A pod whose node id is another's, by what Kafka lists or what the sets ask for, has no
 * broker of its own: nothing is moved or forgotten on its account.
 */
export function condemnedOf(seen: NodesSeen): Condemned[] {
  const wanted = new Set(wantedBrokers(seen));
  return seen.sets.flatMap((set) =>
    [...ordinalsOf(set, seen)].flatMap(([ordinal, pod]): Condemned[] => {
      const name = `${set.name}-${ordinal}`;
      const id = brokerOf(seen.listed, set, name);
      const listed = seen.listed.find((one) => one.id === id);
      const isOwn = listed === undefined ? seen.named.has(id) : podOfBroker(listed) === name;
      const known = roleOf(set) !== 'controller' && isOwn && !wanted.has(id);
      if (pod === undefined && !known) return [];
      return [
        {
          ...{ set: set.name, pod: name, ordinal },
          votes: votes(set, name) || seen.voters.includes(nodeIdOf(set, ordinal)),
          ...(pod === undefined ? {} : { uid: pod.metadata.uid }),
          ...(known ? { broker: id } : {}),
        },
      ];
    }),
  );
}

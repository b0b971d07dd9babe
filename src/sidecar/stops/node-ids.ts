import type { BrokerFacts } from '../../kafka/index.ts';
import { type ClusterSet, nodeIdOf, ordinalOf, podNames, servingSets } from '../cluster-set.ts';
import type { NodeIds } from '../gate/nodes.ts';

/** Node ids by pod, as the brokers that Kafka lists are called. */
export function nodeIdsOf(sets: readonly ClusterSet[], brokers: readonly BrokerFacts[]): NodeIds {
  const ids = new Map<string, number>();
  for (const { id, host } of brokers) {
    const pod = host.split('.', 1)[0] ?? '';
    if (sets.some((set) => ordinalOf(set, pod) !== undefined)) ids.set(pod, id);
  }
  return ids;
}

/** Ids of the brokers that should serve: Kafka's where it tells them, else the layouts'. */
export const servingIds = (sets: readonly ClusterSet[], ids: NodeIds): number[] =>
  servingSets(sets).flatMap((set) =>
    podNames(set).map((pod) => ids.get(pod) ?? nodeIdOf(set, ordinalOf(set, pod) ?? 0)),
  );

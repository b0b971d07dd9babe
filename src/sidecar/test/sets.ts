import type { Layout } from '../../hardening/index.ts';
import { keys } from '../../names.ts';
import type { ClusterSet } from '../cluster-set.ts';
import type { Pod } from '../objects.ts';

/** A hardened set of cluster `shop`, as the API server would have it, for tests of decisions. */
export function clusterSet(name: string, layout: Partial<Layout> = {}, replicas = 3): ClusterSet {
  const labels = {
    app: name,
    [keys.node]: 'shop',
    ...(layout.role === 'controller' ? {} : { [keys.broker]: 'shop' }),
  };
  return {
    name,
    object: {
      metadata: { name, uid: `uid-${name}`, creationTimestamp: '2026-06-01T00:00:00Z' },
      spec: {
        serviceName: name,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels } },
      },
    },
    layout: {
      ...{
        schema: 1,
        cluster: 'shop',
        clusterId: `id-${name}`,
        service: name,
        idOffset: 0,
        storage: 'claim',
      },
      ...{ clientPort: 9092, internalPort: 9091, controllerPort: 9093, claim: 'data' },
      ...{ voters: replicas, replicationFactor: 3, minInsyncReplicas: 2 },
      ...layout,
    },
    replicas,
    firstOrdinal: 0,
  };
}

/** Three controllers, with ids from 1000. */
export const controllers = clusterSet('ctl', { role: 'controller', idOffset: 1_000 });
/** Three brokers that know the ids of the controllers. */
export const brokers = clusterSet('kafka', { role: 'broker', voters: 0, voterIds: [1_000, 1_001, 1_002] });

/** One of three sets of one broker each, which is a voter too. */
export const member = (index: number): ClusterSet =>
  clusterSet(`kafka-${index}`, { voters: 1, idOffset: index, voterIds: [0, 1, 2] }, 1);

/** A pod as its set's template makes it, or with other labels. */
export const podOf = (set: ClusterSet, ordinal = 0, labels?: Record<string, string>): Pod => ({
  metadata: {
    name: `${set.name}-${ordinal}`,
    uid: `uid-${set.name}-${ordinal}`,
    labels: labels ?? set.object.spec?.template.metadata?.labels ?? {},
  },
});

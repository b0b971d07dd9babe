import { layoutOf } from '../hardening/index.ts';
import type { StatefulSet } from '../hardening/model.ts';
import type { KubeObject } from '../kubernetes/object.ts';
import { keys } from '../names.ts';
import type { ClusterPlace } from './sidecar-manifests.ts';

/** One cluster and its StatefulSets. */
export interface KafkaCluster extends ClusterPlace {
  sets: StatefulSet[];
}

export const clusterKey = (namespace: string, cluster: string): string => `${namespace}/${cluster}`;

/** Names of those namespaces that are not being deleted. */
export const openNamespaces = (namespaces: readonly KubeObject[]): ReadonlySet<string | undefined> =>
  new Set(
    namespaces.filter(({ metadata }) => !metadata?.deletionTimestamp).map(({ metadata }) => metadata?.name),
  );

/**
 * The Kafka clusters that are to have a sidecar: those with a hardened StatefulSet in an enrolled namespace that is not
 * being deleted. `namespaces` are the enrolled ones. Sets that are being deleted still own; they alone make no cluster.
 */
export function clustersOf(
  namespaces: readonly KubeObject[],
  sets: readonly StatefulSet[],
): Map<string, KafkaCluster> {
  const open = openNamespaces(namespaces);
  const clusters = new Map<string, KafkaCluster>();
  for (const set of sets) {
    const { namespace, name, uid } = set.metadata ?? {};
    const cluster = layoutOf(set)?.cluster;
    if (!namespace || !name || !uid || !cluster || !open.has(namespace)) continue;
    const key = clusterKey(namespace, cluster);
    const known = clusters.get(key) ?? { namespace, cluster, owners: [], sets: [] };
    clusters.set(key, { ...known, owners: [...known.owners, { name, uid }], sets: [...known.sets, set] });
  }
  for (const [key, { sets: members }] of clusters)
    if (members.every(({ metadata }) => metadata?.deletionTimestamp)) clusters.delete(key);
  return clusters;
}

/** The cluster that an object of a sidecar was made for; undefined for one that was not. */
export const madeFor = ({ metadata }: KubeObject): string | undefined => {
  const cluster = metadata?.labels?.[keys.cluster];
  return cluster && metadata.namespace ? clusterKey(metadata.namespace, cluster) : undefined;
};

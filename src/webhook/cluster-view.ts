import { layoutOf } from '../hardening/index.ts';
import type { StatefulSet } from '../hardening/model.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { KubeObject } from '../kubernetes/object.ts';
import type { LargestReplication } from './scale-limits.ts';
import { type SizedCluster, zoneLabel } from './trimmed.ts';

/** What a review may ask about the rest of the cluster. Answered at once from what was watched, never by a call. */
export interface ClusterView {
  /** The hardened StatefulSets of a namespace. */
  setsOf(namespace: string): StatefulSet[];
  /** A StatefulSet by its name, where it is hardened. */
  hardenedSet(namespace: string, name: string): StatefulSet | undefined;
  /** The largest replication factor in a cluster, as its sidecar told; undefined where it has told nothing. */
  largestReplication(namespace: string, cluster: string): LargestReplication | undefined;
  /** The zone of a node; undefined where it has none, or the node is not known here. */
  zoneOf(node: string): string | undefined;
}

/** StatefulSets name their pods SET-ORDINAL. */
export const setNameOf = (pod: string): string | undefined => /^(.+)-\d+$/.exec(pod)?.[1];

/** The view that these informers give. */
export function clusterView(informers: {
  statefulsets: Pick<Informer<StatefulSet>, 'get' | 'list'>;
  nodes: Pick<Informer<KubeObject>, 'get'>;
  clusters: Pick<Informer<SizedCluster>, 'get'>;
}): ClusterView {
  const { statefulsets, nodes, clusters } = informers;
  return {
    setsOf: (namespace) =>
      statefulsets.list().filter((set) => set.metadata?.namespace === namespace && layoutOf(set)),
    hardenedSet: (namespace, name) => {
      const set = statefulsets.get(namespace, name);
      return layoutOf(set) && set;
    },
    largestReplication: (namespace, cluster) => clusters.get(namespace, cluster)?.status?.largestReplication,
    zoneOf: (node) => nodes.get(undefined, node)?.metadata?.labels?.[zoneLabel] || undefined,
  };
}

import { type Layout, type Role, layoutOf } from '../hardening/index.ts';
import type { MetadataMode } from '../kafka/index.ts';
import type { OwnerReference } from '../kubernetes/object.ts';
import { keys, maxPods } from '../names.ts';
import type { StatefulSet } from './objects.ts';

/** One hardened StatefulSet of the cluster. */
export interface ClusterSet {
  readonly name: string;
  readonly object: StatefulSet;
  readonly layout: Layout;
  readonly replicas: number;
  readonly firstOrdinal: number;
}

/** The hardened StatefulSets of a cluster that are not being deleted, by name. */
export function setsOf(cluster: string, objects: readonly StatefulSet[]): ClusterSet[] {
  return objects
    .flatMap((object): ClusterSet[] => {
      const layout = layoutOf({ metadata: { annotations: object.metadata.annotations ?? {} } });
      if (layout?.cluster !== cluster || object.metadata.deletionTimestamp !== undefined) return [];
      const { replicas = 1, ordinals } = object.spec ?? {};
      return [{ name: object.metadata.name, object, layout, replicas, firstOrdinal: ordinals?.start ?? 0 }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export const roleOf = (set: ClusterSet): Role => set.layout.role ?? 'combined';

/** The same sets, those of an unseen role with the one that the running cluster shows. */
export const inMode = (sets: readonly ClusterSet[], mode: MetadataMode | undefined): ClusterSet[] =>
  sets.map((set) =>
    mode === undefined || roleOf(set) !== 'unseen'
      ? set
      : { ...set, layout: { ...set.layout, role: mode === 'zookeeper' ? 'zookeeper' : 'combined' } },
  );

/** The sets whose pods serve clients: all but those of controllers alone. */
export const servingSets = (sets: readonly ClusterSet[]): ClusterSet[] =>
  sets.filter((set) => roleOf(set) !== 'controller');

export const podName = (set: ClusterSet, ordinal: number): string => `${set.name}-${ordinal}`;

/**
 * Names of the set's pods, and of `ahead` more that a scale-out would add. Admission lets no set be larger than
 * `maxPods`; of one that was scaled beyond it all the same, the first.
 */
export const podNames = (set: ClusterSet, ahead = 0): string[] =>
  Array.from({ length: Math.min(set.replicas, maxPods) + ahead }, (_, index) =>
    podName(set, set.firstOrdinal + index),
  );

/** The ordinal of a pod's name, or undefined if it is not one of this set. */
export function ordinalOf(set: ClusterSet, pod: string): number | undefined {
  if (!pod.startsWith(`${set.name}-`)) return undefined;
  const rest = pod.slice(set.name.length + 1);
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined;
}

/** The pod of a broker, which advertises its name: the first label of the host. */
export const podOfBroker = ({ host }: { readonly host: string }): string => host.split('.', 1)[0] ?? '';

export const nodeIdOf = (set: ClusterSet, ordinal: number): number => ordinal + set.layout.idOffset;

/** What a Service or budget selects: all broker and controller pods of the cluster, and nothing else. */
export const nodeSelector = (cluster: string): Record<string, string> => ({ [keys.node]: cluster });

/** The labels that the set's pods carry. */
export const podLabels = (set: ClusterSet): Record<string, string> =>
  set.object.spec?.template.metadata?.labels ?? {};

/** Objects so owned go when the last of the cluster's StatefulSets goes. */
export const ownedBy = (sets: readonly ClusterSet[]): OwnerReference[] =>
  sets.map(({ name, object }) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name,
    uid: object.metadata.uid,
  }));

/** A pod's address inside the cluster, on one port. */
export const addressOf = (set: ClusterSet, pod: string, namespace: string): string =>
  `${pod}.${set.layout.service}.${namespace}.svc`;

/** Whether the set's image reads PEM files instead of PKCS#12 stores, as its template says. */
export const readsPem = (set: ClusterSet): boolean =>
  (set.object.spec?.template.spec?.containers ?? []).some(({ env = [] }) =>
    env.some(({ name, value }) => name === 'WARDEN_STORES' && value === 'pem'),
  );

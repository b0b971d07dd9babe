import type { Informer } from '../kubernetes/informer.ts';
import type { Node, Pod } from './trimmed.ts';

/** So many evictions of a pod within `withinMs`, none of which emptied a node, are a loop. */
export const loop = { evictions: 3, withinMs: 10 * 60_000 } as const;

const byEviction = ({ status, metadata }: Pod): boolean =>
  metadata?.deletionTimestamp !== undefined &&
  (status?.conditions ?? []).some(
    ({ type, status: value, reason }) =>
      type === 'DisruptionTarget' && value === 'True' && reason === 'EvictionByEvictionAPI',
  );

/** Whether somebody wants this node empty; one that is not known may be. */
export const isMeantToBeEmpty = (node: Node | undefined): boolean =>
  node === undefined || node.spec?.unschedulable === true || (node.spec?.taints ?? []).length > 0;

export interface EvictionLoops {
  /** How often a pod of this name was evicted lately from nodes that nobody wants empty. */
  recent(namespace: string, pod: string): number;
}

/**
 * Counts evictions that took place, by what the API server itself writes into the pod before it deletes it. So every replica
 * of the webhook comes to the same number, whoever was asked.
 */
export function evictionLoops(
  pods: Pick<Informer<Pod>, 'onChange'>,
  nodeOf: (name: string) => Node | undefined,
  nowMs: () => number = Date.now,
): EvictionLoops {
  const evicted = new Map<string, Map<string, number>>();
  const keyOf = (namespace: string, pod: string) => `${namespace}/${pod}`;

  function forget(): void {
    for (const [key, times] of evicted) {
      for (const [uid, atMs] of times) if (nowMs() - atMs > loop.withinMs) times.delete(uid);
      if (times.size === 0) evicted.delete(key);
    }
  }

  pods.onChange(({ type, object: pod }) => {
    if (type === 'deleted' || !byEviction(pod) || isMeantToBeEmpty(nodeOf(pod.spec?.nodeName ?? ''))) return;
    forget();
    const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
    const times = evicted.get(keyOf(namespace, name)) ?? new Map<string, number>();
    if (!times.has(uid)) times.set(uid, nowMs());
    evicted.set(keyOf(namespace, name), times);
  });
  return {
    recent: (namespace, pod) => {
      forget();
      return evicted.get(keyOf(namespace, pod))?.size ?? 0;
    },
  };
}

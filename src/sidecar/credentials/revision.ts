import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import { type ClusterSet, ordinalOf } from '../cluster-set.ts';
import type { Context } from '../context.ts';
import { type Secret, isReady } from '../objects.ts';

/**
 * Marks the set's pods that are not ready with the version of their keys Secret: the kubelet then syncs the pod, and
 * with it the mounted Secret, at once instead of within a minute.
 */
export async function announceKeys(context: Context, set: ClusterSet, secret: Secret): Promise<void> {
  const revision = secret.metadata.resourceVersion ?? '';
  const waiting = context
    .world()
    .pods.filter(({ metadata }) => ordinalOf(set, metadata.name) !== undefined)
    .filter((pod) => !isReady(pod) && pod.metadata.deletionTimestamp === undefined)
    .filter(({ metadata }) => metadata.annotations?.[keys.keysRevision] !== revision);
  for (const { metadata } of waiting) {
    const body = { metadata: { uid: metadata.uid, annotations: { [keys.keysRevision]: revision } } };
    await context.kube.patch(paths.pods(context.namespace, metadata.name), body, 'merge');
  }
}

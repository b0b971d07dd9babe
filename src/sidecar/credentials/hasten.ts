import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { type ClusterSet, ordinalOf } from '../cluster-set.ts';
import type { Context } from '../context.ts';
import type { Pod } from '../objects.ts';

/** A younger pod is tried again by the kubelet as soon as a new one would start. */
const worthwhileMs = 30_000;

/**
 * Whether a pod has waited long for a volume: the kubelet then tries again only every two minutes. It never started
 * anything, so that nothing is lost with it.
 */
export function isStuckInMount(pod: Pod, nowMs: number): boolean {
  const { metadata, status, spec } = pod;
  if (metadata.deletionTimestamp !== undefined || status?.phase !== 'Pending' || !spec?.nodeName)
    return false;
  const statuses = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])];
  const untouched = statuses.every(
    ({ state, lastState, restartCount }) =>
      restartCount === 0 && state?.waiting !== undefined && lastState?.terminated === undefined,
  );
  const creating = statuses.some(({ state }) =>
    ['ContainerCreating', 'PodInitializing'].includes(state?.waiting?.reason ?? ''),
  );
  return untouched && creating && nowMs - Date.parse(String(metadata.creationTimestamp)) > worthwhileMs;
}

/** Lets the StatefulSet make such pods anew, once what they waited for has just been published. */
export async function hastenPods(context: Context, set: ClusterSet): Promise<void> {
  const nowMs = context.now().getTime();
  const stuck = context
    .world()
    .pods.filter(({ metadata }) => ordinalOf(set, metadata.name) !== undefined)
    .filter((pod) => isStuckInMount(pod, nowMs));
  for (const { metadata } of stuck) {
    const { name, uid, resourceVersion } = metadata;
    const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    await context.kube
      .remove(paths.pods(context.namespace, name), { preconditions })
      .catch((error: unknown) => {
        if (!isStatus(error, 409)) throw error;
      });
    context.log.info(
      { event: 'pod-hastened', pod: name },
      'let a pod that waited for its keystores start anew',
    );
  }
}

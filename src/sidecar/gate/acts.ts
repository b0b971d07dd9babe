import type { Decision } from '../../gate/index.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import type { Context } from '../context.ts';
import type { Pod } from '../objects.ts';
import { setPartition } from '../partition.ts';

/** What a decision does to Kubernetes. */
export type Act = Extract<Decision, { do: 'delete' | 'keep' | 'partition' }>;

export interface ActOptions {
  readonly context: Context;
  /**
   * Whether the pod may still go, judged on the pods that the API server has at this moment and on fresh pings: what a
   * decision was made on may be two seconds old.
   */
  readonly mayStillGo: (uid: string) => Promise<boolean>;
}

/**
 * Carries one out. Returns why that failed, where it did: nothing is lost, the next pass decides again. A conflict is no
 * failure: somebody has changed the object since, and it is looked at first.
 */
export async function carryOut(options: ActOptions, act: Act): Promise<string | undefined> {
  const { log } = options.context;
  try {
    await perform(options, act);
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const level = isStatus(error, 409) ? 'info' : 'warn';
    log[level]({ event: 'roll-step-failed', act: act.do, err: error }, text);
    return level === 'info' ? undefined : text;
  }
}

async function perform(options: ActOptions, act: Act): Promise<void> {
  const { context } = options;
  // A process that was paused may not be the one any more that acts.
  if (context.holds?.() === false) throw new Error('the lease of this sidecar is too old to act on');
  switch (act.do) {
    case 'delete':
      return remove(options, act);
    case 'keep':
      // The answer matters, not the informer: from now on an order that carries an earlier version is void.
      await context.kube.patch(
        paths.pods(context.namespace, act.pod),
        { metadata: { uid: act.uid, annotations: { [keys.keptFrom]: act.mark } } },
        'merge',
      );
      return;
    case 'partition':
      return hold(context, act);
  }
}

async function remove(
  { context, mayStillGo }: ActOptions,
  { pod, uid }: Extract<Act, { do: 'delete' }>,
): Promise<void> {
  const { kube, namespace, log } = context;
  const path = paths.pods(namespace, pod);
  const live = await kube.tryGet<Pod>(path);
  if (live === undefined || live.metadata.uid !== uid || live.metadata.deletionTimestamp !== undefined)
    return;
  if (!(await mayStillGo(uid))) {
    log.info({ event: 'roll-waits', pod }, 'the pod may not go any more; it is asked again');
    return;
  }
  const { resourceVersion } = live.metadata;
  await kube.remove(path, {
    preconditions: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  });
  log.info({ event: 'pod-deleted', pod, uid }, 'the pod is deleted and comes back with the newest template');
}

/** Compare-and-swap: a template that was changed since is looked at first. */
async function hold(context: Context, { set, partition }: Extract<Act, { do: 'partition' }>): Promise<void> {
  const known = context.world().sets.find(({ name }) => name === set);
  if (known === undefined) return;
  await setPartition(context, known.object, partition);
  context.log.warn({ event: 'revision-held', set, partition }, 'pods of lower ordinals keep their revision');
}

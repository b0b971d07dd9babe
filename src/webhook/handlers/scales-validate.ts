import { keys } from '../../names.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { illegalScale, type Scaling } from '../scale-limits.ts';

interface Replicas {
  spec?: { replicas?: unknown };
}

/** The number that a Scale or a StatefulSet asks for; a Scale leaves out zero. */
export function replicasOf(object: object | undefined, absent: number): number {
  const replicas = (object as Replicas | undefined)?.spec?.replicas;
  return typeof replicas === 'number' ? replicas : absent;
}

/** Refuses a number of replicas that would break a hardened cluster, as far as the objects show it. */
export function refusalOfScale({ namespace, name }: Review, scaling: Scaling): Answer | undefined {
  const reason = illegalScale(scaling);
  if (reason === undefined) return undefined;
  const { from, to } = scaling;
  return {
    allowed: false,
    code: 422,
    reason: 'Invalid',
    message: `kafka-warden refuses to scale StatefulSet ${namespace}/${name} from ${from} to ${to}: ${reason}.`,
    audit: { decision: 'refused', rules: keys.confirmScale },
  };
}

/** What a set's size is measured by, beside the set itself. */
export const around = (
  view: Pick<ClusterView, 'setsOf' | 'largestReplication'>,
  namespace: string,
): Pick<Scaling, 'sets' | 'largest'> => ({
  sets: view.setsOf(namespace),
  largest: (cluster) => view.largestReplication(namespace, cluster),
});

/** `kubectl scale` and autoscalers write a Scale, which says nothing of the set but its name. */
export function validateScale(
  review: Review,
  view: Pick<ClusterView, 'hardenedSet' | 'setsOf' | 'largestReplication'>,
): Answer {
  const { object, oldObject, namespace, name } = review;
  const set = view.hardenedSet(namespace, name);
  if (review.kind !== 'Scale' || !object || !set) return { allowed: true };
  const from = oldObject ? replicasOf(oldObject, 0) : (set.spec?.replicas ?? 1);
  const to = replicasOf(object, 0);
  return refusalOfScale(review, { set, from, to, ...around(view, namespace) }) ?? { allowed: true };
}

import type { V1LabelSelector } from '@kubernetes/client-node';
import { layoutOf } from '../../hardening/index.ts';
import type { StatefulSet } from '../../hardening/model.ts';
import type { Kube } from '../../kubernetes/client.ts';
import { selects } from '../../kubernetes/labels.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys, maxPods, objectsOf } from '../../names.ts';
import type { ClusterView } from '../cluster-view.ts';
import { inTime } from '../../in-time.ts';
import { jsonEqual } from '../json-equal.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';

interface Budget {
  metadata?: { name?: string };
  spec?: { selector?: V1LabelSelector };
}

/** Whether our own budget for a cluster is there. */
export type HasBudget = (namespace: string, cluster: string) => Promise<boolean>;

const readingMs = 1_000;

/** What cannot be read in time is not held against anybody: the sidecar then keeps no budget, and says so. */
export const budgetsOver =
  (kube: Pick<Kube, 'tryGet'>): HasBudget =>
  (namespace, cluster) =>
    inTime(kube.tryGet(paths.poddisruptionbudgets(namespace, objectsOf(cluster).warden)), readingMs).then(
      (budget) => budget !== undefined,
      () => false,
    );

/** The labels of each of a set's pods, as far as its template and its controller give them. */
function podLabelsOf(set: StatefulSet): Record<string, string>[] {
  const { name = '' } = set.metadata ?? {};
  const { replicas = 1, ordinals, template } = set.spec ?? {};
  return Array.from({ length: Math.min(replicas, maxPods) }, (_, index) => {
    const ordinal = (ordinals?.start ?? 0) + index;
    return {
      ...template?.metadata?.labels,
      'statefulset.kubernetes.io/pod-name': `${name}-${ordinal}`,
      'apps.kubernetes.io/pod-index': String(ordinal),
    };
  });
}

const covers = (selector: V1LabelSelector | undefined, set: StatefulSet): boolean =>
  podLabelsOf(set).some((labels) => selects(selector, labels));

/**
 * Refuses a disruption budget of somebody else over pods that ours covers: with two of them the API server answers every
 * eviction with an error, and drains give up. One that was there first stays, and then we keep none.
 */
export async function validateBudget(
  review: Review,
  { setsOf }: Pick<ClusterView, 'setsOf'>,
  hasBudget: HasBudget,
): Promise<Answer> {
  const { object, oldObject, namespace } = review;
  if (review.kind !== 'PodDisruptionBudget' || !object) return { allowed: true };
  const { metadata, spec } = object as Budget;
  const before = (oldObject as Budget | undefined)?.spec?.selector;
  if (oldObject && jsonEqual(before, spec?.selector)) return { allowed: true };
  const name = review.name || (metadata?.name ?? '');
  const clusters = new Set(
    setsOf(namespace)
      .filter((set) => covers(spec?.selector, set))
      .flatMap((set) => layoutOf(set)?.cluster ?? []),
  );
  for (const cluster of clusters) {
    const own = objectsOf(cluster).warden;
    if (name === own || !(await hasBudget(namespace, cluster))) continue;
    return {
      allowed: false,
      code: 422,
      reason: 'Invalid',
      message:
        `kafka-warden refuses PodDisruptionBudget ${namespace}/${name}: it selects pods of Kafka cluster ${cluster}, which ${own} covers already. ` +
        'With two budgets on one pod the API server refuses every eviction with an error, and drains give up. ' +
        `Leave it out, or leave the brokers out of its selector: matchExpressions: [{key: ${keys.node}, operator: DoesNotExist}].`,
      audit: { decision: 'refused' },
    };
  }
  return { allowed: true };
}

import { layoutOf } from '../../hardening/index.ts';
import type { PatchOperation, StatefulSet } from '../../hardening/model.ts';
import { changedClusterId } from '../cluster-id-change.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Judge } from '../outcomes.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { auditOf } from '../response.ts';
import { refusal, subjectOf } from './refusal.ts';
import { around, refusalOfScale, replicasOf } from './scales-validate.ts';

const maxPaths = 10;

function undone(review: Review, patch: readonly PatchOperation[]): Answer {
  const paths = patch.slice(0, maxPaths).map(({ path, rule }) => `  ${path} (rule ${rule})`);
  const more = patch.length > maxPaths ? [`  … and ${patch.length - maxPaths} more`] : [];
  return {
    allowed: false,
    code: 403,
    reason: 'Forbidden',
    message: [
      `kafka-warden refuses ${subjectOf(review)}: it is not hardened as it was asked to be. Differing:`,
      ...paths,
      ...more,
      'Another admission webhook undid the hardening, or kafka-warden was not reached when it should have hardened.',
      'Try again; where it stays, exempt StatefulSets from the other webhook, or see: kubectl get mutatingwebhookconfigurations',
    ].join('\n'),
    audit: { decision: 'undone', patch: auditOf(patch) },
  };
}

type Sizes = Pick<ClusterView, 'setsOf' | 'largestReplication'>;

/** A hardened set may be scaled by an update of the set as well as by a Scale. */
function illegallyScaled(review: Review, workload: StatefulSet, view: Sizes) {
  const { oldObject, namespace } = review;
  if (!oldObject || !layoutOf(oldObject)) return undefined;
  const [from, to] = [replicasOf(oldObject, 1), replicasOf(workload, 1)];
  return refusalOfScale(review, { set: workload, from, to, ...around(view, namespace) });
}

/** Only where it changes: a set that was so before kafka-warden looked stays as it is. */
function otherCluster(review: Review, workload: StatefulSet): Answer | undefined {
  const reason = review.oldObject && changedClusterId(workload, review.oldObject);
  if (reason === undefined) return undefined;
  return {
    allowed: false,
    code: 422,
    reason: 'Invalid',
    message: `kafka-warden refuses ${subjectOf(review)}: ${reason}.`,
    audit: { decision: 'refused', rules: 'identity' },
  };
}

/**
 * Judges the final object again: whatever the core would still change was undone, or never done. And its size, which no
 * hardening changes.
 */
export function validateStatefulSet(review: Review, judge: Judge, view: Sizes): Answer {
  const { object, oldObject, namespace } = review;
  if (review.kind !== 'StatefulSet' || !object) return { allowed: true };
  const workload = object as unknown as StatefulSet;
  const { decision, patch, findings } = judge({
    workload,
    old: oldObject,
    namespace,
  });
  if (decision === 'refused') return refusal(review, findings);
  if (patch.length > 0) return undone(review, patch);
  const changed = otherCluster(review, workload) ?? illegallyScaled(review, workload, view);
  if (changed) return changed;
  return { allowed: true, audit: { decision } };
}

import type { Finding, StatefulSet } from '../../hardening/model.ts';
import type { Judge, Judgement } from '../outcomes.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { auditOf } from '../response.ts';
import { refusal } from './refusal.ts';

const line = ({ rule, message }: Finding): string => `kafka-warden [${rule}] ${message}`;

/** What was done, in one line, then what deserves a person's look. */
function warningsOf({ patch, findings }: Judgement): string[] {
  const rules = [...new Set(patch.map(({ rule }) => rule))];
  const done = rules.length > 0 ? [`kafka-warden hardened this StatefulSet: ${rules.join(', ')}`] : [];
  const worthALook = findings.filter(({ severity }) => severity !== 'info');
  return [...done, ...worthALook.map(line)];
}

/** Hardens a StatefulSet on CREATE and UPDATE. */
export function mutateStatefulSet(review: Review, judge: Judge): Answer {
  const { object, oldObject, namespace } = review;
  if (review.kind !== 'StatefulSet' || !object) return { allowed: true };
  const workload = object as unknown as StatefulSet;
  const judgement = judge({ workload, old: oldObject, namespace });
  const { decision, patch } = judgement;
  if (decision === 'refused') return refusal(review, judgement.findings);
  return {
    allowed: true,
    patch,
    warnings: warningsOf(judgement),
    audit: { decision, ...(patch.length > 0 ? { patch: auditOf(patch) } : {}) },
  };
}

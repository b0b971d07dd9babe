import type { StatefulSet } from '../../hardening/model.ts';
import type { Neighbours } from '../neighbours.ts';
import type { Judge, Judgement } from '../outcomes.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { auditOf, maxWarningLength } from '../response.ts';
import { warningsOf } from '../warnings.ts';
import { refusal } from './refusal.ts';

/** The rules that changed something, in as many lines as they need. */
function doneBy(rules: ReadonlySet<string>): string[] {
  const lines: string[] = [];
  for (const rule of rules) {
    const longer = `${lines.at(-1)}, ${rule}`;
    if (lines.length > 0 && longer.length <= maxWarningLength) lines[lines.length - 1] = longer;
    else
      lines.push(
        `kafka-warden ${lines.length === 0 ? 'hardened this StatefulSet' : 'hardened also'}: ${rule}`,
      );
  }
  return lines;
}

/** What was done or not done, then what deserves a person's look. */
function summaryOf({ decision, patch, findings }: Judgement): string[] {
  const done =
    decision === 'reported'
      ? ['kafka-warden did not harden this StatefulSet, and leaves it as it is:']
      : doneBy(new Set(patch.map(({ rule }) => rule)));
  return [...done, ...warningsOf(findings.filter(({ severity }) => severity !== 'info'))];
}

/** Hardens a StatefulSet on CREATE and UPDATE. What stands beside it counts when it is created; later that is settled. */
export async function mutateStatefulSet(
  review: Review,
  judge: Judge,
  { around }: Pick<Neighbours, 'around'>,
): Promise<Answer> {
  const { object, oldObject, namespace, operation } = review;
  if (review.kind !== 'StatefulSet' || !object) return { allowed: true };
  const workload = object as unknown as StatefulSet;
  const neighbourhood = operation === 'CREATE' ? await around(workload, namespace) : {};
  const judgement = judge({ workload, old: oldObject, namespace, neighbourhood });
  const { decision, patch } = judgement;
  if (decision === 'refused') return refusal(review, judgement.findings);
  return {
    allowed: true,
    patch,
    warnings: summaryOf(judgement),
    audit: { decision, ...(patch.length > 0 ? { patch: auditOf(patch) } : {}) },
  };
}

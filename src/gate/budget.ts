import type { Prepared } from './prepared.ts';
import type { Verdict } from './reasons.ts';
import type { Policy } from './verdict.ts';
import { defaultPolicy, judge } from './verdict.ts';

export interface Budget {
  readonly maxUnavailable: 0 | 1;
  /** The pods that could not go, or why none can be judged. */
  readonly because: readonly Verdict[];
}

/**
 * What the cluster's PodDisruptionBudget should say. A budget is not per pod, so it opens only while every broker and
 * controller could go alone (H2) and the evidence is fresh; a pod that would merely pass (it is terminating, or was never
 * started) is a disruption and closes it, and so does a lease. A reservation does not: the eviction that was allowed still
 * has to get past the budget, which then counts that pod itself.
 */
export function budgetOf(prepared: Prepared, nowMs: number, policy: Policy = defaultPolicy): Budget {
  const { record, pods } = prepared.evidence;
  const members = pods.filter(({ member }) => member);
  const holder = record.known ? record.record.holder : undefined;
  const reserved = holder?.state === 'reserved' ? { leaseId: holder.id } : {};
  // A pod in an eviction loop is held by the gate alone: it must not hold up all others.
  const lenient = { ...policy, loop: { ...policy.loop, times: Infinity } };
  const because = members
    // An override is for the pod that was annotated, not for the budget.
    .map((pod) => judge(prepared, { pod: { ...pod, override: false }, nowMs, policy: lenient, ...reserved }))
    .filter(({ kind }) => kind !== 'allow');
  return { maxUnavailable: members.length > 0 && because.length === 0 ? 1 : 0, because };
}

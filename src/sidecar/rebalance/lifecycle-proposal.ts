import { durationText } from './amounts.ts';
import { type Verdict, approvalOf } from './approval.ts';
import { shortHash } from './canonical.ts';
import { phaseOf, type PlanStatus, type RebalanceSummary } from './kafka-rebalance.ts';
import type { Step } from './lifecycle-status.ts';
import { changedText, held, outdated, proposing, requestFor, resting, retryMs } from './lifecycle-steps.ts';
import type { Proposal, Seen } from './lifecycle-types.ts';
import { approvedBefore, executingOther } from './queue.ts';
import type { Settings } from './settings.ts';

/** Timers do not last longer than 24.8 days; nothing that waits needs to sleep longer than this. */
const longestPauseMs = 3_600_000;

const searching = { reason: 'Proposing', message: 'a plan is being searched for' } as const;

/** Without a plan, or with one that is to be replaced. */
export function beforePlan(seen: Seen, settings: Settings): Step {
  const other = executingOther(seen.rebalance, seen.all);
  if (other !== undefined)
    return {
      ...resting(
        'New',
        'WaitingForOther',
        `KafkaRebalance ${other.metadata.name} is being carried out first`,
      ),
      againInMs: retryMs,
    };
  const { proposal } = seen;
  const fields = { mode: settings.mode };
  if (
    phaseOf(seen.rebalance) === 'New' ||
    proposal === undefined ||
    outdated(seen, proposal.request) !== undefined
  )
    return proposing(seen, searching, fields);
  if (proposal.state === 'ready') return proposed(seen, settings, proposal);
  if (proposal.state === 'running') {
    const { reason = searching.reason, message = searching.message } = held(seen);
    return { ...resting('Proposing', reason, message), againInMs: retryMs };
  }
  const leftMs = proposal.at.getTime() + retryMs - seen.now.getTime();
  return leftMs > 0
    ? { ...resting('Proposing', proposal.reason, proposal.message), againInMs: leftMs }
    : proposing(seen, proposal);
}

function proposed(
  seen: Seen,
  settings: Settings,
  { plan, summary }: Extract<Proposal, { state: 'ready' }>,
): Step {
  const made: PlanStatus = { ...plan, ...requestFor(seen) };
  const drift = held(seen).drift;
  // A difference from this very plan would be none.
  const fields = {
    mode: settings.mode,
    plan: made,
    summary,
    ...(drift?.hash === plan.hash && { drift: undefined }),
  };
  const action = { do: 'store' } as const;
  if (plan.partitions === 0)
    return {
      ...nothingToDo(settings, summary),
      action,
      fields,
    };
  const since = drift === undefined ? '' : `, ${changedText(drift)}`;
  const takes =
    summary.estimatedSeconds === undefined ? '' : `, about ${durationText(summary.estimatedSeconds)}`;
  return {
    phase: 'Proposed',
    reason: drift === undefined ? 'Proposed' : 'ProposedAgain',
    message: `${summary.move} in ${summary.replicaMoves} replicas, ${summary.leaderChanges} new leaders${takes}${since}`,
    action,
    fields,
    againInMs: 0,
  };
}

function nothingToDo({ mode }: Settings, { outsideAfter = undefined }: RebalanceSummary): Step {
  if (mode === 'given')
    return resting('Done', 'NothingToDo', 'every partition is where the plan wants it already');
  const outside = Object.values(outsideAfter ?? {}).some((brokers) => brokers > 0);
  return outside
    ? resting(
        'Done',
        'NothingToDo',
        'no broker is beyond the trigger, or no move that is allowed brings one nearer',
      )
    : resting('Done', 'WithinBand', 'already within the band: nothing has to move');
}

/** What makes the stored plan worthless, if anything does. */
function invalid(seen: Seen, plan: PlanStatus): Step | undefined {
  const why = outdated(seen, plan);
  const anew = (reason: string, message: string) =>
    proposing(seen, { reason, message }, { drift: undefined });
  if (why === 'Refreshed') return anew(why, 'a new plan was asked for');
  if (why === 'SpecChanged') return anew(why, 'the spec has changed since the plan was made');
  if (seen.stored?.state === 'lost') return anew('PlanLost', seen.stored.message);
  if (seen.stored !== undefined && seen.stored.hash !== plan.hash)
    return anew('PlanLost', `stored is the plan ${shortHash(seen.stored.hash)}`);
  const { drift } = seen;
  if (drift === undefined || drift.count === 0) return undefined;
  const shown = { hash: plan.hash, count: drift.count, examples: drift.examples };
  const message = `the cluster has changed ${changedText(drift)}`;
  return proposing(seen, { reason: 'Drifted', message }, { drift: shown });
}

const pauseUntil = (atMs: number, now: Date): number =>
  Math.min(longestPauseMs, Math.max(1000, atMs - now.getTime()));

function notApproved(seen: Seen, verdict: Extract<Verdict, { approved: false }>): Step {
  const { status } = seen.rebalance;
  const { reason, message, againAtMs } = verdict;
  const again = phaseOf(seen.rebalance) === 'Proposed' && status?.reason === 'ProposedAgain';
  return {
    phase: 'Proposed',
    reason: reason === 'NotApproved' ? (again ? 'ProposedAgain' : 'Proposed') : reason,
    message: `${status?.summary?.move ?? ''} to move: ${message}`,
    action: { do: 'nothing' },
    fields: { approval: undefined },
    ...(againAtMs !== undefined && { againInMs: pauseUntil(againAtMs, seen.now) }),
  };
}

/** Proposed and approved plans alike: an approval may be withdrawn until the plan is begun. */
export function withPlan(seen: Seen, settings: Settings, plan: PlanStatus): Step {
  const worthless = invalid(seen, plan);
  if (worthless !== undefined) return worthless;
  const { summary, approval } = held(seen);
  const { bytesToMove = Infinity, bytesWithinBrokers = 0, estimatedSeconds } = summary ?? {};
  const approvable = { hash: plan.hash, bytesToMove: bytesToMove + bytesWithinBrokers, estimatedSeconds };
  const verdict = approvalOf(seen.rebalance, approvable, settings.autoApprove, seen.now);
  if (!verdict.approved) return notApproved(seen, verdict);
  if (approval?.hash === plan.hash && approval.by === verdict.by) return approved(seen, plan);
  // Written before anything begins: who approved is known even if the sidecar ends in the next moment.
  const at = seen.now.toISOString().replace(/\.\d+Z$/, 'Z');
  const how = verdict.by === 'annotation' ? 'by its annotation' : 'by the limits of spec.autoApprove';
  return {
    ...resting('Approved', 'Approved', `the plan ${shortHash(plan.hash)} is approved ${how}`),
    fields: { approval: { hash: plan.hash, by: verdict.by, at } },
    againInMs: 0,
  };
}

function approved(seen: Seen, plan: PlanStatus): Step {
  const waiting = (reason: string, message: string): Step => ({
    ...resting('Approved', reason, message),
    againInMs: retryMs,
  });
  const other = executingOther(seen.rebalance, seen.all) ?? approvedBefore(seen.rebalance, seen.all);
  if (other !== undefined)
    return waiting('WaitingForOther', `KafkaRebalance ${other.metadata.name} is carried out first`);
  if (seen.lease.state !== 'free')
    return waiting('WaitingForLease', `waits for ${seen.lease.what}: one disruption of a cluster at a time`);
  if (seen.stored === undefined || seen.drift === undefined)
    return waiting('Checking', 'the stored plan is compared with the cluster before it is begun');
  const { missing = [] } = seen;
  // Begun, it would keep drains and rolls waiting for as long.
  if (missing.length > 0)
    return waiting(
      'WaitingForBrokers',
      `waits for broker${missing.length === 1 ? '' : 's'} ${missing.join(', ')}, which the plan fills and the cluster does not list`,
    );
  return {
    phase: 'Executing',
    reason: 'Started',
    message: `carries out the plan ${shortHash(plan.hash)}`,
    action: { do: 'start', hash: plan.hash },
    fields: { drift: undefined, progress: undefined, refused: undefined, refusedCount: undefined },
  };
}

import { keys } from '../../names.ts';
import { bytesText, durationText } from './amounts.ts';
import { shortHash } from './canonical.ts';
import type { Approval, KafkaRebalance } from './kafka-rebalance.ts';
import type { Limits } from './settings.ts';
import { windowsAt } from './windows.ts';

/** The plan that an approval would be of. */
export interface Approvable {
  readonly hash: string;
  readonly bytesToMove: number;
  readonly estimatedSeconds?: number | undefined;
}

export type Verdict =
  | { readonly approved: true; readonly by: Approval['by'] }
  | {
      readonly approved: false;
      readonly reason: 'NotApproved' | 'StaleApproval' | 'ShortApproval' | 'OutsideLimits' | 'OutsideWindows';
      readonly message: string;
      /** When the answer may become another one by itself. */
      readonly againAtMs?: number;
    };

type Refused = Extract<Verdict, { approved: false }>;

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/**
 * Whether the limits allow this plan to start now: it moves no more than they say, a window is open, and the plan is
 * expected to end before the window closes. A plan that has begun goes on after it.
 */
export function withinLimits(
  plan: Approvable,
  { maxBytes, windows }: Limits,
  now: Date,
): Refused | undefined {
  const refused = (reason: Refused['reason'], message: string, againAtMs?: number): Refused => ({
    approved: false,
    reason,
    message,
    ...(againAtMs !== undefined && { againAtMs }),
  });
  if (plan.bytesToMove > maxBytes)
    return refused(
      'OutsideLimits',
      `autoApprove allows ${bytesText(maxBytes)} and the plan moves ${bytesText(plan.bytesToMove)}`,
    );
  if (windows.length === 0) return undefined;
  const state = windowsAt(windows, now);
  if (!state.open) {
    const when = state.opensAtMs === undefined ? 'no window of autoApprove opens within a week' : '';
    return refused(
      'OutsideWindows',
      when || `the next window of autoApprove opens at ${time(state.opensAtMs ?? 0)}`,
      state.opensAtMs,
    );
  }
  const leftSeconds = (state.untilMs - now.getTime()) / 1000;
  if ((plan.estimatedSeconds ?? 0) <= leftSeconds) return undefined;
  return refused(
    'OutsideWindows',
    `the plan takes about ${durationText(plan.estimatedSeconds ?? 0)} and the window of autoApprove closes in ${durationText(leftSeconds)}`,
    state.untilMs,
  );
}

/** Why an annotation does not approve the plan. */
function complaint(given: string, hash: string, command: string): Refused {
  const known = given.length >= 6 && hash.startsWith(given);
  return known
    ? {
        approved: false,
        reason: 'ShortApproval',
        message: `the approval ${given} is shortened; write all ${hash.length} digits of status.plan.hash, or run ${command}`,
      }
    : {
        approved: false,
        reason: 'StaleApproval',
        message: `approved is ${shortHash(given)}, the plan is now ${shortHash(hash)}; look at it, then run ${command}`,
      };
}

/**
 * Whether the plan may be carried out: an annotation with exactly its hash, or limits that it keeps within. The
 * admission policy of the chart asks who may set either.
 */
export function approvalOf(
  { metadata }: Pick<KafkaRebalance, 'metadata'>,
  plan: Approvable,
  limits: Limits | undefined,
  now: Date,
): Verdict {
  const given = metadata.annotations?.[keys.approve]?.trim() ?? '';
  if (given === plan.hash) return { approved: true, by: 'annotation' };
  const command = `kafka-warden rebalance approve ${metadata.name}`;
  const outside = limits && withinLimits(plan, limits, now);
  if (limits !== undefined && outside === undefined) return { approved: true, by: 'autoApprove' };
  if (given !== '') return { ...outside, ...complaint(given, plan.hash, command) };
  if (outside === undefined)
    return { approved: false, reason: 'NotApproved', message: `to approve it, run ${command}` };
  return { ...outside, message: `${outside.message}; to approve it all the same, run ${command}` };
}

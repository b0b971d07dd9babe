import type { Limits, PodFacts, QuorumEvidence, QuorumMember } from './evidence.ts';
import { leaderClock } from './evidence.ts';
import type { Reason } from './reasons.ts';

/** Whether a member fetched, and had all there was, within `limitMs` before the answer. `nowMs` is the leader's clock. */
export const isCaughtUp = (member: QuorumMember, nowMs: number, limitMs: number): boolean =>
  recent(nowMs - member.lastFetchMs, limitMs) && recent(nowMs - member.lastCaughtUpMs, limitMs);

const recent = (ageMs: number, limitMs: number): boolean => ageMs >= 0 && ageMs <= limitMs;

/**
 * Whether the controllers keep a majority without a node, and the voters of that majority have read everything: a voter
 * that has to catch up first cannot be elected, and counts as away. The rule holds for brokers without a vote too, as
 * nothing of a cluster should go while its quorum has no majority to spare for an accident that has already happened.
 */
export function quorumReasons(
  quorum: QuorumEvidence | undefined,
  nodeId: number | undefined,
  limits: Limits,
  pods: readonly PodFacts[],
): Reason[] {
  if (quorum === undefined || quorum.leaderId < 0 || quorum.voters.length === 0)
    return [{ why: 'unknown', what: 'quorum' }];
  const nowMs = leaderClock(quorum);
  if (nowMs === undefined) return [{ why: 'unknown', what: 'quorum-clock' }];
  const voters = quorum.voters.length;
  const majority = Math.floor(voters / 2) + 1;
  const others = quorum.voters.filter(({ id }) => id !== nodeId);
  if (others.length < majority) return [{ why: 'quorum-majority', voters, majority }];
  const leaving = new Set(pods.filter(({ terminating }) => terminating).map((pod) => pod.nodeId));
  const behind = others
    .filter((member) => leaving.has(member.id) || !isCaughtUp(member, nowMs, limits.freshMs))
    .map(({ id }) => id);
  const caughtUp = others.length - behind.length;
  return caughtUp >= majority ? [] : [{ why: 'quorum-behind', voters, majority, caughtUp, behind }];
}

import type { Reading, Tally } from './tally.ts';

/** What was acknowledged and is not there. */
export interface Loss {
  readonly acknowledged: number;
  readonly lost: number;
  /** Acknowledged, and not seen by the consumer group that read along. */
  readonly unread: number;
  /** Up to ten of them. */
  readonly examples: readonly string[];
  readonly rejected: number;
  /** Why sends were given up, with how often; the commonest first. */
  readonly reasons: readonly (readonly [reason: string, times: number])[];
  /** The longer of the producers' longest gaps. */
  readonly longestGapMs: number;
}

const count = (texts: readonly string[]): [string, number][] => {
  const times = new Map<string, number>();
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
  return [...times].sort((a, b) => b[1] - a[1]);
};

/**
 * Acknowledged minus read, afterwards from the beginning and by the group that read along. A value that was given up and is there all the same is no loss: a send that fails says nothing about what the broker
 * did with it.
 */
export function lossOf(tallies: readonly Tally[], reading: Reading, following: Reading): Loss {
  const there = new Set(reading.values);
  const followed = new Set(following.values);
  const acknowledged = tallies.flatMap((tally) => tally.acknowledged);
  const lost = acknowledged.filter((value) => !there.has(value));
  const rejected = tallies.flatMap((tally) => tally.rejected);
  return {
    acknowledged: acknowledged.length,
    lost: lost.length,
    unread: acknowledged.filter((value) => !followed.has(value)).length,
    examples: lost.slice(0, 10),
    rejected: rejected.length,
    reasons: count(rejected.map(({ reason }) => reason)),
    longestGapMs: Math.max(0, ...tallies.map(({ longestGapMs }) => longestGapMs)),
  };
}

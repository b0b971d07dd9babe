import type { Summary } from '../../balance/index.ts';
import { bytesText } from './amounts.ts';
import type { RebalanceSummary } from './kafka-rebalance.ts';
import { type PlannedMove, totalsOf } from './plan.ts';

export interface SummaryFacts {
  /** All data on all replicas. */
  readonly totalBytes: number;
  /** What the planner says of its plan; absent for a plan from elsewhere. */
  readonly planner?: Pick<Summary, 'boundShare' | 'ratio' | 'outsideBefore' | 'outsideAfter'>;
  readonly estimatedSeconds?: number | undefined;
  readonly confidence?: string;
}

/** Shares with six digits are as good as any, and read better. */
const rounded = (share: number): number => Math.round(share * 1e6) / 1e6;

/** What people are shown of a plan. */
export function rebalanceSummary(moves: readonly PlannedMove[], facts: SummaryFacts): RebalanceSummary {
  const { bytesToMove, replicaMoves, leaderChanges, relocations, bytesWithinBrokers } = totalsOf(moves);
  const { totalBytes, planner, estimatedSeconds, confidence } = facts;
  const share = totalBytes > 0 ? bytesToMove / totalBytes : 0;
  const bound = planner?.boundShare;
  return {
    move: moveText(bytesToMove, bytesWithinBrokers),
    bytesToMove,
    ...(relocations > 0 && { relocations, bytesWithinBrokers }),
    shareToMove: rounded(share),
    ...(bound !== undefined && { boundShare: rounded(bound) }),
    ...(planner?.ratio !== undefined && { ratio: Math.round(1000 * planner.ratio) / 1000 }),
    replicaMoves,
    leaderChanges,
    ...(planner !== undefined && {
      outsideBefore: planner.outsideBefore,
      outsideAfter: planner.outsideAfter,
    }),
    ...(estimatedSeconds !== undefined && { estimatedSeconds: Math.round(estimatedSeconds) }),
    ...(confidence !== undefined && { confidence }),
  };
}

function moveText(between: number, within: number): string {
  if (within === 0) return bytesText(between);
  const inPlace = `${bytesText(within)} within brokers`;
  return between === 0 ? inPlace : `${bytesText(between)} and ${inPlace}`;
}

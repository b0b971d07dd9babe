import type { Copy } from './model.ts';
import type { Standing } from './standing.ts';

/** A copy whose turn has not come. */
export type Upcoming = Pick<Copy, 'move' | 'before' | 'target'>;

/** At least so many; up to a multiple of `block`, so that lists are extended once for many copies and not with each. */
const upcomingCopies = { least: 50, block: 100 };

/**
 * The next copies in the order of the plan. Their throttles are set and their partitions looked at ahead of their turn: a list
 * of another topic takes `settleMs` to be opened and two looks to be written, and a place that comes free would wait for it.
 */
export function upcoming(standings: readonly Standing[]): Upcoming[] {
  const { least, block } = upcomingCopies;
  const found: Upcoming[] = [];
  let end = Infinity;
  for (const [move, standing] of standings.entries()) {
    if (move >= end) break;
    if (standing.at !== 'open') continue;
    found.push({ move, before: standing.before, target: standing.target });
    if (found.length === least) end = Math.ceil((move + 1) / block) * block;
  }
  return found;
}

import type { PlannedMove } from './plan.ts';

/** How the cluster differs from what a plan was made for. */
export interface Drift {
  readonly count: number;
  /** The first ten, in words. */
  readonly examples: readonly string[];
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);

const maxExamples = 10;

/**
 * Compares a plan with where the partitions are now, `undefined` for those that are gone. A step whose partition is
 * where it was, or where the plan wants it, is no drift; nor is one whose topic was deleted, which only becomes void.
 */
export function driftOf(
  moves: readonly PlannedMove[],
  replicasNow: (topic: string, partition: number) => readonly number[] | undefined,
): Drift {
  const examples: string[] = [];
  let count = 0;
  for (const { topic, partition, from, to } of moves) {
    const now = replicasNow(topic, partition);
    if (now === undefined || same(now, from) || same(now, to)) continue;
    count += 1;
    if (examples.length < maxExamples)
      examples.push(`${topic}-${partition} was on ${from.join(',')} and is on ${now.join(',')}`);
  }
  return { count, examples };
}

/** Brokers that a plan fills and that the cluster does not list. */
export function missingOf(moves: readonly PlannedMove[], listed: ReadonlySet<number>): number[] {
  const filled = moves.flatMap(({ from, to }) => to.filter((id) => !from.includes(id)));
  return [...new Set(filled)].filter((id) => !listed.has(id)).sort((a, b) => a - b);
}

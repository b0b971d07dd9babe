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
 * where it was, or where the plan wants it, is no drift; nor is one whose topic was deleted, which only becomes void. A step to
 * a broker that the cluster does not list would wait for it, and keep everything else waiting.
 */
export function driftOf(
  moves: readonly PlannedMove[],
  replicasNow: (topic: string, partition: number) => readonly number[] | undefined,
  listed: ReadonlySet<number>,
): Drift {
  const examples: string[] = [];
  let count = 0;
  for (const { topic, partition, from, to } of moves) {
    const now = replicasNow(topic, partition);
    if (now === undefined || same(now, to)) continue;
    const missing = to.find((id) => !from.includes(id) && !listed.has(id));
    if (missing === undefined && same(now, from)) continue;
    count += 1;
    if (examples.length >= maxExamples) continue;
    examples.push(
      missing === undefined
        ? `${topic}-${partition} was on ${from.join(',')} and is on ${now.join(',')}`
        : `${topic}-${partition} is to go to broker ${missing}, which is not there`,
    );
  }
  return { count, examples };
}

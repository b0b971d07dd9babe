/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { type DirectoryLoad, type Movable, evened } from './evening.ts';
import { type BrokerModel, directoriesInService } from './model.ts';
import type { Assignment } from './plan.ts';
import { PINNED } from './problem.ts';
import type { Problem } from './problem.ts';

/** What is in a directory of a broker: at the start, with all that comes; and in the end. In MB. */
export interface Filled {
  readonly capacity: number;
  readonly limit: number;
  readonly before: number;
  readonly after: number;
}

/** Replicas that are moved to another directory of their broker, by their place in the assignment. */
export interface Within {
  readonly directory: ReadonlyMap<number, string>;
  readonly replicas: number;
  readonly movedMB: number;
  /** Directories outside the band. */
  readonly outsideBefore: number;
  readonly outsideAfter: number;
}

interface Staying extends Movable {
  readonly replica: number;
}

/** Whether the directories of a broker may be evened out: Kafka begins no such copy while one of them has failed. */
function mayEven(problem: Problem, b: number): boolean {
  const broker = problem.model.brokers[b]!;
  const sound = directoriesInService(broker);
  const hasSeveral = sound.length > 1 && sound.length === broker.dirs?.length;
  return hasSeveral && problem.leads[b] === 1 && sound.every(({ capacity }) => capacity > 0);
}

/** Replicas that stay on each broker and may be moved, in the order of the model. */
function stayingOn(problem: Problem, { at }: Assignment): Staying[][] {
  const staying: Staying[][] = Array.from({ length: problem.brokers }, () => []);
  const order = Array.from(problem.origin, (_, p) => p).sort(
    (a, b) => problem.origin[a]! - problem.origin[b]!,
  );
  for (const p of order) {
    const { dirs, size } = problem.model.partitions[problem.origin[p]!]!;
    if (dirs === undefined) continue;
    const [from, to] = [problem.first[p]!, problem.first[p + 1]!];
    for (let r = from; r < to; r++) {
      const b = problem.home[r]!;
      const replica = from + at.subarray(from, to).indexOf(b);
      if (replica < from || problem.duty[r] === PINNED) continue;
      const home = pathsOf(problem.model.brokers[b]!).indexOf(dirs[r - from]!);
      if (home >= 0) staying[b]!.push({ replica, size, home });
    }
  }
  return staying;
}

const pathsOf = (broker: BrokerModel): string[] => directoriesInService(broker).map(({ path }) => path);

const outsideOf = (dirs: readonly { capacity: number; load: number }[], tolerance: number): number => {
  const mean = sumOf(dirs.map(({ load }) => load)) / sumOf(dirs.map(({ capacity }) => capacity));
  return dirs.filter(
    ({ capacity, load }) => Math.abs(load - capacity * mean) > capacity * mean * tolerance * (1 + 1e-9),
  ).length;
};

const sumOf = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0);

/**
 * The last stage of a plan: evens out the directories of each broker by moving replicas between them, which takes no
 * network. With a trigger only those brokers one of whose directories is further off than that.
 */
export function evenedWithin(
  problem: Problem,
  assignment: Assignment,
  { filled, trigger }: { filled: (b: number) => readonly Filled[]; trigger: number | undefined },
): Within {
  const directory = new Map<number, string>();
  let [movedMB, outsideBefore, outsideAfter] = [0, 0, 0];
  const { mode, tolerance, model } = problem;
  const staying = stayingOn(problem, assignment);
  for (const [b, broker] of model.brokers.entries()) {
    if (!mayEven(problem, b)) continue;
    const dirs = filled(b).map(({ capacity, limit, before, after }): DirectoryLoad => ({
      capacity,
      limit,
      load: after,
      peak: before,
    }));
    const before = outsideOf(dirs, tolerance);
    outsideBefore += before;
    const isDue = (mode === 'balance' || mode === 'light') && outsideOf(dirs, trigger ?? 0) > 0;
    const replicas = staying[b]!;
    const { at } = isDue
      ? evened(dirs, replicas, { tolerance, onlyOver: mode === 'light' })
      : { at: replicas.map(({ home }) => home) };
    const loads = dirs.map(({ capacity, load }) => ({ capacity, load }));
    for (const [i, { replica, size, home }] of replicas.entries()) {
      if (at[i] === home) continue;
      directory.set(replica, pathsOf(broker)[at[i]!]!);
      loads[home]!.load -= size;
      loads[at[i]!]!.load += size;
      movedMB += size;
    }
    outsideAfter += outsideOf(loads, tolerance);
  }
  return { directory, replicas: directory.size, movedMB, outsideBefore, outsideAfter };
}

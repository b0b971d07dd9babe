/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { directoriesInService } from './model.ts';
import type { BrokerModel } from './model.ts';
import type { Assignment } from './plan.ts';
import { DISK, IN, WIDTH } from './problem.ts';
import type { Problem } from './problem.ts';
import { startState, sumLoads, wasOn } from './state.ts';
import type { State } from './state.ts';
import { evenedWithin } from './within.ts';
import type { Within } from './within.ts';

/** A move that is left out of a plan, for no log directory of the broker has room for it. */
export interface Refusal {
  readonly topic: string;
  readonly partition: number;
  /** The broker that it was to go to. */
  readonly broker: number;
  readonly reason: string;
}

/** An assignment with a log directory for each copy onto a broker that has several, and for what moves within brokers. */
export interface Placed {
  readonly assignment: Assignment;
  /** Log directory of each of these, by replica. */
  readonly directory: ReadonlyMap<number, string>;
  readonly refused: readonly Refusal[];
  /** Absent where no broker has several directories. */
  readonly within?: Within;
}

interface Arrival {
  readonly replica: number;
  readonly partition: number;
  readonly size: number;
}

const nameOf = (problem: Problem, p: number): { topic: string; partition: number } => {
  const { topic, partition } = problem.model.partitions[problem.origin[p]!]!;
  return { topic, partition };
};
const sizeOf = (problem: Problem, p: number): number => problem.model.partitions[problem.origin[p]!]!.size;

/** Copies that come to each broker, the largest first. */
function arrivalsOf(problem: Problem, at: Int32Array): Arrival[][] {
  const arrivals: Arrival[][] = Array.from({ length: problem.brokers }, () => []);
  for (let r = 0; r < at.length; r++) {
    const p = problem.partitionOf[r]!;
    if (at[r] === problem.home[r] || wasOn(problem, p, at[r]!)) continue;
    arrivals[at[r]!]!.push({ replica: r, partition: p, size: sizeOf(problem, p) });
  }
  for (const list of arrivals) list.sort((a, b) => b.size - a.size || a.partition - b.partition);
  return arrivals;
}

/** Bytes in each directory of a broker, by path: what is there at the start, and that without what the plan takes away. */
interface Use {
  readonly start: Map<string, number>;
  readonly kept: Map<string, number>;
}

function useOf(problem: Problem, at: Int32Array): Use[] {
  const use = Array.from(
    { length: problem.brokers },
    () => ({ start: new Map(), kept: new Map() }) satisfies Use,
  );
  for (let p = 0; p < problem.partitions; p++) {
    const { dirs, size } = problem.model.partitions[problem.origin[p]!]!;
    if (dirs === undefined) continue;
    const [from, to] = [problem.first[p]!, problem.first[p + 1]!];
    const now = at.subarray(from, to);
    for (let r = from; r < to; r++) {
      const path = dirs[r - from]!;
      const { start, kept } = use[problem.home[r]!]!;
      start.set(path, (start.get(path) ?? 0) + size);
      if (now.includes(problem.home[r]!)) kept.set(path, (kept.get(path) ?? 0) + size);
    }
  }
  return use;
}

interface Directory {
  readonly path: string;
  readonly capacity: number;
  /** What copies may fill. */
  readonly limit: number;
  /** In use before any copy, with what leaves; and at the end. */
  before: number;
  after: number;
}

/** The directory that is least used with a copy in the end, of those with room for it, if possible before anything has left. */
function leastUsed(directories: readonly Directory[], size: number): Directory | undefined {
  const used = ({ after, capacity }: Directory): number => (after + size) / capacity;
  const least = (use: 'before' | 'after'): Directory | undefined =>
    directories
      .filter((d) => d[use] + size <= d.limit)
      .sort((a, b) => used(a) - used(b) || (a.path < b.path ? -1 : 1))[0];
  return least('before') ?? least('after');
}

function directoriesOf(broker: BrokerModel, use: Use, reserve: number): Directory[] {
  return directoriesInService(broker).map(({ path, capacity }) => ({
    path,
    capacity,
    limit: capacity * (1 - reserve),
    before: use.start.get(path) ?? 0,
    after: use.kept.get(path) ?? 0,
  }));
}

/** Gives each arrival at one broker a directory; answers with those for which none has room. */
function pack(
  directories: readonly Directory[],
  arrivals: readonly Arrival[],
  into: Map<number, string>,
): Arrival[] {
  if (directories.length < 2) return [];
  return arrivals.filter(({ replica, size }) => {
    const directory = leastUsed(directories, size);
    if (directory === undefined) return true;
    directory.before += size;
    directory.after += size;
    into.set(replica, directory.path);
    return false;
  });
}

/** The largest arrivals at a broker that what stays behind elsewhere would put over its capacity, as many as it takes. */
function surplus(state: State, b: number, arrivals: readonly Arrival[], start: Float64Array): Arrival[] {
  const { capacity, amount } = state.problem;
  const over = [DISK, IN].map((k) => {
    const i = b * WIDTH + k;
    return state.load[i]! - Math.max(capacity[i]!, start[i]!) * (1 + 1e-9);
  });
  return arrivals.filter(({ partition }) => {
    if (over.every((by) => by <= 0)) return false;
    over.forEach((by, column) => (over[column] = by - amount[3 * partition + column]!));
    return true;
  });
}

/** Leaves partition p where and as it was. */
function revert(problem: Problem, p: number, { at, leader }: Assignment): void {
  for (let r = problem.first[p]!; r < problem.first[p + 1]!; r++) at[r] = problem.home[r]!;
  leader[p] = problem.startLeader[p]!;
}

/**
 * Chooses the log directory of each copy onto a broker with several: the one that is least used with it, relative to what it
 * can hold, the largest copies first. Left to itself Kafka takes the directory with the fewest partitions, however full. A
 * copy for which none has room is left out of the plan with the whole change of its partition, and so is what no longer
 * fits where that stays. Then what stays is moved within the brokers.
 */
export function placeInDirectories(
  problem: Problem,
  assignment: Assignment,
  trigger: number | undefined,
): Placed {
  const { brokers } = problem.model;
  if (!brokers.some((broker) => directoriesInService(broker).length > 1))
    return { assignment, directory: new Map(), refused: [] };
  const state = startState(problem, 0, 0);
  const start = state.load.slice();
  state.at.set(assignment.at);
  state.leader.set(assignment.leader);
  const refused: Refusal[] = [];
  for (;;) {
    const arrivals = arrivalsOf(problem, state.at);
    const use = useOf(problem, state.at);
    const directory = new Map<number, string>();
    const directories = brokers.map((broker, b) => directoriesOf(broker, use[b]!, problem.diskReserve));
    sumLoads(state);
    const before = refused.length;
    arrivals.forEach((list, b) => {
      const nowhere = pack(directories[b]!, list, directory).map((a) => ({
        ...a,
        why: 'no log directory',
      }));
      const beyond =
        refused.length === 0 ? [] : surplus(state, b, list, start).map((a) => ({ ...a, why: 'nothing' }));
      for (const { partition: p, size, why } of [...nowhere, ...beyond]) {
        const broker = brokers[b]!.id;
        const reason = `${why} of broker ${broker} has room for its ${size.toFixed(0)} MB`;
        refused.push({ ...nameOf(problem, p), broker, reason });
        revert(problem, p, state);
      }
    });
    if (refused.length > before) continue;
    const placed = { at: state.at, leader: state.leader };
    const within = evenedWithin(problem, placed, { filled: (b) => directories[b]!, trigger });
    for (const [replica, path] of within.directory) directory.set(replica, path);
    return { assignment: placed, directory, refused, within };
  }
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { DISK, IN, LEADERS, LEAVES, OUT, REPLICAS, RESOURCES, WIDTH } from './problem.ts';
import type { Problem } from './problem.ts';

/** An assignment under search, with its loads. All amounts are in the units of `Problem`. */
export interface State {
  readonly problem: Problem;
  /** Broker of each replica now; a partition's replicas are an unordered set. */
  readonly at: Int32Array;
  /** Broker that leads each partition now, or -1. */
  readonly leader: Int32Array;
  /** Per broker and resource. */
  readonly load: Float64Array;
  /** What one unit of load outside a limit costs, per broker and resource. */
  readonly price: Float64Array;
  /** The limits that the search holds to: those of the problem, or a little tighter. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /**
   * How many more replicas of its topic each broker may take, at `problem.roomAt[p] + broker`; empty where no moves
   * are to be tried. Brokers that the start, or the hard limits, put above that have none or less.
   */
  readonly room: Int16Array;
  /** What a changed leader costs. */
  leaderCost: number;
  /** What a broker and resource outside the limits costs, however little it is. */
  fee: number;
}

/** Amount by which one replica and one leadership count: the reciprocal of the mean number on a broker. */
export const perReplica = (problem: Problem): number => share(problem.unit[REPLICAS]!);
export const perLeader = (problem: Problem): number => share(problem.unit[LEADERS]!);
const share = (unit: number): number => (unit > 0 ? 1 / unit : 0);

/** The model's own assignment, violations weighing `price` each unit. */
export function startState(
  problem: Problem,
  price: number,
  leaderCost: number,
  room: Int16Array = new Int16Array(0),
): State {
  const state: State = {
    problem,
    at: problem.home.slice(),
    leader: problem.startLeader.slice(),
    load: new Float64Array(problem.brokers * WIDTH),
    price: new Float64Array(problem.brokers * WIDTH).fill(price),
    lower: problem.lower.slice(),
    upper: problem.upper.slice(),
    room,
    leaderCost,
    fee: 0,
  };
  sumLoads(state);
  return state;
}

/** Sums the loads anew, which also rids them of the rounding of many small changes. */
export function sumLoads(state: State): void {
  const { problem, at, leader, load } = state;
  const { first, amount } = problem;
  const replica = perReplica(problem);
  const leadership = perLeader(problem);
  load.fill(0);
  countRoom(state);
  for (let p = 0; p < problem.partitions; p++) {
    for (let r = first[p]!; r < first[p + 1]!; r++) {
      const base = at[r]! * WIDTH;
      load[base + DISK]! += amount[3 * p]!;
      load[base + IN]! += amount[3 * p + 1]!;
      load[base + REPLICAS]! += replica;
    }
    if (leader[p]! < 0) continue;
    const base = leader[p]! * WIDTH;
    load[base + OUT]! += amount[3 * p + 2]!;
    load[base + LEADERS]! += leadership;
  }
}

/** Counts anew how many replicas of its topic each broker may still take. */
function countRoom({ problem, at, room }: State): void {
  if (room.length === 0) return;
  room.set(problem.topicMost);
  for (let r = 0; r < at.length; r++) {
    const row = problem.roomAt[problem.partitionOf[r]!]!;
    if (row >= 0) room[row + at[r]!]!--;
  }
}

/** Whether broker b held partition p at the start. */
export function wasOn(problem: Problem, p: number, b: number): boolean {
  for (let r = problem.first[p]!; r < problem.first[p + 1]!; r++) if (problem.home[r] === b) return true;
  return false;
}

/** Whether broker b holds partition p now. */
export function isOn(state: State, p: number, b: number): boolean {
  const { problem, at } = state;
  for (let r = problem.first[p]!; r < problem.first[p + 1]!; r++) if (at[r] === b) return true;
  return false;
}

function racksOf(state: State, p: number, skip: number, extra: number): number {
  const { problem, at } = state;
  const { first, rack } = problem;
  let count = 0;
  for (let r = first[p]!; r < first[p + 1]!; r++) {
    const own = rack[r === skip ? extra : at[r]!]!;
    let known = false;
    for (let q = first[p]!; q < r && !known; q++) known = rack[q === skip ? extra : at[q]!] === own;
    if (!known) count++;
  }
  return count;
}

/** Racks that partition p must use: min(racks with a serving broker, replication factor). */
export function racksNeeded(problem: Problem, p: number): number {
  return Math.min(problem.servingRacks, problem.first[p + 1]! - problem.first[p]!);
}

/** Whether partition p lies on too few racks. */
export const crowded = (state: State, p: number): boolean =>
  racksOf(state, p, -1, -1) < racksNeeded(state.problem, p);

/** Whether replica r of partition p may go to broker b as far as racks are concerned: never to fewer than needed. */
export function spreadAllows(state: State, p: number, r: number, b: number): boolean {
  const { rack } = state.problem;
  if (rack[state.at[r]!] === rack[b]) return true;
  const after = racksOf(state, p, r, b);
  return after >= racksNeeded(state.problem, p) || after >= racksOf(state, p, -1, -1);
}

/**
 * Draws the limits of the search in by `margin` on both sides, where the band is wide enough for that: loads settle
 * around the limits of the search, and so within those of the problem. A margin of 0 restores them.
 */
export function tighten(state: State, margin: number): void {
  const { lower, upper } = state.problem;
  for (let i = 0; i < lower.length; i++) {
    const by = upper[i]! - lower[i]! > 20 * margin ? margin : 0;
    state.lower[i] = lower[i]! + by;
    state.upper[i] = upper[i]! - by;
  }
}

/** Sum of what lies outside the limits, unpriced, in means of a broker. */
export function violation(state: State): number {
  const { lower, upper } = state.problem;
  let sum = 0;
  for (let i = 0; i < state.load.length; i++)
    sum += Math.max(0, state.load[i]! - upper[i]!, lower[i]! - state.load[i]!);
  return sum;
}

/** Serving brokers outside the band, per resource, as evaluators count them. */
export function outside(state: State): number[] {
  const { problem, load } = state;
  return RESOURCES.map((_, k) => {
    let count = 0;
    for (let i = k; i < load.length; i += WIDTH)
      if (load[i]! > problem.upper[i]! || load[i]! < problem.lower[i]!) count++;
    return count;
  });
}

/** Amount of replica r's partition p that the plan copies onto other brokers, in means of a broker's disk. */
export function movedAmount(state: State): { disk: number; replicas: number } {
  const { problem, at } = state;
  let disk = 0;
  let replicas = 0;
  for (let p = 0; p < problem.partitions; p++)
    for (let r = problem.first[p]!; r < problem.first[p + 1]!; r++) {
      if (at[r] === problem.home[r] || wasOn(problem, p, at[r]!)) continue;
      disk += problem.amount[3 * p]!;
      replicas++;
    }
  return { disk, replicas };
}

/** Partitions that another broker leads than at the start. */
export function leadersChanged(state: State): number {
  let count = 0;
  for (let p = 0; p < state.leader.length; p++) if (state.leader[p] !== state.problem.startLeader[p]) count++;
  return count;
}

/** Replicas that had to leave their broker and have not. */
export function stranded(state: State): number {
  const { duty, home } = state.problem;
  let count = 0;
  for (let r = 0; r < duty.length; r++) if (duty[r] === LEAVES && state.at[r] === home[r]) count++;
  return count;
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { FREE, LEAVES, OUT, PINNED, WIDTH } from './problem.ts';
import { crowded, isOn, spreadAllows, sumLoads } from './state.ts';
import type { State } from './state.ts';

/** Beyond any fullness. */
const PILED = 1e6;

/**
 * Meets the hard limits that the start breaks, before any search: replicas that have to leave do, and partitions on
 * too few racks are spread. Each goes to the broker of least disk in use, for its capacity, among the allowed; one
 * for which there is none stays, and is reported.
 */
export function repair(state: State): void {
  const { problem } = state;
  for (let p = 0; p < problem.partitions; p++) {
    for (let r = problem.first[p]!; r < problem.first[p + 1]!; r++)
      if (problem.duty[r] === LEAVES) relocate(state, p, r, false);
    if (crowded(state, p)) spread(state, p);
    releaseLeader(state, p);
  }
  sumLoads(state);
}

function spread(state: State, p: number): void {
  const { first, duty } = state.problem;
  for (let r = first[p]!; r < first[p + 1]! && crowded(state, p); r++)
    if (duty[r] !== PINNED && sharesRack(state, p, r)) relocate(state, p, r, true);
}

function sharesRack(state: State, p: number, r: number): boolean {
  const { first, rack } = state.problem;
  for (let q = first[p]!; q < first[p + 1]!; q++)
    if (q !== r && rack[state.at[q]!] === rack[state.at[r]!]) return true;
  return false;
}

function rackUsed(state: State, p: number, b: number): boolean {
  const { first, rack } = state.problem;
  for (let q = first[p]!; q < first[p + 1]!; q++) if (rack[state.at[q]!] === rack[b]) return true;
  return false;
}

/** What is in use of broker b, as the largest share of its capacity in any resource once p is added. */
function fullness(state: State, p: number, b: number): number {
  const { capacity, amount, upper } = state.problem;
  let most = 0;
  for (let k = 0; k < 3; k++) {
    const i = b * WIDTH + k;
    const load = state.load[i]! + (k < 2 ? amount[3 * p + k]! : 0);
    if (load > capacity[i]!) return Infinity;
    most = Math.max(most, load / Math.max(upper[i]!, 1e-12));
  }
  return most;
}

/** A broker that has enough of the topic takes more only where no other can. */
function piledUp({ problem, room }: State, p: number, b: number): number {
  const row = problem.roomAt[p]!;
  return row >= 0 && room.length > 0 && room[row + b]! <= 0 ? PILED : 0;
}

function relocate(state: State, p: number, r: number, newRack: boolean): void {
  const { brokers, receives, duty, home, amount } = state.problem;
  let best = -1;
  let least = Infinity;
  for (let b = 0; b < brokers; b++) {
    if (!receives[b] || isOn(state, p, b) || (b === home[r] && duty[r] !== FREE)) continue;
    if (newRack ? rackUsed(state, p, b) : !spreadAllows(state, p, r, b)) continue;
    const full = fullness(state, p, b) + piledUp(state, p, b);
    if (full >= least) continue;
    best = b;
    least = full;
  }
  if (best < 0) return;
  const from = state.at[r]!;
  state.load[from * WIDTH]! -= amount[3 * p]!;
  state.load[best * WIDTH]! += amount[3 * p]!;
  state.load[from * WIDTH + 1]! -= amount[3 * p + 1]!;
  state.load[best * WIDTH + 1]! += amount[3 * p + 1]!;
  const row = state.problem.roomAt[p]!;
  if (row >= 0 && state.room.length > 0) {
    state.room[row + from]!++;
    state.room[row + best]!--;
  }
  state.at[r] = best;
}

/**
 * A leader whose replica has gone, or that is on a broker which is to be emptied, is replaced by the replica whose
 * broker has the most of its bytes out left. Where none has enough the partition is led all the same.
 */
function releaseLeader(state: State, p: number): void {
  const { problem, at, leader, load } = state;
  const from = leader[p]!;
  if (from < 0 || problem.leaderPinned[p]) return;
  const gone = !isOn(state, p, from);
  if (!gone && problem.serving[from]) return;
  let best = -1;
  let least = Infinity;
  for (let r = problem.first[p]!; r < problem.first[p + 1]!; r++) {
    const b = at[r]!;
    // A broker that is not to lead does so only where the leader is gone and no other is left.
    const barred = problem.leads[b] ? 0 : 1e9;
    if (barred > 0 && !gone) continue;
    const used = barred + load[b * WIDTH + OUT]! / Math.min(1e9, problem.capacity[b * WIDTH + OUT]!);
    if (used >= least) continue;
    best = b;
    least = used;
  }
  if (best < 0) return;
  load[from * WIDTH + OUT]! -= problem.amount[3 * p + 2]!;
  load[best * WIDTH + OUT]! += problem.amount[3 * p + 2]!;
  leader[p] = best;
}

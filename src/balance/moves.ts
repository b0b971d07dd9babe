/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { DISK, FREE, IN, LEADERS, OUT, REPLICAS, WIDTH } from './problem.ts';
import { isOn, perLeader, perReplica, spreadAllows, wasOn } from './state.ts';
import type { State } from './state.ts';

/** What single moves cost, in the objective that the search minimises, and their effect on a state. */
export interface Moves {
  /** Cost of taking replica r of partition p, and its leadership, to broker b; Infinity where it may not go. */
  readonly cost: (p: number, r: number, b: number) => number;
  readonly move: (p: number, r: number, b: number) => void;
  /** Cost of handing the leadership of p over to `to`, a broker that holds it; Infinity where it may not lead. */
  readonly leaderCost: (p: number, to: number) => number;
  readonly lead: (p: number, to: number) => void;
}

/** The moves of a state: none puts a broker over its capacity or a partition on fewer racks than it needs, or piles a topic up. */
export function movesOf(state: State): Moves {
  const { problem, at, leader, load, price, lower, upper, room } = state;
  const { home, duty, amount, capacity, startLeader, leads, rack, roomAt } = problem;
  const replica = perReplica(problem);
  const leadership = perLeader(problem);

  function outsideBy(i: number, x: number): number {
    const over = x - upper[i]!;
    if (over > 0) return over * price[i]! + state.fee;
    const under = lower[i]! - x;
    return under > 0 ? under * price[i]! + state.fee : 0;
  }
  function shift(i: number, by: number): number {
    const x = load[i]!;
    return outsideBy(i, x + by) - outsideBy(i, x);
  }
  function fits(i: number, by: number): boolean {
    return load[i]! + by <= capacity[i]!;
  }
  function leaderDelta(p: number, from: number, to: number): number {
    const out = amount[3 * p + 2]!;
    const a = from * WIDTH;
    const b = to * WIDTH;
    const start = startLeader[p]!;
    const changed = from === start ? state.leaderCost : to === start ? -state.leaderCost : 0;
    return (
      changed +
      (shift(a + OUT, -out) + shift(b + OUT, out)) +
      (shift(a + LEADERS, -leadership) + shift(b + LEADERS, leadership))
    );
  }
  function mayLead(p: number, to: number): boolean {
    return (leads[to] === 1 || to === startLeader[p]) && fits(to * WIDTH + OUT, amount[3 * p + 2]!);
  }
  function setLeader(p: number, from: number, to: number): void {
    const out = amount[3 * p + 2]!;
    load[from * WIDTH + OUT]! -= out;
    load[to * WIDTH + OUT]! += out;
    load[from * WIDTH + LEADERS]! -= leadership;
    load[to * WIDTH + LEADERS]! += leadership;
    leader[p] = to;
  }

  function allowed(p: number, r: number, b: number): boolean {
    const to = b * WIDTH;
    if (isOn(state, p, b)) return false;
    if (rack[at[r]!] !== rack[b] && !spreadAllows(state, p, r, b)) return false;
    if (!fits(to + DISK, amount[3 * p]!) || !fits(to + IN, amount[3 * p + 1]!)) return false;
    return roomAt[p]! < 0 || room[roomAt[p]! + b]! > 0;
  }

  function replicaDelta(p: number, a: number, b: number): number {
    const disk = amount[3 * p]!;
    const bytesIn = amount[3 * p + 1]!;
    const from = a * WIDTH;
    const to = b * WIDTH;
    return (
      disk * (Number(!wasOn(problem, p, b)) - Number(!wasOn(problem, p, a))) +
      (shift(from + DISK, -disk) + shift(to + DISK, disk)) +
      (shift(from + IN, -bytesIn) + shift(to + IN, bytesIn)) +
      (shift(from + REPLICAS, -replica) + shift(to + REPLICAS, replica))
    );
  }

  function setReplica(p: number, r: number, b: number): void {
    const from = at[r]! * WIDTH;
    const to = b * WIDTH;
    load[from + DISK]! -= amount[3 * p]!;
    load[to + DISK]! += amount[3 * p]!;
    load[from + IN]! -= amount[3 * p + 1]!;
    load[to + IN]! += amount[3 * p + 1]!;
    load[from + REPLICAS]! -= replica;
    load[to + REPLICAS]! += replica;
    if (roomAt[p]! >= 0) {
      room[roomAt[p]! + at[r]!]!++;
      room[roomAt[p]! + b]!--;
    }
    at[r] = b;
  }

  /** What it costs to take replica r of partition p, and its leadership, to broker b; Infinity where it may not. */
  function moveCost(p: number, r: number, b: number): number {
    const a = at[r]!;
    if (a === b || (b === home[r] && duty[r] !== FREE) || !allowed(p, r, b)) return Infinity;
    if (leader[p] !== a) return replicaDelta(p, a, b);
    return mayLead(p, b) ? replicaDelta(p, a, b) + leaderDelta(p, a, b) : Infinity;
  }
  function move(p: number, r: number, b: number): void {
    const a = at[r]!;
    if (leader[p] === a) setLeader(p, a, b);
    setReplica(p, r, b);
  }

  function leaderCost(p: number, to: number): number {
    const from = leader[p]!;
    if (to === from || from < 0 || problem.leaderPinned[p] || !mayLead(p, to)) return Infinity;
    return leaderDelta(p, from, to);
  }
  const lead = (p: number, to: number): void => setLeader(p, leader[p]!, to);
  return { cost: moveCost, move, leaderCost, lead };
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { destinationsOf } from './destinations.ts';
import { DISK, FREE, IN, LEADERS, OUT, PINNED, REPLICAS, WIDTH } from './problem.ts';
import type { Random } from './random.ts';
import { isOn, perLeader, perReplica, spreadAllows, wasOn } from './state.ts';
import type { State } from './state.ts';

export interface Annealer {
  /**
   * Proposes `steps` moves, going round the partitions that are larger than `grain` (in means of a broker's load);
   * a move that costs `delta` more is accepted with probability exp(-delta / temperature). Returns how many were.
   */
  readonly run: (steps: number, temperature: number, grain: number) => number;
  /** Replicas of the partitions that `run` goes round at this grain. */
  readonly round: (grain: number) => number;
}

/** Partitions from 0 to the result are at least `grain` large, they being in descending order. */
function prefix(sizes: Float64Array, grain: number): number {
  let low = 0;
  let high = sizes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sizes[middle]! >= grain) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Share of proposals that change a leader alone, as one in so many. */
const LEADER_EVERY = 5;
/** Up to so many replicas, single moves are coarse beside the width of the bands: exchanges are proposed as well. */
const FEW = 5000;
/** Share of exchanges among the proposals for replicas there. */
const SWAPS = 0.4;
/** The fewest partitions that a round goes over, so that there is always a choice. */
const SMALLEST_ROUND = 64;

/**
 * Simulated annealing (README, "Search"). A move takes one replica to a broker where the racks allow it, or back to
 * its first broker, its leadership going with it; or hands the leadership of a partition to another replica; or, in
 * small clusters, exchanges two replicas.
 * No move puts a broker over its capacity, a partition on fewer racks than it needs, or anything where it may not go.
 */
export function annealer(state: State, random: Random): Annealer {
  const { problem, at, leader, load, price, lower, upper } = state;
  const { first, home, duty, partitionOf, amount, capacity, startLeader, leads, rack } = problem;
  const replica = perReplica(problem);
  const leadership = perLeader(problem);
  const destinations = destinationsOf(problem);
  const swaps = at.length <= FEW;
  const sizes = Float64Array.from({ length: problem.partitions }, (_, p) =>
    Math.max(amount[3 * p]!, amount[3 * p + 1]!),
  );

  function outsideBy(i: number, x: number): number {
    const over = x - upper[i]!;
    if (over > 0) return over * price[i]!;
    const under = lower[i]! - x;
    return under > 0 ? under * price[i]! : 0;
  }
  function shift(i: number, by: number): number {
    const x = load[i]!;
    return outsideBy(i, x + by) - outsideBy(i, x);
  }
  function fits(i: number, by: number): boolean {
    return load[i]! + by <= capacity[i]!;
  }
  function accepts(delta: number, temperature: number): boolean {
    return delta <= 0 || (delta < 20 * temperature && random.next() < Math.exp(-delta / temperature));
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

  function proposeLeader(p: number, temperature: number): number {
    const from = leader[p]!;
    const begin = first[p]!;
    const to = at[begin + random.below(first[p + 1]! - begin)]!;
    if (to === from || problem.leaderPinned[p] || !mayLead(p, to)) return 0;
    if (!accepts(leaderDelta(p, from, to), temperature)) return 0;
    setLeader(p, from, to);
    return 1;
  }

  /** Half of the proposals for a replica that is away take it home. */
  function destination(r: number, p: number): number {
    if (at[r] !== home[r] && duty[r] === FREE && random.next() < 0.5) return home[r]!;
    const x = rack[at[r]!]!;
    const anywhere = first[p + 1]! - first[p]! < problem.servingRacks || destinations.count[x] === 0;
    const begin = anywhere ? 0 : destinations.first[x]!;
    const count = anywhere ? destinations.list.length : destinations.count[x]!;
    return destinations.list[begin + random.below(count)]!;
  }

  function allowed(p: number, r: number, b: number): boolean {
    const to = b * WIDTH;
    if (isOn(state, p, b)) return false;
    if (rack[at[r]!] !== rack[b] && !spreadAllows(state, p, r, b)) return false;
    return fits(to + DISK, amount[3 * p]!) && fits(to + IN, amount[3 * p + 1]!);
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

  function proposeReplica(p: number, r: number, temperature: number): number {
    const b = destination(r, p);
    if (!accepts(moveCost(p, r, b), temperature)) return 0;
    move(p, r, b);
    return 1;
  }

  /** Exchanges two replicas of different partitions: neither broker's count changes on the way. */
  function proposeSwap(r: number, end: number, temperature: number): number {
    const s = random.below(end);
    const a = at[r]!;
    const b = at[s]!;
    const p = partitionOf[r]!;
    const q = partitionOf[s]!;
    if (p === q || duty[s] === PINNED || !problem.receives[a] || !problem.receives[b]) return 0;
    const there = moveCost(p, r, b);
    if (there === Infinity) return 0;
    move(p, r, b);
    if (accepts(there + moveCost(q, s, a), temperature)) {
      move(q, s, a);
      return 1;
    }
    move(p, r, a);
    return 0;
  }

  function nextReplica(end: number, temperature: number): number {
    const r = random.below(end);
    if (duty[r] === PINNED) return 0;
    return swaps && random.next() < SWAPS
      ? proposeSwap(r, end, temperature)
      : proposeReplica(partitionOf[r]!, r, temperature);
  }

  const partitionsFrom = (grain: number): number =>
    Math.min(problem.partitions, Math.max(SMALLEST_ROUND, prefix(sizes, grain)));
  const round = (grain: number): number => first[partitionsFrom(grain)]!;

  function run(steps: number, temperature: number, grain: number): number {
    const partitions = partitionsFrom(grain);
    const replicas = first[partitions]!;
    let accepted = 0;
    for (let i = 0; i < steps; i++)
      accepted +=
        i % LEADER_EVERY === 0
          ? proposeLeader(random.below(partitions), temperature)
          : nextReplica(replicas, temperature);
    return accepted;
  }
  return { run, round };
}

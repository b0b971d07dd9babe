/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { destinationsOf } from './destinations.ts';
import type { Moves } from './moves.ts';
import { FREE, PINNED } from './problem.ts';
import type { Random } from './random.ts';
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
export function annealer(state: State, moves: Moves, random: Random): Annealer {
  const { problem, at } = state;
  const { first, home, duty, partitionOf, amount, rack } = problem;
  const { cost, move, leaderCost, lead } = moves;
  const destinations = destinationsOf(problem);
  const swaps = at.length <= FEW;
  const sizes = Float64Array.from({ length: problem.partitions }, (_, p) =>
    Math.max(amount[3 * p]!, amount[3 * p + 1]!),
  );

  function accepts(delta: number, temperature: number): boolean {
    return delta <= 0 || (delta < 20 * temperature && random.next() < Math.exp(-delta / temperature));
  }

  function proposeLeader(p: number, temperature: number): number {
    const begin = first[p]!;
    const to = at[begin + random.below(first[p + 1]! - begin)]!;
    if (!accepts(leaderCost(p, to), temperature)) return 0;
    lead(p, to);
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

  function proposeReplica(p: number, r: number, temperature: number): number {
    const b = destination(r, p);
    if (!accepts(cost(p, r, b), temperature)) return 0;
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
    const there = cost(p, r, b);
    if (there === Infinity) return 0;
    move(p, r, b);
    if (accepts(there + cost(q, s, a), temperature)) {
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

/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { destinationsOf } from './destinations.ts';
import type { Moves } from './moves.ts';
import { OUT, PINNED, WIDTH } from './problem.ts';
import type { Random } from './random.ts';
import type { State } from './state.ts';

export interface Mender {
  /** Goes up to `rounds` times over the brokers outside their limits; returns how many moves it proposed. */
  readonly run: (rounds: number) => number;
}

/** Proposals for each broker and resource outside: so many for each of its replicas, within these limits. */
const TRIES = 3;
const FEWEST = 300;
const MOST = 6000;
/** Share of exchanges among the proposals for replicas. */
const SWAPS = 0.5;
/** How often the other half of an exchange of leaders is looked for. */
const LOOKS = 8;

/** Replicas by broker as they were when the index was made: those of b from `first[b]` to `first[b + 1]`. */
interface Index {
  readonly list: Int32Array;
  readonly first: Int32Array;
}

function indexOf({ problem, at }: State): Index {
  const first = new Int32Array(problem.brokers + 1);
  for (const b of at) first[b + 1]!++;
  for (let b = 0; b < problem.brokers; b++) first[b + 1]! += first[b]!;
  const next = first.slice();
  const list = new Int32Array(at.length);
  for (let r = 0; r < at.length; r++) list[next[at[r]!]!++] = r;
  return { list, first };
}

/** Positions in `State.load` that are outside the limits, from the worst on. */
function outsideOf({ load, lower, upper }: State): number[] {
  const by = (i: number): number => Math.max(load[i]! - upper[i]!, lower[i]! - load[i]!);
  const found: number[] = [];
  for (let i = 0; i < load.length; i++) if (by(i) > 0) found.push(i);
  return found.sort((a, b) => by(b) - by(a) || a - b);
}

/**
 * The search proposes moves anywhere; few of them touch the last brokers outside their limits. This one proposes only
 * moves that do: replicas and leaderships off a broker that is over, onto one that is under, and exchanges of both,
 * where none makes the objective worse (README, "Search").
 */
export function mender(state: State, moves: Moves, random: Random): Mender {
  const { problem, at, leader, load, upper } = state;
  const { first, partitionOf, duty, receives, rack } = problem;
  const destinations = destinationsOf(problem);
  let index: Index = { list: new Int32Array(0), first: new Int32Array(problem.brokers + 1) };

  /** A replica that lies on broker b and may move, or -1: drawn once, or what is drawn has gone since. */
  function replicaOn(b: number): number {
    const begin = index.first[b]!;
    const count = index.first[b + 1]! - begin;
    const r = count > 0 ? index.list[begin + random.below(count)]! : -1;
    return r >= 0 && at[r] === b && duty[r] !== PINNED ? r : -1;
  }
  /** A broker to exchange with: of the same rack mostly, for there the spread over racks stays as it is. */
  function partner(b: number): number {
    const x = rack[b]!;
    const near = destinations.count[x]! > 1 && random.next() < 0.7;
    return near
      ? destinations.list[destinations.first[x]! + random.below(destinations.count[x]!)]!
      : destinations.list[random.below(destinations.list.length)]!;
  }

  function carry(r: number, b: number): void {
    const p = partitionOf[r]!;
    if (receives[b] && moves.cost(p, r, b) <= 0) moves.move(p, r, b);
  }
  function swap(r: number, s: number): void {
    const a = at[r]!;
    const b = at[s]!;
    const p = partitionOf[r]!;
    const q = partitionOf[s]!;
    const there = p === q || !receives[a] ? Infinity : moves.cost(p, r, b);
    if (there === Infinity) return;
    moves.move(p, r, b);
    if (there + moves.cost(q, s, a) <= 0) moves.move(q, s, a);
    else moves.move(p, r, a);
  }
  function proposeReplica(b: number, over: boolean): void {
    const other = partner(b);
    const exchange = random.next() < SWAPS;
    const r = exchange || over ? replicaOn(b) : replicaOn(other);
    if (r < 0 || other === b) return;
    if (!exchange) {
      carry(r, over ? other : b);
      return;
    }
    const s = replicaOn(other);
    if (s >= 0) swap(r, s);
  }

  /** Hands leadership of p from broker a to b, and that of another partition, which both hold, from b to a. */
  function exchangeLeaders(p: number, a: number, b: number): void {
    const there = moves.leaderCost(p, b);
    if (there === Infinity) return;
    moves.lead(p, b);
    for (let i = 0; i < LOOKS; i++) {
      const s = replicaOn(a);
      const q = s < 0 ? p : partitionOf[s]!;
      if (q === p || leader[q] !== b || there + moves.leaderCost(q, a) > 0) continue;
      moves.lead(q, a);
      return;
    }
    moves.lead(p, a);
  }
  function proposeLeader(b: number, over: boolean): void {
    const r = replicaOn(b);
    if (r < 0) return;
    const p = partitionOf[r]!;
    const begin = first[p]!;
    const from = leader[p]!;
    const to = from === b ? at[begin + random.below(first[p + 1]! - begin)]! : b;
    if (from < 0 || to === from) return;
    const plain = (from === b) === over && moves.leaderCost(p, to) <= 0;
    if (plain) moves.lead(p, to);
    else exchangeLeaders(p, from, to);
  }

  function mend(i: number): number {
    const b = Math.floor(i / WIDTH);
    const leads = i % WIDTH >= OUT;
    const tries = Math.min(MOST, Math.max(FEWEST, TRIES * (index.first[b + 1]! - index.first[b]!)));
    for (let n = 0; n < tries; n++) {
      const over = load[i]! > upper[i]!;
      if (!over && load[i]! >= state.lower[i]!) return n;
      if (leads && n % 4 > 0) proposeLeader(b, over);
      else proposeReplica(b, over);
    }
    return tries;
  }

  function run(rounds: number): number {
    let proposals = 0;
    for (let n = 0; n < rounds; n++) {
      const outside = outsideOf(state);
      if (outside.length === 0) break;
      index = indexOf(state);
      for (const i of outside) proposals += mend(i);
    }
    return proposals;
  }
  return { run };
}

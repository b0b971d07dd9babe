/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { DISK, IN, LEADERS, LEAVES, OUT, PINNED, REPLICAS, WIDTH } from './problem.ts';
import type { Problem } from './problem.ts';
import { perLeader, perReplica, racksNeeded } from './state.ts';

/** The cheapest placement of one partition under given prices. */
export interface Placement {
  /** Its cost: data moved, leader change, and the priced load; `Infinity` where no placement is allowed. */
  cost: number;
  /** Brokers of the replicas, the first `size` entries. */
  readonly brokers: Int32Array;
  size: number;
  leader: number;
}

/** Answers, for prices fixed by `price`, the cheapest placement of each partition. */
export interface Pricer {
  /** Sets a price per broker and resource: what one unit of load there costs. */
  readonly price: (prices: Float64Array) => void;
  /** The cheapest placement of partition p; the same object each time. */
  readonly place: (p: number) => Placement;
}

/** Reward of a pinned replica for staying: beyond all that prices can offer. */
const STAY = 1e6;

interface Offers {
  /** Cheapest follower offers of each rack, `depth` of them in ascending order. */
  cost: Float64Array;
  broker: Int32Array;
  /** Cheapest leader offer of each rack. */
  leaderCost: Float64Array;
  leader: Int32Array;
}

/**
 * The inner problem of the Lagrangian (README, "Bound"): each partition for itself, racks respected. The sets that
 * use enough racks are the bases of a matroid, so the cheapest is found greedily, and the cheapest with a given
 * leader is one exchange away from it.
 */
export function pricer(problem: Problem, leaderCost: number): Pricer {
  const { racks, brokers, rack, first, home, duty, amount, startLeader, leads } = problem;
  const most = first.reduce((max, from, p) => Math.max(max, (first[p + 1] ?? from) - from), 0);
  const depth = Math.max(1, most - problem.servingRacks + 1);
  const replica = perReplica(problem);
  const leadership = perLeader(problem);
  const cost = new Float64Array(brokers * WIDTH);
  const listStart = new Int32Array(racks + 1);
  const list = new Int32Array(brokers);
  /** Prices of the listed brokers, side by side: disk, in, replica, out, leader. */
  const listed = new Float64Array(brokers * WIDTH);
  const isHome = new Int32Array(brokers).fill(-1);
  const taken = new Int32Array(brokers).fill(-1);
  const offers: Offers = {
    cost: new Float64Array(racks * depth),
    broker: new Int32Array(racks * depth),
    leaderCost: new Float64Array(racks),
    leader: new Int32Array(racks),
  };
  const used = new Int32Array(racks);
  const placement: Placement = { cost: 0, brokers: new Int32Array(most), size: 0, leader: -1 };

  /** Whether fewer than `depth` listed brokers of the rack are at least as cheap as b in every resource. */
  function worthwhile(b: number, from: number, to: number): boolean {
    let better = 0;
    for (let i = from; i < to && better < depth; i++) {
      let dominates = 1;
      for (let k = 0; k < WIDTH && dominates; k++)
        if (listed[i * WIDTH + k]! > cost[b * WIDTH + k]!) dominates = 0;
      better += dominates;
    }
    return better < depth;
  }

  function price(prices: Float64Array): void {
    for (let b = 0; b < brokers; b++) {
      const base = b * WIDTH;
      cost[base] = prices[base + DISK]!;
      cost[base + 1] = prices[base + IN]!;
      cost[base + 2] = prices[base + REPLICAS]! * replica;
      cost[base + 3] = prices[base + OUT]!;
      cost[base + 4] = prices[base + LEADERS]! * leadership;
    }
    const order = Array.from({ length: brokers }, (_, b) => b).filter((b) => problem.receives[b]);
    const sum = (b: number): number => cost.subarray(b * WIDTH, b * WIDTH + WIDTH).reduce((s, c) => s + c, 0);
    const sums = Float64Array.from({ length: brokers }, (_, b) => sum(b));
    order.sort((a, b) => rack[a]! - rack[b]! || sums[a]! - sums[b]!);
    let filled = 0;
    let next = 0;
    for (let x = 0; x < racks; x++) {
      listStart[x] = filled;
      for (; next < order.length && rack[order[next]!] === x; next++) {
        const b = order[next]!;
        if (!worthwhile(b, listStart[x]!, filled)) continue;
        list[filled] = b;
        for (let k = 0; k < WIDTH; k++) listed[filled * WIDTH + k] = cost[b * WIDTH + k]!;
        filled++;
      }
    }
    listStart[racks] = filled;
  }

  const leaderPrice = (p: number, b: number): number => {
    const own = startLeader[p] === b;
    if (!own && !leads[b]) return Infinity;
    return amount[3 * p + 2]! * cost[b * WIDTH + 3]! + cost[b * WIDTH + 4]! + (own ? 0 : leaderCost);
  };
  const replicaPrice = (p: number, b: number): number =>
    amount[3 * p]! * cost[b * WIDTH]! + amount[3 * p + 1]! * cost[b * WIDTH + 1]! + cost[b * WIDTH + 2]!;

  function offer(x: number, b: number, follower: number): void {
    let i = x * depth + depth - 1;
    if (follower >= offers.cost[i]!) return;
    for (; i > x * depth && offers.cost[i - 1]! > follower; i--) {
      offers.cost[i] = offers.cost[i - 1]!;
      offers.broker[i] = offers.broker[i - 1]!;
    }
    offers.cost[i] = follower;
    offers.broker[i] = b;
  }

  function offerLeader(x: number, b: number, leader: number): void {
    if (leader >= offers.leaderCost[x]!) return;
    offers.leaderCost[x] = leader;
    offers.leader[x] = b;
  }

  /** Offers of the brokers that hold p already: no data moves. */
  function offerHomes(p: number): void {
    for (let r = first[p]!; r < first[p + 1]!; r++) {
      const b = home[r]!;
      isHome[b] = p;
      if (duty[r] === LEAVES) continue;
      const follower = replicaPrice(p, b) - (duty[r] === PINNED ? STAY : 0);
      offer(rack[b]!, b, follower);
      offerLeader(rack[b]!, b, follower + leaderPrice(p, b));
    }
  }

  function offerOthers(p: number, x: number): void {
    const disk = amount[3 * p]!;
    const bytesIn = amount[3 * p + 1]!;
    const bytesOut = amount[3 * p + 2]!;
    const slot = x * depth + depth - 1;
    for (let i = listStart[x]!; i < listStart[x + 1]!; i++) {
      const base = i * WIDTH;
      const follower = disk + disk * listed[base]! + bytesIn * listed[base + 1]! + listed[base + 2]!;
      const leader = follower + bytesOut * listed[base + 3]! + listed[base + 4]! + leaderCost;
      if (follower >= offers.cost[slot]! && leader >= offers.leaderCost[x]!) continue;
      const b = list[i]!;
      if (isHome[b] === p) continue;
      offer(x, b, follower);
      if (leads[b]) offerLeader(x, b, leader);
    }
  }

  function take(p: number, b: number, x: number): void {
    placement.brokers[placement.size++] = b;
    taken[b] = p;
    used[x]!++;
  }

  /** The cheapest offer left of any rack that may still be used; -1 when there is none. */
  function cheapest(maxPerRack: number): number {
    let best = -1;
    for (let x = 0; x < racks; x++) {
      if (used[x]! >= maxPerRack) continue;
      const i = x * depth + used[x]!;
      if (offers.cost[i]! < Infinity && (best < 0 || offers.cost[i]! < offers.cost[best]!)) best = i;
    }
    return best;
  }

  /** The cheapest set of n brokers on `need` racks, without regard to the leader. */
  function chooseSet(p: number, n: number, need: number): number {
    let sum = 0;
    used.fill(0);
    placement.size = 0;
    while (placement.size < n) {
      const i = cheapest(placement.size < need ? 1 : depth);
      if (i < 0) return Infinity;
      sum += offers.cost[i]!;
      take(p, offers.broker[i]!, Math.floor(i / depth));
    }
    return sum;
  }

  function costIn(b: number): number {
    const x = rack[b]!;
    for (let i = x * depth; i < (x + 1) * depth; i++) if (offers.broker[i] === b) return offers.cost[i]!;
    return Infinity;
  }

  /** Index in the chosen set of the dearest member that may go when a broker of rack x comes. */
  function droppable(n: number, need: number, x: number): number {
    let worst = -1;
    let worstCost = -Infinity;
    for (let i = 0; i < n; i++) {
      const own = rack[placement.brokers[i]!]!;
      const allowed = own === x || (used[x]! === 0 ? true : used[own]! > 1);
      const c = allowed ? costIn(placement.brokers[i]!) : -Infinity;
      if (c > worstCost) {
        worst = i;
        worstCost = c;
      }
    }
    return need > 0 ? worst : -1;
  }

  /** In racks that hold several members, the leader offer must come from outside the set: look again. */
  function refreshLeader(p: number, x: number): void {
    offers.leaderCost[x] = Infinity;
    for (let i = listStart[x]!; i < listStart[x + 1]!; i++) {
      const b = list[i]!;
      if (taken[b] === p || isHome[b] === p) continue;
      const follower = amount[3 * p]! + replicaPrice(p, b);
      offerLeader(x, b, follower + leaderPrice(p, b));
    }
    for (let r = first[p]!; r < first[p + 1]!; r++) {
      const b = home[r]!;
      if (rack[b] !== x || taken[b] === p || duty[r] === LEAVES) continue;
      offerLeader(x, b, replicaPrice(p, b) - (duty[r] === PINNED ? STAY : 0) + leaderPrice(p, b));
    }
  }

  function chooseLeader(p: number, sum: number, need: number): void {
    const n = placement.size;
    let best = Infinity;
    let drop = -1;
    for (let i = 0; i < n; i++) {
      const total = sum + leaderPrice(p, placement.brokers[i]!);
      if (total >= best) continue;
      best = total;
      placement.leader = placement.brokers[i]!;
    }
    for (let x = 0; x < racks; x++) {
      if (depth > 1) refreshLeader(p, x);
      if (offers.leaderCost[x]! === Infinity || taken[offers.leader[x]!] === p) continue;
      const out = droppable(n, need, x);
      const total = sum + offers.leaderCost[x]! - costIn(placement.brokers[out]!);
      if (total >= best) continue;
      best = total;
      placement.leader = offers.leader[x]!;
      drop = out;
    }
    if (drop >= 0) placement.brokers[drop] = placement.leader;
    placement.cost = best;
  }

  /** A partition of which no replica moves: only its leader may be chosen. */
  function placeFixed(p: number): Placement {
    const n = first[p + 1]! - first[p]!;
    let sum = 0;
    placement.size = 0;
    for (let r = first[p]!; r < first[p + 1]!; r++) {
      placement.brokers[placement.size++] = home[r]!;
      sum += replicaPrice(p, home[r]!);
    }
    placement.leader = startLeader[p]!;
    let best = placement.leader < 0 ? 0 : leaderPrice(p, placement.leader);
    for (let i = 0; i < n && !problem.leaderPinned[p]; i++) {
      const own = leaderPrice(p, placement.brokers[i]!);
      if (own >= best) continue;
      best = own;
      placement.leader = placement.brokers[i]!;
    }
    placement.cost = sum + best;
    return placement;
  }

  function place(p: number): Placement {
    let pinned = 0;
    const n = first[p + 1]! - first[p]!;
    for (let r = first[p]!; r < first[p + 1]!; r++) if (duty[r] === PINNED) pinned++;
    if (pinned === n) return placeFixed(p);
    offers.cost.fill(Infinity);
    offers.broker.fill(-1);
    offers.leaderCost.fill(Infinity);
    offerHomes(p);
    for (let x = 0; x < racks; x++) offerOthers(p, x);
    const need = racksNeeded(problem, p);
    const sum = chooseSet(p, n, need);
    if (sum === Infinity) {
      placement.cost = Infinity;
      return placement;
    }
    chooseLeader(p, sum, need);
    placement.cost += pinned * STAY;
    return placement;
  }

  return { price, place };
}

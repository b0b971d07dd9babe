/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { Budget } from './budget.ts';
import { pricer } from './pricing.ts';
import type { Placement, Pricer } from './pricing.ts';
import { DISK, IN, LEADERS, OUT, REPLICAS, WIDTH } from './problem.ts';
import type { Problem } from './problem.ts';
import { perLeader, perReplica, startState } from './state.ts';

/** Lower bounds on the data moved, in means of a broker's disk; for all plans that meet every limit. */
export interface Bounds {
  /** What the disk alone requires: out of brokers above their limit, or into those below. */
  readonly disk: number;
  /** What all resources and the racks together require; never below `disk`. */
  readonly all: number;
}

/** No price goes beyond this, so a plan that lies outside its limits by v still moves at least `all - v · this`. */
export const HIGHEST_PRICE = 30;

/** The loads at the start, flattened as in `State.load`. */
const startLoads = (problem: Problem): Float64Array => startState(problem, 0, 0).load;

/** The disk-only bound: sums of what is above, and below, the band; all that a draining broker holds has to leave. */
export function diskBound(problem: Problem): number {
  const load = startLoads(problem);
  let out = 0;
  let into = 0;
  for (let b = 0; b < problem.brokers; b++) {
    const i = b * WIDTH + DISK;
    if (!problem.serving[b]) out += load[i]!;
    else {
      out += Math.max(0, load[i]! - problem.upper[i]!);
      into += Math.max(0, problem.lower[i]! - load[i]!);
    }
  }
  return Math.max(out, into);
}

/** Prices under which the Lagrangian already gives the disk bound. */
function startPrices(problem: Problem): Float64Array {
  const load = startLoads(problem);
  const above = new Float64Array(load.length);
  const below = new Float64Array(load.length);
  let out = 0;
  let into = 0;
  for (let b = 0; b < problem.brokers; b++) if (!problem.serving[b]) out += load[b * WIDTH + DISK]!;
  for (let i = DISK; i < load.length; i += WIDTH) {
    const over = load[i]! - problem.upper[i]!;
    const under = problem.lower[i]! - load[i]!;
    if (over > 0) above[i] = 1;
    if (under > 0) below[i] = -1;
    out += Math.max(0, over);
    into += Math.max(0, under);
  }
  return out >= into ? above : below;
}

interface Evaluation {
  /** Value of the dual function: a lower bound. */
  value: number;
  /** Its slope at the prices: how far each load of the cheapest placements is from the limit that is priced. */
  readonly slope: Float64Array;
}

function addPlacement(problem: Problem, p: number, placement: Placement, load: Float64Array): void {
  const replica = perReplica(problem);
  for (let i = 0; i < placement.size; i++) {
    const base = placement.brokers[i]! * WIDTH;
    load[base + DISK]! += problem.amount[3 * p]!;
    load[base + IN]! += problem.amount[3 * p + 1]!;
    load[base + REPLICAS]! += replica;
  }
  if (placement.leader < 0) return;
  const base = placement.leader * WIDTH;
  load[base + OUT]! += problem.amount[3 * p + 2]!;
  load[base + LEADERS]! += perLeader(problem);
}

function evaluate(problem: Problem, inner: Pricer, prices: Float64Array): Evaluation {
  const { lower, upper } = problem;
  const load = new Float64Array(prices.length);
  let value = 0;
  inner.price(prices);
  for (let p = 0; p < problem.partitions; p++) {
    const placement = inner.place(p);
    value += placement.cost;
    if (placement.cost === Infinity) return { value: 0, slope: load };
    addPlacement(problem, p, placement, load);
  }
  const slope = load;
  for (let i = 0; i < prices.length; i++) {
    const price = prices[i]!;
    if (price > 0) {
      value -= price * upper[i]!;
      slope[i]! -= upper[i]!;
    } else if (price < 0) {
      value -= price * lower[i]!;
      slope[i]! -= lower[i]!;
    } else slope[i] = Math.max(0, load[i]! - upper[i]!) - Math.max(0, lower[i]! - load[i]!);
  }
  return { value, slope };
}

/** Keeps a price where its limit exists, at most at the highest, and stops at 0 before it changes sign. */
function clamp(problem: Problem, i: number, from: number, to: number): number {
  if ((from > 0 && to < 0) || (from < 0 && to > 0)) return 0;
  if (to > 0) return problem.upper[i] === Infinity ? 0 : Math.min(to, HIGHEST_PRICE);
  return problem.lower[i] === -Infinity ? 0 : Math.max(to, -HIGHEST_PRICE);
}

/** Length of the steps at first and at last, and how much of its direction each keeps from the one before. */
const FIRST_STEP = 0.01;
const LAST_STEP = 0.0003;
const MOMENTUM = 0.8;

/**
 * Raises the dual function by scaled subgradient steps until the budget is spent, and returns the best bound seen.
 * Every evaluation is a proof by itself (weak duality), so stopping early costs tightness only.
 */
export function boundsOf(problem: Problem, budget: Budget): Bounds {
  const disk = diskBound(problem);
  const inner = pricer(problem, 0);
  const prices = startPrices(problem);
  const momentum = new Float64Array(prices.length);
  const scale = new Float64Array(prices.length);
  const begin = budget.spent(0);
  let all = disk;
  let work = 0;
  for (let share = begin; share < 1; share = budget.spent(work)) {
    const { value, slope } = evaluate(problem, inner, prices);
    work += problem.partitions;
    all = Math.max(all, value);
    const step = FIRST_STEP * (LAST_STEP / FIRST_STEP) ** ((share - begin) / (1 - begin));
    for (let i = 0; i < prices.length; i++) {
      momentum[i] = MOMENTUM * momentum[i]! + (1 - MOMENTUM) * slope[i]!;
      scale[i] = 0.95 * scale[i]! + 0.05 * slope[i]! ** 2;
      const to = prices[i]! + (step * momentum[i]!) / (Math.sqrt(scale[i]!) + 1e-3);
      prices[i] = clamp(problem, i, prices[i]!, to);
    }
  }
  return { disk, all };
}

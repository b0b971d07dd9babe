/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { annealer } from './anneal.ts';
import type { Annealer } from './anneal.ts';
import { boundsOf } from './bounds.ts';
import { interruptible, part } from './budget.ts';
import type { Budget } from './budget.ts';
import { obstaclesOf } from './infeasible.ts';
import { reassignmentOf } from './plan.ts';
import type { Assignment, Reassignment } from './plan.ts';
import type { Problem } from './problem.ts';
import { randomOf } from './random.ts';
import { repair } from './repair.ts';
import { leadersChanged, movedAmount, startState, sumLoads, tighten, violation } from './state.ts';
import type { State } from './state.ts';
import { summaryOf } from './summary.ts';
import type { Summary } from './summary.ts';

export interface PlanOptions {
  readonly budget: Budget;
  readonly seed?: number;
  /** What a changed leader costs, in copies of an average replica; 0.025 when absent. */
  readonly leaderWeight?: number;
  /** Plan only when a broker is further than this from the average; absent: always. */
  readonly trigger?: number;
  /** Called with each better plan, from the first complete one on. */
  readonly onBetter?: (progress: Progress) => void;
  /** Ends the search at once; the best plan so far is returned. */
  readonly interrupted?: () => boolean;
}

export interface Progress {
  /** How far loads lie outside their limits, in means of a broker, summed. */
  readonly violation: number;
  readonly movedShare: number;
  readonly leaderChanges: number;
}

export interface Plan {
  readonly assignment: Assignment;
  readonly reassignment: Reassignment;
  readonly summary: Summary;
}

/** Price of a unit of violation when none is to be traded for less movement. */
const STRICT = 1000;
/** Proposals between two looks at the budget. */
const CHUNK = 20_000;
/** Share of the budget for the search, the rest raises the lower bound. */
const SEARCH_SHARE = 0.8;
/** The schedule of the main search (README, "Search"). Temperatures in sizes of an average replica. */
const STYLES: readonly Style[] = [
  { hottest: 1, lastPrice: 2 },
  { hottest: 30, lastPrice: 2 },
  { hottest: 30, lastPrice: 2 },
  { hottest: 1, lastPrice: 30 },
];
const COLDEST = 2e-3;
const TAIL = 0.15;
const SWEEP = 0.5;
/** Proposals for each replica that make a cooling thorough, and the most coolings. */
const THOROUGH = 300;
const MOST_COOLINGS = 32;
const FIRST_PRICE = 1.05;

/** How much tighter than the limits the search aims, in means of a broker. */
const MARGIN = 3e-4;

/** A way to cool: from which temperature, and to which price of violation. */
interface Style {
  readonly hottest: number;
  readonly lastPrice: number;
}

const ROUNDING = 1e-9;
/** How often, and how hot, a plan that is not within all limits is shaken. */
const SHAKES = 6;
const SHAKE = 0.02;
/** Proposals of the cooling that makes the first plan: in all, but at least so many for each replica. */
const FIRST_STEPS = 800_000;
const FIRST_ROUNDS = 5;
const FIRST_STYLE: Style = { hottest: 3, lastPrice: 5 };
/** Where the budget is for one cooling only. */
const ONLY_STYLE: Style = { hottest: 30, lastPrice: 2 };

interface Score {
  readonly violation: number;
  readonly moved: number;
  readonly leaders: number;
}

function scoreOf(state: State): Score {
  sumLoads(state);
  return {
    violation: violation(state),
    moved: movedAmount(state).disk,
    leaders: leadersChanged(state),
  };
}

/** Lexicographic: violation, then data moved, then leader changes. */
function better(a: Score, b: Score): boolean {
  if (Math.abs(a.violation - b.violation) > ROUNDING) return a.violation < b.violation;
  if (Math.abs(a.moved - b.moved) > ROUNDING) return a.moved < b.moved;
  return a.leaders < b.leaders;
}

/** One temperature of the cooling, with the share of the search at which it begins. */
interface Level {
  readonly begins: number;
  readonly temperature: number;
  readonly price: number;
}

const LEVELS = 200;

/**
 * Temperatures fall geometrically, and each lasts the longer the more replicas take part in it (to the power
 * `SWEEP`). Meanwhile the price of violation rises from just above the value of what would have to move, so that
 * exchanges over the edge of a band stay cheap; in the tail it becomes prohibitive.
 */
function coolingOf({ hottest, lastPrice }: Style, round: (temperature: number) => number): Level[] {
  const levels = Array.from({ length: LEVELS }, (_, i) => {
    const share = i / LEVELS;
    return {
      temperature: hottest * (COLDEST / hottest) ** share,
      price: FIRST_PRICE * (lastPrice / FIRST_PRICE) ** share,
    };
  });
  const duration = levels.map(({ temperature }) => round(temperature) ** SWEEP);
  const total = duration.reduce((sum, one) => sum + one, 0);
  let passed = 0;
  return levels.map((level, i) => {
    const begins = ((1 - TAIL) * passed) / total;
    passed += duration[i]!;
    return { ...level, begins };
  });
}

/** Price of violation in the tail, and its temperature, the coldest. */
function tailOf(share: number, { lastPrice }: Style): Level {
  const into = Math.max(0, (share - 1 + TAIL) / TAIL);
  return { begins: 1 - TAIL, temperature: COLDEST, price: lastPrice * (STRICT / lastPrice) ** into };
}

class Search {
  readonly problem: Problem;
  readonly options: PlanOptions;
  readonly budget: Budget;
  /** Size of an average replica, in means of a broker's disk. */
  readonly grain: number;
  readonly state: State;
  readonly annealing: Annealer;
  readonly start: Assignment;
  best: { score: Score; assignment: Assignment };
  steps = 0;

  constructor(problem: Problem, options: PlanOptions) {
    this.problem = problem;
    this.options = options;
    this.budget = interruptible(options.budget, options.interrupted ?? (() => false));
    const serving = problem.serving.reduce((sum, one) => sum + one, 0);
    this.grain = serving / Math.max(1, problem.home.length);
    this.state = startState(problem, STRICT, (options.leaderWeight ?? 0.025) * this.grain);
    repair(this.state);
    this.start = this.assignment();
    this.best = { score: scoreOf(this.state), assignment: this.start };
    this.annealing = annealer(this.state, randomOf(options.seed ?? 1));
  }

  assignment(): Assignment {
    return { at: this.state.at.slice(), leader: this.state.leader.slice() };
  }

  load({ at, leader }: Assignment): void {
    this.state.at.set(at);
    this.state.leader.set(leader);
    sumLoads(this.state);
  }

  run(steps: number, temperature: number): number {
    this.steps += steps;
    return this.annealing.run(steps, temperature * this.grain, temperature * this.grain);
  }

  /** Keeps the state when it is the best so far. */
  keep(): Score {
    const score = scoreOf(this.state);
    if (!better(score, this.best.score)) return score;
    this.best = { score, assignment: this.assignment() };
    const serving = this.problem.serving.reduce((sum, one) => sum + one, 0);
    this.options.onBetter?.({
      violation: score.violation,
      movedShare: score.moved / serving,
      leaderChanges: score.leaders,
    });
    return score;
  }
}

/**
 * Descends, violations first, until a round changes little; brings home what need not have moved. Where violations
 * are left it is shaken a little and descends again, a few times.
 */
function settle(search: Search, rounds: number): void {
  const { state } = search;
  const round = Math.max(CHUNK, 2 * search.problem.home.length);
  state.price.fill(STRICT);
  tighten(state, 0);
  for (let i = 0; i < rounds && search.run(round, 0) > round / 5000; i++);
  for (let i = 0; i < SHAKES && violation(state) > ROUNDING && search.budget.spent(search.steps) < 1; i++) {
    search.run(round, SHAKE);
    search.run(round, 0);
  }
  search.keep();
}

/** One cooling from the start; `done` tells how much of it has passed, it ends at 1. */
function cool(search: Search, style: Style, done: () => number): void {
  const levels = coolingOf(style, (temperature) => search.annealing.round(temperature * search.grain));
  const chunk = Math.min(CHUNK, Math.ceil(search.problem.home.length / 4));
  search.load(search.start);
  tighten(search.state, MARGIN);
  let level = 0;
  for (let share = done(); share < 1; share = done()) {
    while (level + 1 < LEVELS && levels[level + 1]!.begins <= share) level++;
    const { temperature, price } = share < 1 - TAIL ? levels[level]! : tailOf(share, style);
    search.state.price.fill(price);
    search.run(chunk, temperature);
  }
}

/** A first plan within all limits, as fast as it can be had: one short cooling. */
function construct(search: Search): void {
  const replicas = search.problem.home.length;
  const steps = Math.max(FIRST_ROUNDS * replicas, Math.min(FIRST_STEPS, THOROUGH * replicas));
  cool(search, FIRST_STYLE, () => Math.max(search.steps / steps, search.budget.spent(search.steps)));
  settle(search, 2);
}

/**
 * Coolings one after the other, hot and lukewarm ones in turn, as many as the budget has for thorough ones: one
 * alone may be caught by where it put the few largest partitions.
 */
function main(search: Search): void {
  const budget = part(search.budget, SEARCH_SHARE);
  const begin = budget.spent(search.steps);
  const affordable = (search.steps * (1 - begin)) / begin / search.problem.home.length / THOROUGH;
  const coolings = Math.max(1, Math.min(MOST_COOLINGS, Math.floor(affordable)));
  for (let i = 0; i < coolings && budget.spent(search.steps) < 1; i++) {
    const from = budget.spent(search.steps);
    const to = from + (1 - from) / (coolings - i);
    const style = coolings === 1 ? ONLY_STYLE : STYLES[i % STYLES.length]!;
    cool(search, style, () => (budget.spent(search.steps) - from) / (to - from));
    settle(search, 8);
  }
}

/** Whether some broker is further from the average than the trigger, or something has to leave. */
function due(problem: Problem, trigger: number): boolean {
  const start = startState(problem, 0, 0);
  if (problem.duty.includes(2)) return true;
  return start.load.some((load, i) => {
    const share = problem.share[i]!;
    return share > 0 && Math.abs(load / share - 1) > trigger;
  });
}

/**
 * Finds a plan that meets the limits with least data moved, then least leader changes, as far as the budget goes.
 * Deterministic for a seed and a budget of steps.
 */
export function plan(problem: Problem, options: PlanOptions): Plan {
  const search = new Search(problem, options);
  const { budget } = search;
  if (options.trigger === undefined || due(problem, options.trigger)) {
    construct(search);
    if (budget.spent(search.steps) < SEARCH_SHARE) main(search);
  }
  search.load(search.best.assignment);
  const bounds = boundsOf(problem, {
    spent: (work) => budget.spent(search.steps + work),
  });
  return {
    assignment: search.best.assignment,
    reassignment: reassignmentOf(problem, search.best.assignment),
    summary: summaryOf(search.state, bounds, { obstacles: obstaclesOf(problem), steps: search.steps }),
  };
}

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
const HOTTEST = 30;
const COLDEST = 2e-3;
const TAIL = 0.15;
const SWEEP = 0.5;
const FIRST_PRICE = 1.05;
const LAST_PRICE = 2;

/** How much tighter than the limits the search aims, in means of a broker. */
const MARGIN = 3e-4;

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

const ROUNDING = 1e-9;

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
function coolingOf(round: (temperature: number) => number): Level[] {
  const levels = Array.from({ length: LEVELS }, (_, i) => {
    const share = i / LEVELS;
    return {
      temperature: HOTTEST * (COLDEST / HOTTEST) ** share,
      price: FIRST_PRICE * (LAST_PRICE / FIRST_PRICE) ** share,
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
function tailOf(share: number): Level {
  const into = Math.max(0, (share - 1 + TAIL) / TAIL);
  return { begins: 1 - TAIL, temperature: COLDEST, price: LAST_PRICE * (STRICT / LAST_PRICE) ** into };
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

/** Descends, violations first, until a round changes little; brings home what need not have moved. */
function settle(search: Search, rounds: number): void {
  search.state.price.fill(STRICT);
  tighten(search.state, 0);
  const round = Math.max(CHUNK, 2 * search.problem.home.length);
  for (let i = 0; i < rounds; i++) {
    const accepted = search.run(round, 0);
    if (accepted < round / 5000) break;
  }
  search.keep();
}

/** A first plan within all limits, as fast as it can be had: a short cooling from lukewarm. */
function construct(search: Search): void {
  const rounds = 16;
  const round = Math.max(CHUNK, search.problem.home.length);
  search.state.price.fill(5);
  tighten(search.state, MARGIN);
  for (let i = 0; i < rounds && search.budget.spent(search.steps) < 1; i++)
    search.run(round, 0.3 * 0.01 ** (i / rounds));
  settle(search, 4);
}

function main(search: Search): void {
  const budget = part(search.budget, SEARCH_SHARE);
  const begin = budget.spent(search.steps);
  search.load(search.start);
  tighten(search.state, MARGIN);
  const levels = coolingOf((temperature) => search.annealing.round(temperature * search.grain));
  let share = begin;
  let level = 0;
  while (share < 1) {
    const done = (share - begin) / (1 - begin);
    while (level + 1 < LEVELS && levels[level + 1]!.begins <= done) level++;
    const { temperature, price } = done < 1 - TAIL ? levels[level]! : tailOf(done);
    search.state.price.fill(price);
    search.run(CHUNK, temperature);
    share = budget.spent(search.steps);
  }
  settle(search, 8);
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

/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { annealer } from './anneal.ts';
import type { Annealer } from './anneal.ts';
import { boundsOf } from './bounds.ts';
import { interruptible, part } from './budget.ts';
import type { Budget } from './budget.ts';
import { placeInDirectories } from './directories.ts';
import { mender } from './mend.ts';
import type { Mender } from './mend.ts';
import { movesOf } from './moves.ts';
import { obstaclesOf } from './infeasible.ts';
import { reassignmentOf } from './plan.ts';
import type { Assignment, Reassignment } from './plan.ts';
import type { Problem } from './problem.ts';
import { randomOf } from './random.ts';
import { repair } from './repair.ts';
import { FIRST_STYLE, LEVELS, ONLY_STYLE, STRICT, STYLES, TAIL, coolingOf, tailOf } from './schedule.ts';
import type { Style } from './schedule.ts';
import { leadersChanged, movedAmount, outside, startState, sumLoads, tighten, violation } from './state.ts';
import type { State } from './state.ts';
import { summaryOf } from './summary.ts';
import type { Summary } from './summary.ts';
import type { Within } from './within.ts';

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

/** Proposals between two looks at the budget. */
const CHUNK = 20_000;
/** Share of the budget for the search, the rest raises the lower bound. */
const SEARCH_SHARE = 0.8;
/** Proposals for each replica that make a cooling thorough, and the most coolings. */
const THOROUGH = 300;
const MOST_COOLINGS = 32;

/** How much tighter than the limits the search aims, in means of a broker. */
const MARGIN = 3e-4;

const ROUNDING = 1e-9;
/** How often, and how hot, a plan that is not within all limits is shaken. */
const SHAKES = 6;
const SHAKE = 0.02;
/** It is given up when a shake leaves more than this share of the violation: what is left may be out of reach. */
const STALLED = 0.98;
/** Rounds over the brokers outside their limits, each time. */
const MENDS = 4;
/** Proposals of the cooling that makes the first plan: in all, but at least so many for each replica. */
const FIRST_STEPS = 800_000;
const FIRST_ROUNDS = 5;

interface Score {
  readonly violation: number;
  readonly outside: number;
  readonly moved: number;
  readonly leaders: number;
}

function scoreOf(state: State): Score {
  sumLoads(state);
  return {
    violation: violation(state),
    outside: outside(state).reduce((sum, n) => sum + n, 0),
    moved: movedAmount(state).disk,
    leaders: leadersChanged(state),
  };
}

/** What a broker and resource outside its limits counts for in itself, in units of violation. */
const FEE = 1e-3;

/** Lexicographic: violation, then data moved, then leader changes. */
function better(a: Score, b: Score): boolean {
  const short = a.violation + FEE * a.outside - b.violation - FEE * b.outside;
  if (Math.abs(short) > ROUNDING) return short < 0;
  if (Math.abs(a.moved - b.moved) > ROUNDING) return a.moved < b.moved;
  return a.leaders < b.leaders;
}

class Search {
  readonly problem: Problem;
  readonly options: PlanOptions;
  readonly budget: Budget;
  /** Size of an average replica, in means of a broker's disk. */
  readonly grain: number;
  readonly state: State;
  readonly annealing: Annealer;
  readonly mending: Mender;
  readonly start: Assignment;
  /** Whether a hard limit asked for moves already. */
  readonly repaired: boolean;
  best: { score: Score; assignment: Assignment };
  steps = 0;

  constructor(problem: Problem, options: PlanOptions) {
    this.problem = problem;
    this.options = options;
    this.budget = interruptible(options.budget, options.interrupted ?? (() => false));
    const serving = problem.serving.reduce((sum, one) => sum + one, 0);
    this.grain = serving / Math.max(1, problem.home.length);
    const room = new Int16Array(problem.topicMost.length);
    this.state = startState(problem, STRICT, (options.leaderWeight ?? 0.025) * this.grain, room);
    repair(this.state);
    this.repaired =
      this.state.at.some((b, r) => b !== problem.home[r]) ||
      this.state.leader.some((b, p) => b !== problem.startLeader[p]);
    const random = randomOf(options.seed ?? 1);
    this.start = this.assignment();
    this.best = { score: scoreOf(this.state), assignment: this.start };
    const moves = movesOf(this.state);
    this.annealing = annealer(this.state, moves, random);
    this.mending = mender(this.state, moves, random);
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

  mend(): void {
    this.steps += this.mending.run(MENDS);
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
 * Descends, violations first, until a round changes little; brings home what need not have moved. Brokers left
 * outside are mended one by one; where that is not enough it is shaken a little and mended again, a few times.
 */
function settle(search: Search, rounds: number): void {
  const { state } = search;
  const round = Math.max(CHUNK, 2 * search.problem.home.length);
  state.price.fill(STRICT);
  state.fee = STRICT * FEE;
  tighten(state, 0);
  for (let i = 0; i < rounds && search.run(round, 0) > round / 5000; i++);
  search.mend();
  let before = Infinity;
  for (let i = 0; i < SHAKES && search.budget.spent(search.steps) < 1; i++) {
    const left = violation(state);
    if (left <= ROUNDING || left > STALLED * before) break;
    before = left;
    search.run(round, SHAKE);
    search.mend();
    search.run(round, 0);
  }
  search.keep();
  state.fee = 0;
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

/** Whether some broker is further from the average than the trigger. */
function due(problem: Problem, trigger: number): boolean {
  const start = startState(problem, 0, 0);
  return start.load.some((load, i) => {
    const share = problem.share[i]!;
    return share > 0 && Math.abs(load / share - 1) > trigger;
  });
}

const withinSummary = ({ directory: _, ...within }: Within): NonNullable<Summary['directories']> => within;

/**
 * Finds a plan that meets the limits with least data moved, then least leader changes, as far as the budget goes.
 * Deterministic for a seed and a budget of steps.
 */
export function plan(problem: Problem, options: PlanOptions): Plan {
  const search = new Search(problem, options);
  const { budget } = search;
  const isDue = options.trigger === undefined || search.repaired || due(problem, options.trigger);
  if (isDue) {
    construct(search);
    if (budget.spent(search.steps) < SEARCH_SHARE) main(search);
  }
  const { assignment, directory, refused, within } = placeInDirectories(
    problem,
    search.best.assignment,
    options.trigger,
  );
  search.load(assignment);
  const bounds = boundsOf(problem, {
    spent: (work) => budget.spent(search.steps + work),
  });
  return {
    assignment,
    reassignment: reassignmentOf(problem, assignment, directory),
    summary: summaryOf(search.state, bounds, {
      obstacles: obstaclesOf(problem),
      steps: search.steps,
      refused,
      ...(within === undefined ? {} : { directories: withinSummary(within) }),
      due: isDue || (within?.replicas ?? 0) > 0,
    }),
  };
}

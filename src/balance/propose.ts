import { budgetOfSteps, budgetOfTime } from './budget.ts';
import type { ClusterModel } from './model.ts';
import { marked } from './mark.ts';
import { plan } from './planner.ts';
import type { Plan, Progress } from './planner.ts';
import { problemOf } from './problem.ts';
import type { ProblemOptions } from './problem.ts';

/**
 * For a live cluster: what starts a plan, and what it plans to. The gap between the two keeps a balanced cluster from
 * being planned for again as soon as it drifts.
 */
export const DEFAULT_TRIGGER = 0.15;
export { DEFAULT_TOLERANCE } from './problem.ts';

/** Everything that decides a plan, as plain data, so that it crosses to a worker thread. */
export interface Request extends ProblemOptions {
  /** Brokers to fill in mode add-brokers, or to empty in mode remove-brokers, beside those that the model marks. */
  readonly brokers?: readonly number[];
  /** Milliseconds to search, or, for a plan that can be made again, `steps`. */
  readonly budgetMs?: number;
  readonly steps?: number;
  readonly seed?: number;
  /** What a changed leader costs, in copies of an average replica. */
  readonly leaderWeight?: number;
  /** Plan only when a broker is further than this from the average. */
  readonly trigger?: number;
}

/** What the shell provides: time, news of better plans, and the wish to stop. */
export interface Surroundings {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly onBetter?: (progress: Progress) => void;
  readonly interrupted?: () => boolean;
}

/** Search time when a request gives none: 5 s up to 30,000 replicas, 20 s up to a million, 60 s beyond. */
export function defaultBudgetMs(model: ClusterModel): number {
  const replicas = model.partitions.reduce((sum, p) => sum + p.replicas.length, 0);
  if (replicas <= 30_000) return 5_000;
  return replicas < 900_000 ? 20_000 : 60_000;
}

/**
 * Plans for a valid model (`parseModel`). With `steps` the outcome depends on the request alone, else on the speed of
 * the machine as well.
 */
export function propose(model: ClusterModel, request: Request, surroundings: Surroundings): Plan {
  const budget =
    request.steps === undefined
      ? budgetOfTime(request.budgetMs ?? defaultBudgetMs(model), surroundings.now)
      : budgetOfSteps(request.steps);
  const problem = problemOf(marked(model, request.mode, request.brokers), request);
  return plan(problem, { ...request, ...surroundings, budget });
}

export type { Budget } from './budget.ts';
export { budgetOfSteps, budgetOfTime } from './budget.ts';
export type { Refusal } from './directories.ts';
export { marked } from './mark.ts';
export type { Obstacle } from './infeasible.ts';
export type {
  BrokerModel,
  BrokerState,
  Capacity,
  ClusterModel,
  LogDirectory,
  PartitionModel,
} from './model.ts';
export { minimumText } from './minimum.ts';
export { bytesPerMB, ModelError, parseModel } from './model.ts';
export type { Reassignment } from './plan.ts';
export type { Plan, PlanOptions, Progress } from './planner.ts';
export { plan } from './planner.ts';
export type { Mode, Problem, ProblemOptions, Resource } from './problem.ts';
export { RESOURCES, problemOf } from './problem.ts';
export type { Request, Surroundings } from './propose.ts';
export { DEFAULT_TOLERANCE, DEFAULT_TRIGGER, defaultBudgetMs, propose } from './propose.ts';
export { report } from './report.ts';
export type { BrokerLoad, Summary } from './summary.ts';
export type { TopicPile } from './topics.ts';
export type { RunningPlan } from './worker.ts';
export { planInWorker } from './worker.ts';

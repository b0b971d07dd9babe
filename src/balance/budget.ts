/** How much of the search is spent: a share from 0, the search ends at 1. */
export interface Budget {
  /** @param work proposals made so far; a bound's evaluation of one partition counts as one */
  readonly spent: (work: number) => number;
}

/** Ends after that much work, so the same seed gives the same plan everywhere. */
export const budgetOfSteps = (steps: number): Budget => ({ spent: (work) => work / steps });

/** Ends after that many milliseconds by the given clock, counted from now. */
export function budgetOfTime(durationMs: number, now: () => number): Budget {
  const start = now();
  return { spent: () => (now() - start) / durationMs };
}

/** The same budget, ended as soon as `interrupted` answers true. */
export const interruptible = (budget: Budget, interrupted: () => boolean): Budget => ({
  spent: (work) => (interrupted() ? 1 : budget.spent(work)),
});

/** The first `share` of a budget, as a budget. */
export const part = (budget: Budget, share: number): Budget => ({
  spent: (work) => budget.spent(work) / share,
});

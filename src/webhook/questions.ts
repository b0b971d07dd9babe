import { setNameOf, type ClusterView } from './cluster-view.ts';
import type { EvictionGate } from './eviction-gate.ts';
import { validateBudget, type HasBudget } from './handlers/budgets-validate.ts';
import { mutateBinding } from './handlers/bindings-mutate.ts';
import { reviewDeployment } from './handlers/deployments-review.ts';
import { validateEviction } from './handlers/evictions-validate.ts';
import { validateScale } from './handlers/scales-validate.ts';
import { mutateService } from './handlers/services-mutate.ts';
import { mutateStatefulSet } from './handlers/statefulsets-mutate.ts';
import { validateStatefulSet } from './handlers/statefulsets-validate.ts';
import { noNeighbours, type Neighbours } from './neighbours.ts';
import type { Judge } from './outcomes.ts';
import type { Answer } from './response.ts';
import type { Review } from './review.ts';

/** One admission question: a path of the server and the function that answers it. */
export interface Question {
  path: string;
  /**
   * What becomes of a review whose handler failed. A validator denies. A mutator fails the call (HTTP 500), so that
   * its failurePolicy decides: the validator then judges what was left unhardened. `later` denies with what has a drain
   * try again.
   */
  onFailure: 'deny' | 'fail' | 'later';
  answer(review: Review): Answer | Promise<Answer>;
}

/** What is asked of the rest of the cluster, beside the object of the review. */
export interface Around {
  view: ClusterView;
  neighbours?: Neighbours;
  /** Of whom evictions are asked; without it they pass. */
  gate?: EvictionGate;
  hasBudget?: HasBudget;
}

/** All questions that the webhook configurations of the chart ask. */
export const questions = (judge: Judge, around: Around): Question[] => {
  const { view, neighbours = noNeighbours, gate, hasBudget = async () => false } = around;
  const isOfHardenedSet = (namespace: string, pod: string) =>
    view.hardenedSet(namespace, setNameOf(pod) ?? '') !== undefined;
  return [
    {
      path: '/mutate/statefulsets',
      onFailure: 'fail',
      answer: (review) => mutateStatefulSet(review, judge, neighbours),
    },
    {
      path: '/validate/statefulsets',
      onFailure: 'deny',
      answer: (review) => validateStatefulSet(review, judge, view),
    },
    {
      path: '/mutate/services',
      onFailure: 'fail',
      answer: (review) => mutateService(review, view, neighbours),
    },
    { path: '/mutate/bindings', onFailure: 'fail', answer: (review) => mutateBinding(review, view) },
    { path: '/review/deployments', onFailure: 'fail', answer: reviewDeployment },
    { path: '/validate/scales', onFailure: 'fail', answer: (review) => validateScale(review, view) },
    {
      path: '/validate/budgets',
      onFailure: 'fail',
      answer: (review) => validateBudget(review, view, hasBudget),
    },
    {
      path: '/validate/evictions',
      onFailure: 'later',
      answer: (review) => (gate ? validateEviction(review, gate, isOfHardenedSet) : { allowed: true }),
    },
  ];
};

import type { ClusterView } from './cluster-view.ts';
import { mutateBinding } from './handlers/bindings-mutate.ts';
import { reviewDeployment } from './handlers/deployments-review.ts';
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
   * its failurePolicy decides: the validator then judges what was left unhardened.
   */
  onFailure: 'deny' | 'fail';
  answer(review: Review): Answer | Promise<Answer>;
}

/** All questions that the webhook configurations of the chart ask. */
export const questions = (
  judge: Judge,
  view: ClusterView,
  neighbours: Neighbours = noNeighbours,
): Question[] => [
  {
    path: '/mutate/statefulsets',
    onFailure: 'fail',
    answer: (review) => mutateStatefulSet(review, judge, neighbours),
  },
  {
    path: '/validate/statefulsets',
    onFailure: 'deny',
    answer: (review) => validateStatefulSet(review, judge),
  },
  {
    path: '/mutate/services',
    onFailure: 'fail',
    answer: (review) => mutateService(review, view, neighbours),
  },
  { path: '/mutate/bindings', onFailure: 'fail', answer: (review) => mutateBinding(review, view) },
  { path: '/review/deployments', onFailure: 'fail', answer: reviewDeployment },
];

import type { Draft } from '../draft.ts';

/**
 * What a rule that only looks is shown: no more than can be read of any pod that runs a broker, so that the linter can run the
 * same rule over sets that are left alone, over Deployments and over what lies in ConfigMaps.
 */
export type Observed = Pick<
  Draft,
  'set' | 'pod' | 'container' | 'containerIndex' | 'configuration' | 'shape' | 'kafkaVersion' | 'report'
>;

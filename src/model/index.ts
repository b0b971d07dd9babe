export type { Capacity, CapacitySource, GivenCapacity } from './capacities.ts';
export type { Confidence, Figure } from './confidence.ts';
export { type ModelPolicy, type ModelledCluster, modelOf } from './model.ts';
export { writeRates } from './rates.ts';
export type { BrokerSample, ClusterSample } from './sample.ts';
export { type SampleOptions, type Sampled, sampleCluster } from './sampler.ts';

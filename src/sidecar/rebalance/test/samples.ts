import type { KafkaRebalance, RebalanceSpec, RebalanceStatus } from '../kafka-rebalance.ts';

export const now = new Date('2026-11-23T12:00:00Z');

/** A KafkaRebalance of the cluster `kafka`, with what a test wants to differ. */
export const rebalanceOf = (
  given: {
    name?: string;
    spec?: Partial<RebalanceSpec>;
    status?: RebalanceStatus;
    annotations?: Record<string, string>;
    created?: string;
    deleted?: boolean;
  } = {},
): KafkaRebalance => {
  const { name = 'monday', spec = {}, status, annotations = {}, created = '2026-11-23T10:00:00Z' } = given;
  return {
    apiVersion: 'kafka-warden.io/v1alpha1',
    kind: 'KafkaRebalance',
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-of-${name}`,
      generation: 1,
      creationTimestamp: created,
      annotations,
      ...(given.deleted && { deletionTimestamp: created }),
    },
    spec: { cluster: 'kafka', ...spec },
    ...(status !== undefined && { status }),
  };
};

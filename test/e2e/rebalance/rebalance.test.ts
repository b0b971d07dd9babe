import { suite } from 'node:test';
import { clusterUnavailable } from '../../cluster/index.ts';
import { balancing } from '../../support/balancing.ts';

void suite(
  'balancing a larger cluster, its sidecar killed again and again',
  { skip: clusterUnavailable() ?? false },
  () =>
    balancing({
      namespace: `rebalance-${process.pid}`,
      ...{ brokers: 4, partitions: 60, records: 150_000, kills: 20, throttle: '2M', sent: 60_000 },
    }),
);

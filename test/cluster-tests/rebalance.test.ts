import { suite } from 'node:test';
import { clusterUnavailable } from '../cluster/index.ts';
import { balancing } from '../support/balancing.ts';

void suite('balancing a hardened cluster', { skip: clusterUnavailable() ?? false }, () =>
  balancing({
    namespace: `rebalance-${process.pid}`,
    ...{ brokers: 3, partitions: 24, records: 30_000, kills: 3, throttle: '6M' },
  }),
);

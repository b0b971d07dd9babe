import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescribedCluster } from '../../kafka/index.ts';
import { brokers, controllers, podOf } from '../test/sets.ts';
import { brokersOf, controllersOf } from './nodes.ts';

const described = (...hosts: [id: number, host: string, fenced?: boolean][]): DescribedCluster => ({
  clusterId: 'c',
  controllerId: 0,
  brokers: hosts.map(([id, host, fenced]) => ({ id, host, port: 9091, rack: undefined, fenced })),
});

test('a broker is the pod by whose name it is advertised, whatever its id', () => {
  const cluster = described(
    [0, 'kafka-0.kafka.team.svc'],
    [7, 'kafka-1.kafka.team.svc'],
    [2, 'kafka-2.kafka.team.svc', true],
  );
  assert.deepEqual(
    brokersOf([brokers, controllers], [podOf(brokers)], cluster).map(({ id, pod, registered }) => [
      id,
      pod,
      registered,
    ]),
    [
      [0, 'kafka-0', true],
      [7, 'kafka-1', true],
      [2, 'kafka-2', false],
    ],
  );
});

test('before anything is registered the ids are those that the layout plans', () => {
  const ids = brokersOf([brokers], [], undefined).map(({ id, registered }) => [id, registered]);
  assert.deepEqual(ids, [
    [0, false],
    [1, false],
    [2, false],
  ]);
});

test('controllers are told apart from brokers, each with whether it votes', () => {
  const quorum = { leader: 1000, voters: [1000, 1001], observers: [0] };
  assert.deepEqual(
    controllersOf([brokers, controllers], [], quorum).map(({ id, pod, voter }) => [id, pod, voter]),
    [
      [1000, 'ctl-0', true],
      [1001, 'ctl-1', true],
      [1002, 'ctl-2', false],
    ],
  );
});

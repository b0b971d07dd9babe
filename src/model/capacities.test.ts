import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { completed, diskBytesOf, knownDisks } from './capacities.ts';
import { GB, brokerOf, dirOf, silentBroker } from './test/samples.ts';

test('a disk holds what Kafka has on it and what is free, never more than the file system', () => {
  assert.equal(diskBytesOf([dirOf({ 'a-0': 300 * GB })]), 1_000 * GB);
  const shared = dirOf({ 'a-0': 100 * GB }, { usableBytes: 200 * GB });
  assert.equal(diskBytesOf([shared]), 300 * GB);
  fc.assert(
    fc.property(fc.nat(1e15), fc.nat(1e15), fc.nat(1e15), (totalBytes, usableBytes, used) => {
      const bytes = diskBytesOf([dirOf({ 'a-0': used }, { totalBytes, usableBytes })]);
      assert.ok((bytes ?? 0) <= totalBytes);
    }),
  );
});

test('directories add up; offline ones hold nothing, and one that does not tell makes the whole unknown', () => {
  const offline = { path: '/lost', error: 'KAFKA_STORAGE_ERROR', replicas: [] };
  assert.equal(diskBytesOf([dirOf({}), dirOf({}), offline]), 2_000 * GB);
  assert.equal(diskBytesOf([dirOf({}), { path: '/old', replicas: [] }]), undefined);
  assert.equal(diskBytesOf([offline]), undefined);
});

test('what is given counts before what is found, the median stands for what is unknown', () => {
  const brokers = [brokerOf(0), brokerOf(1), silentBroker(2)];
  const known = knownDisks(brokers, new Map([[1, { diskBytes: 5 * GB }]]));
  assert.deepEqual(
    [...completed([0, 1, 2, 3], known, 0)].map(([id, { amount, source }]) => [id, amount / GB, source]),
    [
      [0, 1_000, 'file-system'],
      [1, 5, 'given'],
      [2, 5, 'assumed'],
      [3, 5, 'assumed'],
    ],
  );
});

test('where nothing is known all are equal and no load reaches the limit', () => {
  const all = completed([1, 2, 3], new Map(), 700);
  assert.deepEqual(new Set([...all.values()].map(({ amount }) => amount)), new Set([7_000]));
  assert.equal(completed([1], new Map(), 0).get(1)?.amount, 1);
});

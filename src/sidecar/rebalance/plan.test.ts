import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterModel } from '../../balance/index.ts';
import type { LogDir } from '../../kafka/index.ts';
import { driftOf, missingOf } from './drift.ts';
import { GivenPlanError, givenPlanData, parseReassignment, planOf } from './given-plan.ts';
import { movesOf } from './plan.ts';
import { rebalanceSummary } from './summary.ts';

const capacity = { disk: 1, networkIn: 1, networkOut: 1 };
const model: ClusterModel = {
  brokers: [1, 2, 3, 4].map((id) => ({ id, state: 'alive', capacity })),
  partitions: [
    { topic: 'orders', partition: 0, replicas: [1, 2], leader: 1, size: 100, bytesIn: 1, bytesOut: 1 },
    { topic: 'orders', partition: 1, replicas: [2, 3], leader: 2, size: 50, bytesIn: 1, bytesOut: 1 },
  ],
};
const entry = (partition: number, ...replicas: number[]) => ({ topic: 'orders', partition, replicas });

test('a move carries where the partition is now, and what is there already is none', () => {
  const { moves, problems } = movesOf(model, { partitions: [entry(0, 4, 2), entry(1, 2, 3)] });
  assert.deepEqual(moves, [{ topic: 'orders', partition: 0, from: [1, 2], to: [4, 2], sizeBytes: 100e6 }]);
  assert.deepEqual(problems, []);
});

test('what the cluster cannot do is a problem with a reason', () => {
  const partitions = [entry(7, 1, 2), entry(0, 1, 9), entry(1, 2)];
  const { moves, problems } = movesOf(model, { partitions });
  assert.deepEqual(moves, []);
  assert.match(
    problems.join('\n'),
    /orders-7: .*no such partition\norders-0: .*no broker 9\norders-1: 1 replicas instead of 2/,
  );
});

test('a plan’s log directories are kept where they change something, and checked against what brokers told', () => {
  const dir = (path: string, partitions: number[], error?: string): LogDir => ({
    path,
    replicas: partitions.map((partition) => ({ topic: 'orders', partition, sizeBytes: 1, future: false })),
    ...(error === undefined ? {} : { error }),
  });
  const dirs = new Map([
    [1, [dir('/a', [0]), dir('/b', [])]],
    [2, [dir('/a', [0, 1]), dir('/b', [], 'KAFKA_STORAGE_ERROR')]],
    [3, [dir('/a', [1]), dir('/b', [])]],
  ]);
  const named = (one: ReturnType<typeof entry>, ...log_dirs: string[]) => ({ ...one, log_dirs });
  const toDirs = (...partitions: ReturnType<typeof named>[]) =>
    movesOf(model, { partitions }, dirs).moves.map((move) => [...move.to, ...(move.toDirs ?? [])]);
  assert.deepEqual(toDirs(named(entry(0, 1, 2), '/b', '/a')), [[1, 2, '/b', 'any']]);
  assert.deepEqual(toDirs(named(entry(0, 1, 2), '/a', 'any')), []);
  assert.deepEqual(toDirs(named(entry(0, 3, 2), '/b', '/a')), [[3, 2, '/b', 'any']]);
  assert.deepEqual(toDirs(named(entry(0, 1, 3), '/a', 'any')), [[1, 3]]);
  const { moves, problems } = movesOf(
    model,
    { partitions: [named(entry(0, 1, 2), '/x', 'any'), named(entry(1, 2, 4), 'any', '/a')] },
    dirs,
  );
  assert.deepEqual(moves, []);
  assert.deepEqual(problems, [
    'orders-0: broker 1 has no log directory /x, but /a, /b',
    'orders-1: broker 4 has not told of its log directories',
  ]);
  const failed = movesOf(
    model,
    { partitions: [named(entry(0, 1, 2), 'any', '/b'), named(entry(1, 3, 1), '/b', '/a')] },
    new Map([...dirs, [3, [dir('/a', [1], 'KAFKA_STORAGE_ERROR'), dir('/b', [])]]]),
  ).problems;
  assert.deepEqual(failed, [
    'orders-0: the log directory /b of broker 2 is offline',
    'orders-1: broker 3 moves nothing between its log directories while /a is offline',
  ]);
});

test('the summary tells what is copied between brokers, and what within them', () => {
  const dirs = new Map([[1, ['/a', '/b'].map((path) => ({ path, replicas: [] }))]]);
  const partitions = [{ ...entry(0, 1, 2), log_dirs: ['/b', 'any'] }];
  const { moves } = movesOf(model, { partitions }, dirs);
  const { bytesToMove, relocations, bytesWithinBrokers, move } = rebalanceSummary(moves, { totalBytes: 1e9 });
  assert.deepEqual([bytesToMove, relocations, bytesWithinBrokers], [0, 1, 100e6]);
  assert.equal(move, '95.4 MiB within brokers');
});

test('the summary counts copies, leaders and shares', () => {
  const { moves } = movesOf(model, { partitions: [entry(0, 4, 2), entry(1, 3, 2)] });
  const outside = { disk: 1, networkIn: 0, replicas: 0, networkOut: 0, leaders: 0 };
  const planner = {
    boundShare: 0.25,
    ratio: 4 / 3,
    outsideBefore: outside,
    outsideAfter: { ...outside, disk: 0 },
  };
  const summary = rebalanceSummary(moves, { totalBytes: 300e6, planner, estimatedSeconds: 12.4 });
  assert.equal(summary.bytesToMove, 100e6);
  assert.equal(summary.move, '95.4 MiB');
  assert.deepEqual([summary.replicaMoves, summary.leaderChanges], [1, 2]);
  assert.deepEqual([summary.shareToMove, summary.boundShare, summary.ratio], [0.333333, 0.25, 1.333]);
  const { ratio: _ratio, ...leavesOneOutside } = planner;
  const incomparable = rebalanceSummary(moves, { totalBytes: 300e6, planner: leavesOneOutside });
  assert.deepEqual([incomparable.boundShare, incomparable.ratio], [0.25, undefined]);
  assert.equal(rebalanceSummary([], { totalBytes: 0 }).ratio, undefined);
});

test('a partition that is somewhere else is drift; one that is done or gone is not', () => {
  const { moves } = movesOf(model, { partitions: [entry(0, 4, 2), entry(1, 3, 2)] });
  const drift = (first: number[] | undefined, second: number[] | undefined) =>
    driftOf(moves, (_topic, partition) => (partition === 0 ? first : second));
  assert.equal(drift([1, 2], [3, 2]).count, 0);
  assert.equal(drift(undefined, [2, 3]).count, 0);
  assert.deepEqual(drift([1, 3], [2, 3]), { count: 1, examples: ['orders-0 was on 1,2 and is on 1,3'] });
  assert.equal(drift([2, 1], [2, 3]).count, 1);
});

test('brokers that a plan fills are missing where they are not listed; those that it empties are not', () => {
  const { moves } = movesOf(model, { partitions: [entry(0, 4, 2), entry(1, 3, 2)] });
  assert.deepEqual(missingOf(moves, new Set([1, 2, 3, 4])), []);
  assert.deepEqual(missingOf(moves, new Set([2, 3])), [4]);
});

test('a plan from elsewhere comes back from its ConfigMap, plain or gzipped', () => {
  const text = JSON.stringify({ version: 1, partitions: [{ ...entry(0, 1, 2), log_dirs: ['any', 'any'] }] });
  const plan = parseReassignment(text);
  const expected = { version: 1, partitions: [entry(0, 1, 2)] };
  const directories = { version: 1, partitions: [{ ...entry(0, 1, 2), log_dirs: ['any', '/b'] }] } as const;
  assert.deepEqual(parseReassignment(JSON.stringify(directories)), directories);
  const named = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'p' } } as const;
  assert.deepEqual(planOf({ ...named, data: { 'plan.json': text } }), expected);
  assert.deepEqual(planOf({ ...named, ...givenPlanData(plan) }), expected);
});

test('a plan from elsewhere that does not fit is refused with place and remedy', () => {
  const cases: [string, RegExp][] = [
    ['nonsense', /not JSON/],
    ['[]', /no list "partitions"/],
    ['{"version":2,"partitions":[]}', /version is 2\. Only version 1/],
    ['{"partitions":[{"topic":"a","partition":0,"replicas":[]}]}', /partitions\[0\]\.replicas is no list/],
    ['{"partitions":[{"topic":"a","partition":0,"replicas":[1,1]}]}', /names a broker twice/],
    ['{"partitions":[{"topic":"a","partition":-1,"replicas":[1]}]}', /partitions\[0\]\.partition/],
    [JSON.stringify({ partitions: [entry(0, 1), entry(0, 2)] }), /orders-0 appears twice/],
    [JSON.stringify({ partitions: [{ ...entry(0, 1), log_dirs: ['a'] }] }), /an absolute path or "any"/],
    [JSON.stringify({ partitions: [{ ...entry(0, 1, 2), log_dirs: ['/a'] }] }), /1 entries for 2 replicas/],
  ];
  for (const [text, message] of cases)
    assert.throws(
      () => parseReassignment(text),
      (error) => error instanceof GivenPlanError && message.test(error.message),
    );
  const named = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'p' } } as const;
  assert.throws(() => planOf(named), /ConfigMap p has neither plan\.json nor plan\.json\.gz/);
  assert.throws(() => planOf({ ...named, data: { 'plan.json': '' } }), /ConfigMap p: It is not JSON/);
});

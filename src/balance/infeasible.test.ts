import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { obstaclesOf } from './infeasible.ts';
import { problemOf } from './problem.ts';
import { clusterOf } from './test/generate.ts';
import type { Shape } from './test/generate.ts';

const EVEN: Shape = { brokers: 9, partitions: 900, racks: 3, replication: [3], sigma: 0.5, skew: 0.3 };
const kinds = (model: ReturnType<typeof clusterOf>, options = {}) =>
  obstaclesOf(problemOf(model, { tolerance: 0.1, ...options })).map((o) => o.kind);

suite('goals out of reach', () => {
  test('are none in an ordinary cluster', () => assert.deepEqual(kinds(clusterOf(EVEN, 1)), []));

  test('name a partition that is larger than the limit of every broker', () => {
    const [first] = obstaclesOf(problemOf(clusterOf({ ...EVEN, hot: 2000 }, 1), { tolerance: 0.1 }));
    assert.equal(first?.kind, 'hot-partition');
    assert.equal(first?.partition, 't0-0');
    assert.match(first?.proof ?? '', /each broker that serves it is above its limit/);
  });

  test('name a rack with too few brokers for its share', () => {
    const model = clusterOf({ ...EVEN, unevenRacks: true }, 1);
    const found = obstaclesOf(problemOf(model, { tolerance: 0.1 }));
    assert.ok(found.some((o) => o.kind === 'rack' && o.rack === 'r1' && /must hold/.test(o.proof)));
    assert.ok(found.some((o) => o.kind === 'rack' && o.rack === 'r0' && /may hold/.test(o.proof)));
  });

  test('name a resource of which all brokers together have too little', () => {
    const base = clusterOf(EVEN, 1);
    const model = {
      ...base,
      brokers: base.brokers.map((b) => ({ ...b, capacity: { ...b.capacity, disk: b.capacity.disk / 4 } })),
    };
    const [first] = obstaclesOf(problemOf(model));
    assert.deepEqual([first?.kind, first?.resource], ['capacity', 'disk']);
  });

  test('name a band in which no whole number lies', () => {
    assert.ok(kinds(clusterOf({ ...EVEN, partitions: 4 }, 1)).includes('whole-numbers'));
  });

  test('name replicas that have to leave and may not', () => {
    const model = clusterOf({ ...EVEN, draining: 1 }, 1);
    assert.ok(kinds(model, { excludedTopics: ['t0'] }).includes('cannot-leave'));
    assert.ok(kinds(model, { mode: 'leaders' }).includes('cannot-leave'));
  });

  test('name a broker that may take nothing and is below its limit', () => {
    const model = clusterOf({ ...EVEN, newBrokers: 1 }, 1);
    assert.ok(kinds(model, { excludedBrokers: [9] }).includes('fixed-load'));
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mender } from './mend.ts';
import { movesOf } from './moves.ts';
import { problemOf } from './problem.ts';
import { randomOf } from './random.ts';
import { startState, sumLoads, violation } from './state.ts';
import { clusterOf } from './test/generate.ts';

const SHAPE = { brokers: 30, partitions: 1500, racks: 3, replication: [3], sigma: 0.5, skew: 0.3 };

test('mending leaves no more violation than it finds, and loads that are the sums of what lies there', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(0, 1, 3), (seed, newBrokers) => {
      const problem = problemOf(clusterOf({ ...SHAPE, newBrokers }, seed), { tolerance: 0.1 });
      const state = startState(problem, 1000, 0, new Int16Array(problem.topicMost.length));
      const before = violation(state);
      mender(state, movesOf(state), randomOf(seed)).run(4);
      const loads = state.load.slice();
      sumLoads(state);
      loads.forEach((load, i) => assert.ok(Math.abs(load - (state.load[i] ?? NaN)) < 1e-6));
      assert.ok(violation(state) <= before);
      if (newBrokers !== 1) assert.ok(violation(state) < 0.1 * before, `${violation(state)} of ${before}`);
    }),
    { numRuns: 15 },
  );
});

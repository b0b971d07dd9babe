import assert from 'node:assert/strict';
import { test } from 'node:test';
import { report } from './report.ts';
import { propose } from './propose.ts';
import { clusterOf } from './test/generate.ts';
import { evaluate } from './test/evaluate.ts';
import { planInWorker } from './worker.ts';

const model = clusterOf({ brokers: 12, partitions: 600, racks: 3, replication: [3], sigma: 1, skew: 0.4 }, 1);

test('a worker finds the same plan as the caller would', async () => {
  const request = { tolerance: 0.1, steps: 200_000, seed: 5 };
  const here = propose(model, request, { now: () => 0 });
  const there = await planInWorker(model, request).result;
  assert.deepEqual(there.reassignment, here.reassignment);
});

test('an interrupted worker answers with the best plan so far', async () => {
  let seen = Infinity;
  const { result, interrupt } = planInWorker(
    model,
    { tolerance: 0.1, budgetMs: 600_000 },
    ({ movedShare, violation }) => {
      seen = movedShare;
      if (violation === 0) interrupt();
    },
  );
  const { reassignment, summary } = await result;
  assert.deepEqual(evaluate(model, reassignment, 0.1).errors, []);
  assert.ok(summary.movedShare <= seen);
  assert.deepEqual(Object.values(summary.outsideAfter), [0, 0, 0, 0, 0]);
});

test('the report is complete in itself and shows every broker', () => {
  const plan = propose(model, { tolerance: 0.1, steps: 100_000 }, { now: () => 0 });
  const page = report(model, plan);
  assert.doesNotMatch(page, /<script|src=|https?:/);
  for (const { id } of model.brokers) assert.match(page, new RegExp(`broker ${id}: `));
  assert.match(page, /What moves where/);
  assert.match(page, /Data from each broker to each/);
});

test('the report of a large cluster stays short: curves for bars, the largest moves of all', () => {
  const large = clusterOf(
    { brokers: 300, partitions: 3000, racks: 3, replication: [2], sigma: 1, skew: 0.5 },
    1,
  );
  const page = report(large, propose(large, { tolerance: 0.1, steps: 100_000 }, { now: () => 0 }));
  assert.match(page, /<polyline/);
  assert.match(page, /The 200 brokers with most to copy of 300/);
  assert.ok(page.length < 300_000);
});

test('the data that comes to all brokers is what the plan moves, and so is what goes', () => {
  const { summary } = propose(model, { tolerance: 0.1, steps: 100_000 }, { now: () => 0 });
  const sum = (amounts: number[]): number => amounts.reduce((all, one) => all + one, 0);
  const close = (x: number): boolean => Math.abs(x - summary.movedMB) < 1e-6 * summary.totalMB;
  assert.ok(summary.movedMB > 0);
  assert.ok(close(sum(summary.brokers.map((b) => b.inMB))));
  assert.ok(close(sum(summary.brokers.map((b) => b.outMB))));
});

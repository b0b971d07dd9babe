import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { marked } from './mark.ts';
import { ModelError } from './model.ts';
import { DEFAULT_TRIGGER, propose } from './propose.ts';
import { evaluate } from './test/evaluate.ts';
import { clusterOf } from './test/generate.ts';
import { planInWorker } from './worker.ts';

const model = clusterOf(
  { brokers: 9, partitions: 300, racks: 3, replication: [3], sigma: 0.5, skew: 0.1 },
  1,
);
const STILL = { now: () => 0 };

suite('brokers named in a request', () => {
  test('are emptied in mode remove-brokers, and nothing else moves', () => {
    const request = { mode: 'remove-brokers', brokers: [4], steps: 100_000 } as const;
    const { reassignment, summary } = propose(model, request, STILL);
    assert.equal(evaluate(marked(model, 'remove-brokers', [4]), reassignment, 0.1).left, 0);
    assert.ok(summary.brokers.every(({ id, outMB }) => id === 4 || outMB === 0));
  });

  test('are filled in mode add-brokers, and nothing else takes replicas', () => {
    const ids = [10, 11, 12];
    const empty = ids.map((id) => ({ ...model.brokers[id - 10]!, id }));
    const grown = { ...model, brokers: [...model.brokers, ...empty] };
    const { summary } = propose(grown, { mode: 'add-brokers', brokers: ids, steps: 1_000_000 }, STILL);
    assert.ok(summary.movedMB > 0);
    assert.ok(summary.brokers.every(({ id, inMB }) => ids.includes(id) || inMB === 0));
    assert.deepEqual(Object.values(summary.outsideAfter), [0, 0, 0, 0, 0]);
  });

  test('are refused where they are unknown, all, or the mode takes none', () => {
    const all = model.brokers.map((b) => b.id);
    assert.throws(() => marked(model, 'remove-brokers', [99]), /broker 99 is not in the model/);
    assert.throws(() => marked(model, 'remove-brokers', all), /none is left to carry load/);
    assert.throws(() => marked(model, 'balance', [1]), /mode balance adds or removes none/);
    assert.throws(() => planInWorker(model, { mode: 'light', brokers: [1] }), ModelError);
    assert.equal(marked(model), model);
  });
});

test('a cluster that is planned for by default is not planned for again', () => {
  const skewed = clusterOf(
    { brokers: 9, partitions: 600, racks: 3, replication: [3], sigma: 0.5, skew: 0.5 },
    2,
  );
  const request = { trigger: DEFAULT_TRIGGER, steps: 300_000 };
  const first = propose(skewed, request, STILL);
  assert.ok(first.summary.due && first.reassignment.partitions.length > 0);
  assert.deepEqual(Object.values(first.summary.outsideAfter), [0, 0, 0, 0, 0]);
  const now = new Map(first.reassignment.partitions.map((p) => [`${p.topic}/${p.partition}`, p.replicas]));
  const partitions = skewed.partitions.map((p) => {
    const replicas = now.get(`${p.topic}/${p.partition}`) ?? p.replicas;
    const leader = now.has(`${p.topic}/${p.partition}`) ? replicas[0]! : p.leader;
    return { ...p, replicas, leader };
  });
  const drifted = partitions.map((p, i) => (i % 9 === 0 ? { ...p, bytesIn: p.bytesIn * 1.1 } : p));
  const second = propose({ ...skewed, partitions: drifted }, request, STILL);
  assert.equal(second.summary.due, false);
  assert.deepEqual(second.reassignment.partitions, []);
});

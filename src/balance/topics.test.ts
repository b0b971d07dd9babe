import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { budgetOfSteps } from './budget.ts';
import type { ClusterModel } from './model.ts';
import { plan } from './planner.ts';
import type { Reassignment } from './plan.ts';
import { problemOf } from './problem.ts';
import { clusterOf } from './test/generate.ts';
import type { Shape } from './test/generate.ts';

const SKEWED: Shape = { brokers: 12, partitions: 400, racks: 3, replication: [3], sigma: 1, skew: 0.5 };

/** Replicas of each topic on each broker, by `topic broker`, after a plan. */
function piles(model: ClusterModel, plan?: Reassignment): Map<string, number> {
  const changed = new Map(plan?.partitions.map((p) => [`${p.topic}/${p.partition}`, p.replicas]));
  const count = new Map<string, number>();
  for (const { topic, partition, replicas } of model.partitions)
    for (const id of changed.get(`${topic}/${partition}`) ?? replicas)
      count.set(`${topic} ${id}`, (count.get(`${topic} ${id}`) ?? 0) + 1);
  return count;
}

suite('the spread of topics', () => {
  test('a plan puts no more of a topic on a broker than twice its share and one, or than lay there', () => {
    const seeds = fc.record({
      seed: fc.nat(),
      topicSkew: fc.constantFrom(0, 0.9),
      newBrokers: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(seeds, ({ seed, ...skew }) => {
        const model = clusterOf({ ...SKEWED, ...skew }, seed);
        const { reassignment } = plan(problemOf(model, { tolerance: 0.1 }), {
          budget: budgetOfSteps(60_000),
        });
        const before = piles(model);
        // 20 partitions of 3 replicas each: 5 on each of 12 brokers; a rack of 3 or 4 takes 20.
        const share = Math.max(5, 20 / 4);
        for (const [pile, replicas] of piles(model, reassignment))
          assert.ok(replicas <= Math.max(2 * share + 1, before.get(pile) ?? 0), `${pile}: ${replicas}`);
      }),
      { numRuns: 15 },
    );
  });

  test('a topic that nothing but its spread keeps apart is not piled onto an empty broker', () => {
    // One topic of tiny partitions beside large ones: the new broker could be filled with replicas of it alone.
    const base = clusterOf({ ...SKEWED, newBrokers: 1 }, 3);
    const partitions = base.partitions.map((p, i) => (i < 20 ? { ...p, size: 0.1, bytesIn: 0.1 } : p));
    const model = { ...base, partitions };
    const { summary } = plan(problemOf(model, { tolerance: 0.1 }), { budget: budgetOfSteps(300_000) });
    assert.deepEqual(Object.values(summary.outsideAfter), [0, 0, 0, 0, 0]);
    assert.ok((summary.topicPileAfter?.replicas ?? 0) <= (summary.topicPileBefore?.replicas ?? 0));
  });

  test('the worst pile is reported with its broker and what an even spread would be', () => {
    const base = clusterOf({ ...SKEWED, partitions: 40 }, 1);
    const partitions = base.partitions.map((p) =>
      p.topic === 't1' ? { ...p, replicas: [1, 2, 3], leader: 1 } : p,
    );
    const { summary } = plan(problemOf({ ...base, partitions }, { tolerance: 0.1, mode: 'leaders' }), {
      budget: budgetOfSteps(1000),
    });
    assert.deepEqual(summary.topicPileAfter, { topic: 't1', broker: 1, replicas: 20, evenly: 5 });
    assert.deepEqual(summary.topicPileBefore, summary.topicPileAfter);
  });
});

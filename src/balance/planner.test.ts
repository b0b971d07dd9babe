import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { HIGHEST_PRICE } from './bounds.ts';
import { budgetOfSteps } from './budget.ts';
import type { ClusterModel } from './model.ts';
import { plan } from './planner.ts';
import type { Reassignment } from './plan.ts';
import type { Plan, PlanOptions } from './planner.ts';
import { RESOURCES, problemOf } from './problem.ts';
import type { Mode, ProblemOptions } from './problem.ts';
import { startState, sumLoads, violation } from './state.ts';
import { evaluate } from './test/evaluate.ts';
import { clusterOf } from './test/generate.ts';
import type { Shape } from './test/generate.ts';

const TOLERANCE = 0.1;
const CAPACITIES = ['disk', 'networkIn', 'networkOut'] as const;
const NOTHING: Reassignment = { version: 1, partitions: [] };

const planned = (model: ClusterModel, options: ProblemOptions & Partial<PlanOptions> = {}): Plan =>
  plan(problemOf(model, { tolerance: TOLERANCE, ...options }), {
    budget: budgetOfSteps(300_000),
    ...options,
  });

const shapes = fc.record({
  brokers: fc.integer({ min: 5, max: 14 }),
  partitions: fc.integer({ min: 1, max: 200 }),
  racks: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 6 }) }, fc.constant(50)),
  unevenRacks: fc.boolean(),
  replication: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
  sigma: fc.constantFrom(0, 0.5, 1.5, 2.5),
  skew: fc.constantFrom(0, 0.5, 1),
  hot: fc.constantFrom(1, 1, 100),
  newBrokers: fc.constantFrom(0, 0, 1, 2),
  draining: fc.constantFrom(0, 0, 1, 2),
  capacityFactor: fc.constantFrom(1, 3),
  offline: fc.boolean(),
  drainedRack: fc.constantFrom(false, false, true),
  topicSkew: fc.constantFrom(0, 0, 0.8),
  directories: fc.constantFrom(0, 0, 2, 5),
});
const modes = fc.constantFrom<Mode>('balance', 'add-brokers', 'remove-brokers', 'leaders', 'light');
const cases = fc.record({ shape: shapes, seed: fc.nat(), mode: modes });

/** What holds for every plan, whatever the cluster and the mode. */
function assertValid(model: ClusterModel, result: Plan): void {
  const before = evaluate(model, NOTHING, TOLERANCE);
  const after = evaluate(model, result.reassignment, TOLERANCE);
  assert.deepEqual(after.errors, []);
  assert.ok(after.rackViolations <= before.rackViolations, 'more partitions on too few racks than before');
  // A partition that has to leave its leader is led by somebody, even where nobody has the bandwidth for it.
  const forced = before.left > 0 || before.rackViolations > 0;
  for (const { id, capacity, state } of model.brokers) {
    if (state === 'draining') continue;
    for (const resource of forced ? (['disk', 'networkIn'] as const) : CAPACITIES) {
      const most = Math.max(capacity[resource], before.load.get(id)![resource]) * (1 + 1e-9);
      assert.ok(after.load.get(id)![resource] <= most, `broker ${id} is put over its ${resource} capacity`);
    }
  }
  const { summary } = result;
  assert.ok(Math.abs(after.movedMB - summary.movedMB) <= 1e-6 * (1 + summary.totalMB));
  assert.equal(after.replicaMoves, summary.replicaMoves);
  assert.equal(after.leaderChanges, summary.leaderChanges);
  assert.equal(after.rackViolations, summary.crowded);
}

suite('every plan', () => {
  test('keeps racks, replication factors and capacities, and accounts for its moves as an evaluator does', () => {
    fc.assert(
      fc.property(cases, ({ shape, seed, mode }) => {
        const model = clusterOf(shape, seed);
        assertValid(model, planned(model, { mode, budget: budgetOfSteps(60_000) }));
      }),
      { numRuns: 150 },
    );
  });

  test('counts brokers outside the band as an evaluator does', () => {
    fc.assert(
      fc.property(shapes, fc.nat(), (shape, seed) => {
        const model = clusterOf(shape, seed);
        const result = planned(model, { budget: budgetOfSteps(60_000) });
        const { outside } = evaluate(model, result.reassignment, TOLERANCE);
        // More load than the brokers can carry leaves no band to be in, which an obstacle says.
        const full = result.summary.obstacles.filter(({ kind }) => kind === 'capacity');
        const beyond = new Set(full.map((one) => one.resource));
        for (const resource of RESOURCES.filter((one) => !beyond.has(one)))
          assert.ok(outside[resource] <= result.summary.outsideAfter[resource], resource);
      }),
      { numRuns: 60 },
    );
  });

  test('moves no less than the bounds say, and the bound of all resources is at least that of the disk', () => {
    fc.assert(
      fc.property(cases, ({ shape, seed, mode }) => {
        const problem = problemOf(clusterOf(shape, seed), { tolerance: TOLERANCE, mode });
        const { assignment, summary } = plan(problem, { budget: budgetOfSteps(60_000) });
        const state = startState(problem, 0, 0);
        state.at.set(assignment.at);
        state.leader.set(assignment.leader);
        sumLoads(state);
        const serving = problem.serving.reduce((sum, one) => sum + one, 0);
        const slack = (HIGHEST_PRICE * violation(state)) / serving;
        if (summary.stranded > 0 || summary.crowded > 0) return;
        assert.ok(summary.boundShare <= summary.movedShare + slack + 1e-9);
        assert.ok(summary.diskBoundShare <= summary.boundShare + 1e-12);
      }),
      { numRuns: 100 },
    );
  });

  test('is the same for the same seed and number of steps', () => {
    const model = clusterOf(SKEWED, 7);
    const first = planned(model, { seed: 3 });
    assert.deepEqual(planned(model, { seed: 3 }).reassignment, first.reassignment);
    assert.deepEqual(planned(model, { seed: 3 }).summary, first.summary);
    assert.notDeepEqual(planned(model, { seed: 4 }).reassignment, first.reassignment);
  });

  test('is valid when interrupted at any moment', () => {
    const model = clusterOf({ ...SKEWED, draining: 1 }, 5);
    for (const looks of [0, 1, 2, 5, 20, 60]) {
      let asked = 0;
      const result = planned(model, { interrupted: () => asked++ >= looks });
      assertValid(model, result);
      assert.equal(evaluate(model, result.reassignment, TOLERANCE).left, 0);
    }
  });
});

const SKEWED: Shape = {
  brokers: 12,
  partitions: 600,
  racks: 3,
  replication: [3],
  sigma: 1,
  skew: 0.4,
};

suite('mode', () => {
  test('balance brings all five resources of a skewed cluster into the band', () => {
    for (const shape of [
      SKEWED,
      { ...SKEWED, capacityFactor: 2 },
      { ...SKEWED, newBrokers: 3 },
      { ...SKEWED, brokers: 15, draining: 3 },
      { ...SKEWED, racks: 0 },
      { ...SKEWED, brokers: 50, racks: 50, partitions: 2000, skew: 0.2 },
      { ...SKEWED, replication: [2, 3], racks: 6 },
      { ...SKEWED, replication: [4, 5], racks: 3 },
    ]) {
      const model = clusterOf(shape, 11);
      const { reassignment } = planned(model, { budget: budgetOfSteps(2_000_000) });
      const { outside, left } = evaluate(model, reassignment, TOLERANCE);
      assert.deepEqual(Object.values(outside), [0, 0, 0, 0, 0], JSON.stringify(shape));
      assert.equal(left, 0);
    }
  });

  test('add-brokers copies onto new brokers only', () => {
    const model = clusterOf({ ...SKEWED, newBrokers: 3 }, 2);
    const { summary } = planned(model, { mode: 'add-brokers' });
    const fresh = new Set(model.brokers.filter((b) => b.state === 'new').map((b) => b.id));
    assert.ok(summary.movedMB > 0);
    for (const broker of summary.brokers) assert.ok(broker.inMB === 0 || fresh.has(broker.id));
  });

  test('remove-brokers copies off draining brokers only, and changes nothing else', () => {
    const model = clusterOf({ ...SKEWED, brokers: 15, draining: 3 }, 2);
    const { summary, reassignment } = planned(model, { mode: 'remove-brokers' });
    const draining = new Set(model.brokers.filter((b) => b.state === 'draining').map((b) => b.id));
    for (const broker of summary.brokers) assert.ok(broker.outMB === 0 || draining.has(broker.id));
    assert.equal(evaluate(model, reassignment, TOLERANCE).left, 0);
    const held = model.partitions.filter((p) => p.replicas.some((b) => draining.has(b)));
    assert.equal(reassignment.partitions.length, held.length);
  });

  test('leaders moves no data', () => {
    const { summary } = planned(clusterOf(SKEWED, 3), { mode: 'leaders' });
    assert.equal(summary.movedMB, 0);
    assert.ok(summary.reorderings > 0);
    assert.ok(summary.outsideAfter.leaders <= summary.outsideBefore.leaders);
  });

  test('light lowers what is over and moves less than balance does', () => {
    const model = clusterOf({ ...SKEWED, newBrokers: 3 }, 4);
    const budget = budgetOfSteps(1_500_000);
    const light = planned(model, { mode: 'light', budget }).summary;
    assert.deepEqual(Object.values(light.outsideAfter), [0, 0, 0, 0, 0]);
    assert.ok(light.movedMB <= 1.02 * planned(model, { budget }).summary.movedMB);
  });
});

suite('limits', () => {
  test('excluded topics are left alone, excluded brokers take nothing', () => {
    const model = clusterOf(SKEWED, 8);
    const { reassignment, summary } = planned(model, { excludedTopics: ['t0', 't5'], excludedBrokers: [2] });
    assert.ok(reassignment.partitions.length > 0);
    assert.ok(reassignment.partitions.every(({ topic }) => topic !== 't0' && topic !== 't5'));
    assert.equal(summary.brokers.find((b) => b.id === 2)?.inMB, 0);
  });

  test('replicas on offline disks leave their broker', () => {
    const model = clusterOf({ ...SKEWED, offline: true }, 6);
    assert.ok(evaluate(model, NOTHING, TOLERANCE).left > 0);
    assert.equal(evaluate(model, planned(model).reassignment, TOLERANCE).left, 0);
  });

  test('partitions on too few racks are spread', () => {
    const base = clusterOf({ ...SKEWED, racks: 0 }, 9);
    const model = { ...base, brokers: base.brokers.map((b) => ({ ...b, rack: `r${b.id % 3}` })) };
    assert.ok(evaluate(model, NOTHING, TOLERANCE).rackViolations > 0);
    assert.equal(evaluate(model, planned(model).reassignment, TOLERANCE).rackViolations, 0);
  });

  test('a partition without a leader is not touched', () => {
    const base = clusterOf(SKEWED, 9);
    const partitions = base.partitions.map((p, i) => (i < 50 ? { ...p, leader: -1 } : p));
    const { reassignment } = planned({ ...base, partitions });
    const dead = new Set(partitions.slice(0, 50).map((p) => `${p.topic}/${p.partition}`));
    assert.ok(reassignment.partitions.every((p) => !dead.has(`${p.topic}/${p.partition}`)));
  });

  test('nothing is planned while every broker is within the trigger', () => {
    const model = clusterOf(SKEWED, 10);
    assert.equal(planned(model, { trigger: 5 }).reassignment.partitions.length, 0);
    assert.ok(planned(model, { trigger: 0.15 }).reassignment.partitions.length > 0);
  });

  test('a larger leader weight gives fewer leader changes', () => {
    const model = clusterOf(SKEWED, 12);
    const free = planned(model, { leaderWeight: 0 }).summary;
    const dear = planned(model, { leaderWeight: 0.5 }).summary;
    assert.ok(dear.leaderChanges < free.leaderChanges);
  });
});

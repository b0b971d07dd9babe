import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { budgetOfSteps } from './budget.ts';
import type { ClusterModel } from './model.ts';
import { parseModel } from './model.ts';
import { plan } from './planner.ts';
import type { Plan } from './planner.ts';
import { problemOf } from './problem.ts';
import type { ProblemOptions } from './problem.ts';
import { evaluate } from './test/evaluate.ts';
import { clusterOf } from './test/generate.ts';
import type { Shape } from './test/generate.ts';

const JBOD: Shape = {
  brokers: 9,
  partitions: 300,
  racks: 3,
  replication: [3],
  sigma: 1,
  skew: 0.5,
  directories: 3,
};
const planned = (
  model: ClusterModel,
  { trigger, ...options }: ProblemOptions & { trigger?: number } = {},
): Plan =>
  plan(problemOf(model, { tolerance: 0.1, ...options }), {
    budget: budgetOfSteps(100_000),
    ...(trigger !== undefined && { trigger }),
  });

/** MB in each directory after a plan, by `broker path`; replicas that stay, stay in theirs where the plan names no other. */
function filled(model: ClusterModel, { reassignment }: Plan): Map<string, number> {
  const changed = new Map(reassignment.partitions.map((p) => [`${p.topic}/${p.partition}`, p]));
  const use = new Map<string, number>();
  for (const { topic, partition, replicas, dirs, size } of model.partitions) {
    const change = changed.get(`${topic}/${partition}`);
    (change?.replicas ?? replicas).forEach((id, i) => {
      const old = dirs?.[replicas.indexOf(id)];
      const named = change?.log_dirs?.[i];
      const path = named === 'any' || named === undefined ? (old ?? named) : named;
      use.set(`${id} ${path}`, (use.get(`${id} ${path}`) ?? 0) + size);
    });
  }
  return use;
}

/** Leaves each directory this many times the room that is in use in it. */
const withRoom = (model: ClusterModel, factor: number): ClusterModel => {
  const use = filled(model, { reassignment: { version: 1, partitions: [] } } as unknown as Plan);
  const brokers = model.brokers.map((broker) => ({
    ...broker,
    dirs: broker.dirs?.map(({ path }) => ({
      path,
      capacity: (use.get(`${broker.id} ${path}`) ?? 1000) * factor,
    })),
  }));
  return { ...model, brokers } as ClusterModel;
};

suite('log directories', () => {
  test('every copy onto a broker with several is given one with room, in the format of Kafka’s tool', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1.01, 1.2, 2), (seed, factor) => {
        const model = withRoom(clusterOf(JBOD, seed), factor);
        parseModel(model);
        const result = planned(model);
        const use = filled(model, result);
        for (const { id, dirs } of model.brokers)
          for (const { path, capacity } of dirs ?? [])
            assert.ok((use.get(`${id} ${path}`) ?? 0) <= capacity * (1 + 1e-9), `broker ${id} ${path}`);
        for (const change of result.reassignment.partitions)
          if (change.log_dirs) assert.equal(change.log_dirs.length, change.replicas.length);
        assert.ok([...use.keys()].every((key) => !/undefined|any/.test(key)));
        assert.deepEqual(evaluate(model, result.reassignment, 0.1).errors, []);
      }),
      { numRuns: 20 },
    );
  });

  test('a move for which no directory has room is left out, with the broker and the reason', () => {
    const model = withRoom(clusterOf({ ...JBOD, sigma: 2 }, 1), 1.005);
    const { summary, reassignment } = planned(model);
    const [first] = summary.refused;
    assert.match(first?.reason ?? '', /^no log directory of broker \d has room for its \d+ MB$/);
    const left = new Set(summary.refused.map(({ topic, partition }) => `${topic}/${partition}`));
    assert.ok(reassignment.partitions.every((p) => !left.has(`${p.topic}/${p.partition}`)));
    const { movedMB } = evaluate(model, reassignment, 0.1);
    assert.ok(Math.abs(movedMB - summary.movedMB) < 1e-6 * summary.totalMB);
  });

  test('of every broker the directories end within the band, by moves that need no network', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const model = withRoom(clusterOf({ ...JBOD, partitions: 900 }, seed), 4);
        const roomy = {
          ...model,
          brokers: model.brokers.map((broker) => ({
            ...broker,
            dirs: broker.dirs?.map((dir) => ({ ...dir, capacity: broker.capacity.disk })),
          })),
        } as ClusterModel;
        const { summary, reassignment } = planned(roomy);
        const { replicas = 0, movedMB = 0, outsideBefore, outsideAfter } = summary.directories ?? {};
        assert.ok(outsideBefore! > 0 && replicas > 0 && movedMB > 0);
        assert.equal(outsideAfter, 0);
        const use = filled(roomy, { reassignment } as Plan);
        for (const { id, dirs = [] } of roomy.brokers) {
          const loads = dirs.map(({ path }) => use.get(`${id} ${path}`) ?? 0);
          const mean = loads.reduce((sum, one) => sum + one, 0) / loads.length;
          for (const load of loads) assert.ok(Math.abs(load / mean - 1) <= 0.1 + 1e-6);
        }
        assert.deepEqual(planned(roomy).reassignment, reassignment);
        assert.deepEqual(evaluate(roomy, reassignment, 0.1).errors, []);
      }),
      { numRuns: 5 },
    );
  });

  test('where only directories are beyond the trigger, nothing else changes: no broker, no leader, no order', () => {
    const broker = (id: number) => ({
      id,
      state: 'alive' as const,
      capacity: { disk: 1_000, networkIn: 100, networkOut: 100 },
      dirs: ['/a', '/b'].map((path) => ({ path, capacity: 500 })),
    });
    const partitions = Array.from({ length: 40 }, (_, partition) => ({
      ...{ topic: `t${partition % 2}`, partition, size: 5, bytesIn: 1, bytesOut: 1 },
      replicas: partition % 2 === 0 ? [1, 2] : [2, 1],
      leader: 1 + (partition % 2),
      dirs: ['/a', '/a'],
    }));
    const model = { brokers: [broker(1), broker(2)], partitions };
    const { summary, reassignment } = planned(model, { trigger: 0.15 });
    assert.ok(summary.due && summary.movedMB === 0 && summary.leaderChanges === 0);
    assert.deepEqual(
      { ...summary.directories, movedMB: Math.round(summary.directories!.movedMB) },
      { replicas: 36, movedMB: 180, outsideBefore: 4, outsideAfter: 0 },
    );
    for (const change of reassignment.partitions)
      assert.deepEqual(change.replicas, partitions[change.partition]!.replicas);
    for (const options of [
      { mode: 'leaders' as const },
      { excludedTopics: ['t0', 't1'] },
      { excludedBrokers: [1, 2] },
    ])
      assert.equal(planned(model, options).summary.directories?.replicas, 0);
    assert.equal(planned(model, { trigger: 1 }).summary.directories?.replicas, 0);
    const failed = { path: '/c', capacity: 0, offline: true };
    const brokers = model.brokers.map((one) => ({ ...one, dirs: [...one.dirs, failed] }));
    assert.equal(planned({ ...model, brokers }).summary.directories?.replicas, 0);
  });

  test('a reserve is left in each directory', () => {
    const model = withRoom(clusterOf(JBOD, 3), 1.3);
    const use = filled(model, planned(model, { diskReserve: 0.15 }));
    const before = filled(model, { reassignment: { version: 1, partitions: [] } } as unknown as Plan);
    for (const { id, dirs = [] } of model.brokers)
      for (const { path, capacity } of dirs) {
        const key = `${id} ${path}`;
        const most = Math.max(capacity * 0.85, before.get(key) ?? 0);
        assert.ok((use.get(key) ?? 0) <= most * (1 + 1e-9), key);
      }
  });

  test('a model without directories gives a plan without log_dirs', () => {
    const { reassignment, summary } = planned(clusterOf({ ...JBOD, directories: 0 }, 2));
    assert.ok(reassignment.partitions.length > 0);
    assert.ok(reassignment.partitions.every((p) => p.log_dirs === undefined));
    assert.deepEqual(summary.refused, []);
  });
});

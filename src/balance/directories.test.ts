import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { budgetOfSteps } from './budget.ts';
import type { ClusterModel } from './model.ts';
import { parseModel } from './model.ts';
import { plan } from './planner.ts';
import type { Plan } from './planner.ts';
import { problemOf } from './problem.ts';
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
const planned = (model: ClusterModel): Plan =>
  plan(problemOf(model, { tolerance: 0.1 }), { budget: budgetOfSteps(100_000) });

/** MB in each directory after a plan, by `broker path`; replicas that stay, stay in theirs. */
function filled(model: ClusterModel, { reassignment }: Plan): Map<string, number> {
  const changed = new Map(reassignment.partitions.map((p) => [`${p.topic}/${p.partition}`, p]));
  const use = new Map<string, number>();
  for (const { topic, partition, replicas, dirs, size } of model.partitions) {
    const change = changed.get(`${topic}/${partition}`);
    (change?.replicas ?? replicas).forEach((id, i) => {
      const old = dirs?.[replicas.indexOf(id)];
      const path = old ?? change?.log_dirs?.[i];
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

  test('a model without directories gives a plan without log_dirs', () => {
    const { reassignment, summary } = planned(clusterOf({ ...JBOD, directories: 0 }, 2));
    assert.ok(reassignment.partitions.length > 0);
    assert.ok(reassignment.partitions.every((p) => p.log_dirs === undefined));
    assert.deepEqual(summary.refused, []);
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import highs from 'highs';
import { boundsOf } from './bounds.ts';
import { budgetOfSteps } from './budget.ts';
import type { ClusterModel } from './model.ts';
import { plan } from './planner.ts';
import { LEADERS, OUT, REPLICAS, RESOURCES, WIDTH, problemOf } from './problem.ts';
import type { Problem } from './problem.ts';
import { racksNeeded } from './state.ts';
import { clusterOf } from './test/generate.ts';
import type { Shape } from './test/generate.ts';

// The package's types describe a CommonJS default; what is imported is the loader itself.
const solver = await (highs as unknown as typeof highs.default)();

/** Amount that one replica, or one leadership, of partition p puts on resource k. */
function amountOf(problem: Problem, p: number, k: number): number {
  if (k === REPLICAS || k === LEADERS) return 1 / problem.unit[k]!;
  return problem.amount[3 * p + (k === OUT ? 2 : k)]!;
}

/** The problem of the README as a mixed integer programme in LP format; x: replica on broker, l: leads. */
function programme(problem: Problem): string {
  const brokers = Array.from({ length: problem.brokers }, (_, b) => b);
  const partitions = Array.from({ length: problem.partitions }, (_, p) => p);
  const homes = (p: number) => [...problem.home.subarray(problem.first[p], problem.first[p + 1])];
  const rows: string[] = [];
  for (const p of partitions) {
    rows.push(`${brokers.map((b) => `x${p}_${b}`).join(' + ')} = ${homes(p).length}`);
    rows.push(`${brokers.map((b) => `l${p}_${b}`).join(' + ')} = 1`);
    for (const b of brokers) {
      rows.push(`l${p}_${b} - x${p}_${b} <= 0`);
      if (!problem.serving[b]) rows.push(`x${p}_${b} = 0`);
    }
    rows.push(...rackRows(problem, p, homes(p).length));
  }
  for (const b of brokers.filter((one) => problem.serving[one]))
    for (let k = 0; k < RESOURCES.length; k++) {
      const variable = k >= OUT ? 'l' : 'x';
      const sum = partitions.map((p) => `${amountOf(problem, p, k)} ${variable}${p}_${b}`).join(' + ');
      rows.push(`${sum} <= ${problem.upper[b * WIDTH + k]!}`, `${sum} >= ${problem.lower[b * WIDTH + k]!}`);
    }
  const cost = partitions.flatMap((p) =>
    brokers.filter((b) => !homes(p).includes(b)).map((b) => `${problem.amount[3 * p]!} x${p}_${b}`),
  );
  const binaries = partitions.flatMap((p) => brokers.flatMap((b) => [`x${p}_${b}`, `l${p}_${b}`]));
  return `Minimize\n obj: ${cost.join(' + ')}\nSubject To\n${rows.map((r, i) => ` c${i}: ${r}`).join('\n')}\nBinary\n ${binaries.join('\n ')}\nEnd\n`;
}

/** u: rack in use; a partition uses at least as many racks as it needs. */
function rackRows(problem: Problem, p: number, replicas: number): string[] {
  const members = Map.groupBy(problem.rack.keys(), (b) => problem.rack[b]!);
  const need = racksNeeded(problem, p);
  const inRack = (brokers: readonly number[]) => brokers.map((b) => `x${p}_${b}`).join(' + ');
  if (replicas <= problem.servingRacks) return [...members.values()].map((m) => `${inRack(m)} <= 1`);
  assert.equal(need, problem.servingRacks);
  return [...members.values()]
    .filter((m) => m.some((b) => problem.serving[b]))
    .map((m) => `${inRack(m)} >= 1`);
}

/** Least data moved by any plan within all limits, in means of a broker. */
function optimum(problem: Problem): number {
  const solution = solver.solve(programme(problem), { mip_rel_gap: 0 });
  if (solution.Status !== 'Optimal') assert.fail(`the solver ends with ${solution.Status}`);
  return solution.ObjectiveValue;
}

/** The first cluster of this shape, from that seed on, for which a plan within all limits is known to exist. */
function feasible(shape: Shape, seed: number): ClusterModel {
  const model = clusterOf(shape, seed);
  const { outsideAfter } = plan(problemOf(model, { tolerance: 0.4 }), {
    budget: budgetOfSteps(100_000),
  }).summary;
  return Object.values(outsideAfter).every((n) => n === 0) ? model : feasible(shape, seed + 1);
}

const shared = { partitions: 20, sigma: 0.4, skew: 0.6 };
const SMALL: readonly ClusterModel[] = [
  feasible({ ...shared, brokers: 3, racks: 0, replication: [2] }, 1),
  feasible({ ...shared, partitions: 16, brokers: 4, racks: 2, replication: [2] }, 2),
  feasible({ ...shared, brokers: 5, racks: 0, replication: [3] }, 4),
  feasible({ ...shared, brokers: 5, racks: 0, replication: [1, 2], draining: 1 }, 5),
  feasible({ ...shared, partitions: 14, brokers: 4, racks: 2, replication: [2], newBrokers: 1 }, 6),
  feasible({ ...shared, brokers: 4, racks: 2, replication: [3] }, 8),
];

suite('beside the exact optimum of small clusters', () => {
  for (const [i, model] of SMALL.entries())
    test(`cluster ${i}: the bound is not above it, and the plan within 5% of it`, (t) => {
      const problem = problemOf(model, { tolerance: 0.4 });
      const exact = optimum(problem);
      const { all, disk } = boundsOf(problem, budgetOfSteps(30_000));
      assert.ok(disk <= all && all <= exact + 1e-6, `bound ${all}, optimum ${exact}`);
      const found = plan(problem, { budget: budgetOfSteps(1_000_000), leaderWeight: 0.001 }).summary;
      const serving = problem.serving.reduce((sum, one) => sum + one, 0);
      assert.deepEqual(Object.values(found.outsideAfter), [0, 0, 0, 0, 0]);
      t.diagnostic(
        `bound ${all.toFixed(4)}, optimum ${exact.toFixed(4)}, plan ${(found.movedShare * serving).toFixed(4)}`,
      );
      assert.ok(found.movedShare * serving >= exact - 1e-6);
      assert.ok(found.movedShare * serving <= 1.05 * exact + 1e-6);
    });
});

suite('the bound over all resources', () => {
  test('is above that of the disk where another resource forces moves', () => {
    const base = clusterOf({ ...shared, partitions: 300, brokers: 9, racks: 3, replication: [3] }, 8);
    const partitions = base.partitions.map((p, i) => ({
      ...p,
      size: 100,
      replicas: [(i % 3) * 3 + 1, (i % 3) * 3 + 2, (i % 3) * 3 + 3],
      leader: (i % 3) * 3 + 1,
      bytesIn: i % 3 === 0 ? 90 : 30,
    }));
    const { disk, all } = boundsOf(
      problemOf({ ...base, partitions }, { tolerance: 0.1 }),
      budgetOfSteps(100_000),
    );
    assert.equal(disk, 0);
    assert.ok(all > 0.5);
  });
});

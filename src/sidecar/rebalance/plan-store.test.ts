import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ClusterModel } from '../../balance/index.ts';
import { clusterOf } from '../../balance/test/generate.ts';
import { paths } from '../../kubernetes/paths.ts';
import { memoryApi } from '../../kubernetes/test/memory-api.ts';
import type { KafkaRebalance } from './kafka-rebalance.ts';
import type { RebalancePlan } from './plan.ts';
import {
  chunksOf,
  preparePlan,
  StoredPlanError,
  type PreparedPlan,
  type StoredConfigMap,
} from './plan-chunks.ts';
import { readModel, readPlan, storePlan } from './plan-store.ts';
import { now, rebalanceOf } from './test/samples.ts';

const model: ClusterModel = clusterOf(
  { brokers: 6, partitions: 200, racks: 3, replication: [3], sigma: 0.5, skew: 0.5 },
  1,
);

const planFor = (cluster: ClusterModel, of = cluster.partitions.length): RebalancePlan => ({
  schema: 1,
  cluster: 'kafka',
  mode: 'balance',
  execution: { throttle: { bytesPerSecond: 1e6 } },
  moves: cluster.partitions.slice(0, of).map(({ topic, partition, replicas, size }) => ({
    topic,
    partition,
    from: replicas,
    to: replicas.toReversed(),
    sizeBytes: Math.round(size * 1e6),
  })),
});

const withPlan = (prepared: PreparedPlan): KafkaRebalance =>
  rebalanceOf({ status: { phase: 'Proposed', plan: { ...prepared.plan, settings: 's' } } });

const configMaps = (api: ReturnType<typeof memoryApi>) =>
  [...api.objects.values()] as unknown as StoredConfigMap[];

suite('the plan store', () => {
  test('gives back what was stored: the plan and the model', async () => {
    const api = memoryApi();
    const prepared = await preparePlan(planFor(model), model, now);
    const rebalance = withPlan(prepared);
    await storePlan(api.kube, rebalance, prepared);
    assert.deepEqual(await readPlan(api.kube, rebalance), planFor(model));
    assert.deepEqual(await readModel(api.kube, rebalance), model);
  });

  test('its chunks are immutable, labelled, and go with their KafkaRebalance', async () => {
    const api = memoryApi();
    const prepared = await preparePlan(planFor(model), model, now);
    const rebalance = withPlan(prepared);
    await storePlan(api.kube, rebalance, prepared);
    for (const { immutable, metadata } of configMaps(api)) {
      assert.equal(immutable, true);
      assert.equal(metadata.labels?.['kafka-warden.io/rebalance'], 'monday');
      assert.equal(metadata.ownerReferences?.[0]?.uid, rebalance.metadata.uid);
    }
  });

  test('is safe to repeat, and removes what was stored under earlier hashes of this object only', async () => {
    const api = memoryApi();
    const first = await preparePlan(planFor(model, 10), model, now);
    const second = await preparePlan(planFor(model, 20), model, now);
    const other = rebalanceOf({ name: 'tuesday' });
    await storePlan(api.kube, other, first);
    await storePlan(api.kube, withPlan(first), first);
    await storePlan(api.kube, withPlan(second), second);
    await storePlan(api.kube, withPlan(second), second);
    const owners = configMaps(api).map(({ metadata }) => metadata.ownerReferences?.[0]?.name);
    assert.deepEqual(owners.toSorted(), ['monday', 'monday', 'tuesday', 'tuesday']);
    assert.equal((await readPlan(api.kube, withPlan(second))).moves.length, 20);
    await assert.rejects(readPlan(api.kube, withPlan(first)), { code: 'PLAN_MISSING' });
  });

  test('replaces a chunk that an earlier object of the same name left, or that somebody forged', async () => {
    const api = memoryApi();
    const prepared = await preparePlan(planFor(model), model, now);
    const rebalance = withPlan(prepared);
    const [chunk] = chunksOf(rebalance, 'plan', prepared.packed.plan);
    api.put(paths.configmaps('shop', chunk?.metadata.name), { ...chunk, binaryData: { 'chunk.gz': 'AAAA' } });
    await storePlan(api.kube, rebalance, prepared);
    assert.deepEqual(await readPlan(api.kube, rebalance), planFor(model));
  });

  test('refuses what is not what the hash says, whatever it is', async () => {
    const prepared = await preparePlan(planFor(model), model, now);
    const rebalance = withPlan(prepared);
    const other = await preparePlan(planFor(model, 3), model, now);
    const [own] = chunksOf(rebalance, 'plan', prepared.packed.plan);
    const [foreign] = chunksOf(rebalance, 'plan', other.packed.plan);
    const forgeries = [foreign?.binaryData, { 'chunk.gz': 'AAAA' }, undefined];
    for (const binaryData of forgeries) {
      const api = memoryApi();
      api.put(paths.configmaps('shop', own?.metadata.name), { ...own, binaryData });
      await assert.rejects(readPlan(api.kube, rebalance), StoredPlanError);
    }
  });

  test('the hash covers the moves, their sizes, and how they are carried out', async () => {
    const plan = planFor(model, 2);
    const hash = async (one: RebalancePlan) => (await preparePlan(one, model, now)).plan.hash;
    const [first, second] = plan.moves;
    assert.match(await hash(plan), /^[0-9a-f]{64}$/);
    assert.equal(await hash(structuredClone(plan)), await hash(plan));
    const changed: RebalancePlan[] = [
      { ...plan, execution: { throttle: {} } },
      { ...plan, cluster: 'other' },
      { ...plan, moves: [second!, first!] },
      { ...plan, moves: [{ ...first!, sizeBytes: 1 }, second!] },
      { ...plan, moves: [{ ...first!, from: first!.from.toReversed() }, second!] },
    ];
    for (const one of changed) assert.notEqual(await hash(one), await hash(plan));
  });

  test('100,000 partitions fit into a few chunks, each an object below 512 KiB', async (context) => {
    const cluster = large();
    const startedAt = performance.now();
    const prepared = await preparePlan(planFor(cluster), cluster, now);
    const seconds = (performance.now() - startedAt) / 1000;
    const rebalance = rebalanceOf();
    for (const content of ['plan', 'model'] as const) {
      const chunks = chunksOf(rebalance, content, prepared.packed[content]);
      const sizes = chunks.map((chunk) => JSON.stringify(chunk).length);
      context.diagnostic(
        `${content} of ${cluster.partitions.length} partitions: ${chunks.length} chunks, ${(sizes.reduce((a, b) => a + b, 0) / 2 ** 20).toFixed(2)} MiB, prepared in ${seconds.toFixed(1)} s`,
      );
      assert.ok(Math.max(...sizes) <= 512 * 1024);
      assert.ok(chunks.length <= 12);
    }
  });
});

/** 100 brokers with 100,000 partitions; sizes and rates with all the digits that numbers can have. */
const large = (): ClusterModel => {
  let state = 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const capacity = { disk: 1e6, networkIn: 1e6, networkOut: 1e6 };
  return {
    brokers: Array.from({ length: 100 }, (_, id) => ({ id, rack: `r${id % 3}`, state: 'alive', capacity })),
    partitions: Array.from({ length: 100_000 }, (_, i) => {
      const first = Math.floor(100 * random());
      const others = [1 + 40 * random(), 50 + 40 * random()].map((step) => (first + Math.floor(step)) % 100);
      const figures = { size: 1000 * random(), bytesIn: 100 * random(), bytesOut: 100 * random() };
      return {
        topic: `topic-${i >> 5}`,
        partition: i & 31,
        replicas: [first, ...others],
        leader: first,
        ...figures,
      };
    }),
  };
};

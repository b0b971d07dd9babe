import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { parseModel } from '../../src/balance/index.ts';
import type { KafkaAdmin } from '../../src/kafka/index.ts';
import { type ClusterSample, modelOf, sampleCluster } from '../../src/model/index.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';
import { send, withProducer } from './produce.ts';

const unavailable = (await loopbackUnavailable()) ?? false;

void suite('the model of brokers on loopback', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  const samples: ClusterSample[] = [];
  const take = async () => {
    const earlier = samples.at(-1);
    const options = { now: () => performance.now(), readRates: true, ...(earlier && { earlier }) };
    samples.push(await sampleCluster(admin, options));
  };
  /** Bytes of a record in a batch of 50: its value, and about ten of its own and the batch's. */
  const recordBytes = 1_010;
  const within = (actual: number | undefined, expected: number, share: number, what: string) =>
    assert.ok(
      actual !== undefined && Math.abs(actual - expected) <= share * expected,
      `${what}: ${actual} is not within ${share * 100}% of ${expected}`,
    );
  const loads = [2_000, 1_000, 0];

  before(async () => {
    kafka = await startLoopback({ brokers: 4, rack: (id) => `rack-${id % 2}` });
    admin = kafka.admin();
    await kafka.createTopic('a', [
      [0, 1],
      [1, 2],
      [2, 0],
    ]);
    await withProducer(kafka, async (producer) => {
      await send(producer, 'a', { partition: 0, records: 3_000, valueBytes: 1_000, batch: 50 });
      await take();
      for (const [partition, records] of loads.entries())
        await send(producer, 'a', { partition, records, valueBytes: 1_000, batch: 50 });
    });
    await until('followers have all of it', async () => {
      const sizes = (await Promise.all([0, 1].map((id) => admin.describeLogDirs(id)))).map((dirs) =>
        dirs
          .flatMap(({ replicas }) => replicas)
          .find(({ topic, partition }) => topic === 'a' && partition === 0),
      );
      return sizes[0]?.sizeBytes === sizes[1]?.sizeBytes && sizes[0] !== undefined;
    });
    await take();
  });
  after(() => kafka.end());

  const partitionsOf = (modelled: ReturnType<typeof modelOf>) =>
    modelled.model.partitions.filter(({ topic }) => topic === 'a');

  test('the first sample has places and sizes, and says that it knows no rate', () => {
    const modelled = modelOf(samples.slice(0, 1));
    parseModel(modelled.model);
    const [first, second] = partitionsOf(modelled);
    within(first?.size, (3_000 * recordBytes) / 1e6, 0.03, 'size');
    assert.deepEqual([first?.replicas, first?.leader, second?.size, first?.bytesIn], [[0, 1], 0, 0, 0]);
    assert.deepEqual(
      modelled.confidence.map(({ figure, known }) => [figure, known]),
      [
        ['disk', 1],
        ['bytesIn', 0],
        ['bytesOut', 0],
        ['diskCapacity', 1],
        ['networkCapacity', 0],
      ],
    );
  });

  test('two samples give sizes and rates within 3% of what was produced', () => {
    const modelled = modelOf(samples);
    const seconds = (samples[1]!.takenAtMs - samples[0]!.takenAtMs) / 1_000;
    const partitions = partitionsOf(modelled);
    for (const [index, records] of loads.entries()) {
      const { size, bytesIn, bytesOut } = partitions[index]!;
      const added = (records * recordBytes) / 1e6;
      within(size, added + (index === 0 ? (3_000 * recordBytes) / 1e6 : 0), 0.03, `size of ${index}`);
      within(bytesIn, added / seconds, 0.03, `write rate of ${index}`);
      within(bytesOut, added / seconds, 0.03, `what the leader of ${index} sends to its follower`);
    }
    assert.match(
      modelled.confidence.map(({ words }) => words).join('; '),
      /from offsets for 100% of partitions/,
    );
  });

  test('brokers come with racks, and with capacities of their file systems', () => {
    const { model } = modelOf(samples, { draining: [3] });
    assert.deepEqual(
      model.brokers.map(({ id, rack, state }) => [id, rack, state]),
      [
        [0, 'rack-0', 'alive'],
        [1, 'rack-1', 'alive'],
        [2, 'rack-0', 'alive'],
        [3, 'rack-1', 'draining'],
      ],
    );
    assert.equal(modelOf(samples).model.brokers[3]?.state, 'new');
    for (const { capacity } of model.brokers) assert.ok(capacity.disk > 100 && capacity.networkIn > 0);
  });

  test('what a consumer group reads is added to what its leader sends', async () => {
    const client = kafka.client().admin();
    await client.connect();
    for (const offset of ['1000', '3000']) {
      await client.setOffsets({ groupId: 'readers', topic: 'a', partitions: [{ partition: 0, offset }] });
      await take();
    }
    await client.disconnect();
    const [before, last] = samples.slice(-2);
    const seconds = (last!.takenAtMs - before!.takenAtMs) / 1_000;
    const [partition] = partitionsOf(modelOf(samples.slice(-2)));
    assert.equal(partition?.bytesIn, 0);
    within(partition?.bytesOut, (2_000 * recordBytes) / 1e6 / seconds, 0.05, 'read rate');
  });

  test('a broker that is away stays, excluded, with the rack that it had', async () => {
    await kafka.kill(2);
    await until('the cluster has noticed', async () => {
      const { brokers } = await admin.describeCluster();
      return !brokers.some(({ id, fenced }) => id === 2 && fenced !== true);
    });
    await take();
    const modelled = modelOf(samples.slice(-2));
    assert.deepEqual(modelled.excludedBrokers, [2]);
    assert.equal(modelled.model.brokers.find(({ id }) => id === 2)?.rack, 'rack-0');
    parseModel(modelled.model);
  });
});

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { KafkaAdmin } from '../../src/kafka/index.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';
import { type Load, send, withProducer } from './produce.ts';

const unavailable = (await loopbackUnavailable()) ?? false;

void suite('bytes per offset at the end of a log, against Kafka 4.1', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  before(async () => {
    kafka = await startLoopback({ brokers: 1 });
    admin = kafka.admin();
  });
  after(() => kafka.end());

  const rangeOf = async (topic: string) => {
    const one = { topic, partition: 0 };
    const [earliest] = await admin.listOffsets('earliest', [one]);
    const [latest] = await admin.listOffsets('latest', [one]);
    return { ...one, earliest: earliest!.offset, latest: latest!.offset };
  };
  const tailOf = async (topic: string) =>
    (await admin.tailBytesPerOffset([await rangeOf(topic)]))[0]?.bytesPerOffset;
  /** What the log itself says: its size over its offsets, which is right where nothing was compacted. */
  const measured = async (topic: string) => {
    const replicas = (await admin.describeLogDirs(0)).flatMap((dir) => dir.replicas);
    const { sizeBytes } = replicas.find((replica) => replica.topic === topic)!;
    const { earliest, latest } = await rangeOf(topic);
    return sizeBytes / Number(latest - earliest);
  };
  const within = (actual: number | undefined, expected: number, share: number) =>
    assert.ok(
      actual !== undefined && Math.abs(actual - expected) <= share * expected,
      `${actual} is not within ${share * 100}% of ${expected}`,
    );

  const loads: Record<string, Load> = {
    single: { records: 60, valueBytes: 200, batch: 1 },
    batches: { records: 2_000, valueBytes: 200, batch: 100 },
    large: { records: 8, valueBytes: 300_000, batch: 1 },
    gzip: { records: 2_000, valueBytes: 200, batch: 100, compression: 1 },
  };
  for (const [topic, load] of Object.entries(loads)) {
    test(`${topic}: the tail agrees with the whole log`, async () => {
      await kafka.createTopic(topic, [[0]]);
      await withProducer(kafka, (producer) => send(producer, topic, load));
      within(await tailOf(topic), await measured(topic), 0.05);
    });
  }

  test('markers of transactions count as the offsets that they are', async () => {
    await kafka.createTopic('transactions', [[0]]);
    const producer = kafka
      .client()
      .producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (let count = 0; count < 20; count++) {
      const transaction = await producer.transaction();
      await send(transaction, 'transactions', { records: 1, valueBytes: 300 });
      await (count % 4 === 3 ? transaction.abort() : transaction.commit());
    }
    await producer.disconnect();
    const { latest } = await rangeOf('transactions');
    assert.equal(latest, 40n);
    within(await tailOf('transactions'), await measured('transactions'), 0.1);
  });

  test('a compacted topic is measured by what was written, not by what is left', async () => {
    await kafka.createTopic('compacted', [[0]], {
      'cleanup.policy': 'compact',
      'segment.bytes': '1048576',
      'min.cleanable.dirty.ratio': '0.01',
    });
    await kafka.createTopic('kept', [[0]]);
    const load = { valueBytes: 1_000, batch: 10, key: (index: number) => `key-${index % 10}` };
    await withProducer(kafka, async (producer) => {
      await send(producer, 'kept', { ...load, records: 200 });
      await send(producer, 'compacted', { ...load, records: 3_000 });
    });
    const written = await measured('kept');
    await until(
      'compaction has removed most of it',
      async () => (await measured('compacted')) < written * 0.7,
      { timeoutMs: 30_000, everyMs: 200 },
    );
    within(await tailOf('compacted'), written, 0.05);
  });

  test('partitions with nothing to read are left out', async () => {
    await kafka.createTopic('empty', [[0]]);
    assert.equal(await tailOf('empty'), undefined);
    assert.deepEqual(await admin.tailBytesPerOffset([]), []);
  });
});

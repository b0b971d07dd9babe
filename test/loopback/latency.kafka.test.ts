import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { longestAppendMs, type KafkaAdmin } from '../../src/kafka/index.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';

const unavailable = (await loopbackUnavailable()) ?? false;
const offsetsTopic = '__consumer_offsets';

void suite('how long writes take, on real brokers', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;

  before(async () => {
    kafka = await startLoopback({ brokers: 3 });
    admin = kafka.admin();
  });
  after(() => kafka?.end());

  const groups = async (): Promise<string[]> => {
    const client = kafka.client().admin();
    await client.connect();
    const listed = await client.listGroups();
    await client.disconnect();
    return listed.groups.map(({ groupId }) => groupId).filter((id) => id.startsWith('__kafka-warden'));
  };

  test('a cluster that never had a group gives nothing, and is not made to have one', async () => {
    assert.deepEqual(await admin.appendLatency(kafka.ids), []);
    await admin.removeLatencyGroups();
    assert.deepEqual(await admin.topics([offsetsTopic]), []);
  });

  test('each broker that leads a partition is measured; a follower that stands still counts as 2 s; no group is left', async () => {
    await kafka.createTopic('read', [[0]]);
    const client = kafka.client().admin();
    await client.connect();
    await client.setOffsets({ groupId: 'g', topic: 'read', partitions: [{ partition: 0, offset: '1' }] });
    await client.disconnect();
    const [offsets] = await admin.topics([offsetsTopic]);
    const leaders = [...new Set(offsets!.partitions.map(({ leader }) => leader))].sort();
    const measured = await until(
      'every leader is measured',
      async () => {
        const found = await admin.appendLatency(kafka.ids).catch(() => []);
        return found.length === leaders.length && found;
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
    assert.deepEqual(measured.map(({ broker }) => broker).sort(), leaders);
    for (const { ms } of measured) assert.ok(ms > 0 && ms <= longestAppendMs, `${ms} ms`);
    const [one] = leaders;
    assert.deepEqual(
      (await admin.appendLatency([one!])).map(({ broker }) => broker),
      [one],
    );
    const made = await groups();
    assert.equal(made.length, leaders.length);
    const committed = (await admin.committedOffsets()).filter(({ group }) => made.includes(group));
    assert.ok(committed.every(({ offsets: some }) => some.every(({ topic }) => topic === offsetsTopic)));
    assert.equal(committed.length, made.length);

    // Another broker leads, this one follows and is in sync: a write is complete only with it.
    // Broker 0 is the first that is asked for facts.
    const still = kafka.ids.find((id) => id !== one && id !== 0)!;
    kafka.pause(still);
    try {
      assert.deepEqual(await admin.appendLatency([one!]), [{ broker: one, ms: longestAppendMs }]);
    } finally {
      kafka.resume(still);
    }
    await until(
      'the groups are removed',
      async () =>
        (await admin.removeLatencyGroups().then(
          () => true,
          () => false,
        )) && true,
      { timeoutMs: 60_000, everyMs: 500 },
    );
    assert.deepEqual(await groups(), []);
  });
});

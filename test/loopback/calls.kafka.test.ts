import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { type KafkaAdmin, type TopicPartition, clusterDefault } from '../../src/kafka/index.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';
import { send, withProducer } from './produce.ts';

const unavailable = (await loopbackUnavailable()) ?? false;

void suite('the calls for balancing, against Kafka 4.1', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  before(async () => {
    kafka = await startLoopback({ brokers: 3, logDirs: 2 });
    admin = kafka.admin();
  });
  after(() => kafka.end());

  const partitionOf = async ({ topic, partition }: TopicPartition) => {
    const [found] = await admin.topics([topic]);
    return found!.partitions.find(({ index }) => index === partition)!;
  };
  const inSync = (one: TopicPartition) =>
    until(
      `${one.topic} is in sync`,
      async () => {
        const { replicas, isr } = await partitionOf(one);
        return isr.length === replicas.length;
      },
      { everyMs: 100 },
    );
  /** Whichever broker is asked hears of a change a moment after the controller. */
  const hasReplicas = (one: TopicPartition, ids: readonly number[]) =>
    until(
      `${one.topic} lies on ${ids.join(', ')}`,
      async () => [...(await partitionOf(one)).replicas].sort().join() === ids.join(),
      { everyMs: 100 },
    );
  const throttle = (rate: string | undefined) =>
    admin.alterManyConfigs([
      {
        resource: { type: 'topic', name: 'moved' },
        changes: ['leader', 'follower'].map((side) => {
          const name = `${side}.replication.throttled.replicas`;
          return rate === undefined ? { name, remove: true } : { name, set: '*' };
        }),
      },
      ...kafka.ids.map((id) => ({
        resource: { type: 'broker', name: String(id) } as const,
        changes: ['leader', 'follower'].map((side) => {
          const name = `${side}.replication.throttled.rate`;
          return rate === undefined ? ({ name, remove: true } as const) : { name, set: rate };
        }),
      })),
    ]);

  test('a reassignment is listed while it is under way, can be cancelled, and completes', async () => {
    const one = { topic: 'moved', partition: 0 };
    await kafka.createTopic('moved', [[0, 1]]);
    await withProducer(kafka, (producer) =>
      send(producer, 'moved', { records: 4_000, valueBytes: 1_000, batch: 500 }),
    );
    assert.deepEqual(
      (await throttle('100000')).filter(({ error }) => error !== undefined),
      [],
    );

    assert.deepEqual(await admin.alterReassignments([{ ...one, replicas: [0, 2] }]), [one]);
    const ongoing = { ...one, adding: [2], removing: [1] };
    const [listed, ...others] = await admin.listReassignments();
    assert.deepEqual(
      { ...listed, replicas: [...listed!.replicas].sort() },
      { ...ongoing, replicas: [0, 1, 2] },
    );
    assert.deepEqual(others, []);
    assert.deepEqual(await admin.listReassignments([{ topic: 'moved', partition: 7 }]), []);
    assert.equal((await admin.listReassignments([one])).length, 1);

    assert.deepEqual(await admin.alterReassignments([{ ...one, replicas: null }]), [one]);
    assert.deepEqual(await admin.listReassignments(), []);
    await hasReplicas(one, [0, 1]);
    const [again] = await admin.alterReassignments([{ ...one, replicas: null }]);
    assert.equal(again?.error?.reason, 'NO_REASSIGNMENT_IN_PROGRESS');

    assert.deepEqual(
      (await throttle(undefined)).filter(({ error }) => error !== undefined),
      [],
    );
    await admin.alterReassignments([{ ...one, replicas: [0, 2] }]);
    await until('the move is done', async () => (await admin.listReassignments()).length === 0, {
      everyMs: 100,
    });
    await hasReplicas(one, [0, 2]);
  });

  test('each partition’s refusal is told apart, and the replication factor stays as it is', async () => {
    await kafka.createTopic('refused', [
      [0, 1],
      [0, 1],
    ]);
    const outcomes = await admin.alterReassignments([
      { topic: 'refused', partition: 0, replicas: [0] },
      { topic: 'refused', partition: 1, replicas: [1, 0] },
      { topic: 'refused', partition: 9, replicas: [0, 1] },
      { topic: 'nowhere', partition: 0, replicas: [0, 1] },
    ]);
    const reasons = outcomes.map(
      ({ topic, partition, error }) => `${topic}-${partition} ${error?.reason ?? ''}`,
    );
    assert.deepEqual(reasons.sort(), [
      'nowhere-0 UNKNOWN_TOPIC_OR_PARTITION',
      'refused-0 INVALID_REPLICATION_FACTOR',
      'refused-1 ',
      'refused-9 UNKNOWN_TOPIC_OR_PARTITION',
    ]);
  });

  test('the preferred leader is elected, and one that leads already counts as done', async () => {
    const one = { topic: 'led', partition: 0 };
    await kafka.createTopic('led', [[0, 1]]);
    await inSync(one);
    await admin.alterReassignments([{ ...one, replicas: [1, 0] }]);
    await until('the new order is known', async () => (await partitionOf(one)).replicas[0] === 1);
    assert.equal((await partitionOf(one)).leader, 0);
    assert.deepEqual(await admin.electPreferredLeaders([one]), [one]);
    await until('broker 1 leads', async () => (await partitionOf(one)).leader === 1, { everyMs: 100 });
    assert.deepEqual(await admin.electPreferredLeaders([one]), [one]);
    assert.deepEqual(await admin.electPreferredLeaders([]), []);
  });

  test('log directories tell the sizes of replicas and of their file systems', async () => {
    await kafka.createTopic('sized', [[0, 1]]);
    await withProducer(kafka, (producer) =>
      send(producer, 'sized', { records: 1_000, valueBytes: 1_000, batch: 100 }),
    );
    await inSync({ topic: 'sized', partition: 0 });
    const sizes: number[] = [];
    for (const id of [0, 1]) {
      const dirs = await admin.describeLogDirs(id);
      assert.deepEqual(dirs.map(({ path }) => path).sort(), kafka.logDirs(id));
      for (const { totalBytes, usableBytes, error } of dirs) {
        assert.equal(error, undefined);
        assert.ok(totalBytes! > usableBytes! && usableBytes! > 0);
      }
      const replicas = dirs.flatMap((dir) => dir.replicas).filter(({ topic }) => topic === 'sized');
      assert.deepEqual(
        replicas.map(({ partition, future }) => [partition, future]),
        [[0, false]],
      );
      sizes.push(replicas[0]!.sizeBytes);
    }
    assert.equal(sizes[0], sizes[1]);
    assert.ok(sizes[0]! > 1_000_000 && sizes[0]! < 1_100_000, String(sizes[0]));
    const absent = (await admin.describeLogDirs(2)).flatMap((dir) => dir.replicas);
    assert.deepEqual(
      absent.filter(({ topic }) => topic === 'sized'),
      [],
    );
  });

  test('offsets are asked of each partition’s leader', async () => {
    await kafka.createTopic('counted', [[0], [1], [2]]);
    await withProducer(kafka, async (producer) => {
      for (const partition of [0, 1])
        await send(producer, 'counted', { partition, records: 10 * (partition + 1), valueBytes: 10 });
    });
    const client = kafka.client().admin();
    await client.connect();
    // kafkajs deletes records only of topics that it has looked at before.
    await client.fetchTopicOffsets('counted');
    await client.deleteTopicRecords({
      topic: 'counted',
      partitions: [{ partition: 1, offset: '5' }],
    });
    await client.disconnect();
    const asked = [0, 1, 2, 3].map((partition) => ({ topic: 'counted', partition }));
    const offsets = async (position: 'earliest' | 'latest') =>
      (await admin.listOffsets(position, asked))
        .sort((a, b) => a.partition - b.partition)
        .map(({ offset }) => offset);
    assert.deepEqual(await offsets('latest'), [10n, 20n, 0n]);
    assert.deepEqual(await offsets('earliest'), [0n, 5n, 0n]);
  });

  test('committed offsets of groups on every coordinator are found', async () => {
    await kafka.createTopic('read', [[0], [1]]);
    const client = kafka.client().admin();
    await client.connect();
    const groups = Array.from({ length: 4 }, (_, index) => `group-${index}`);
    await Promise.all(
      groups.map((groupId, index) =>
        client.setOffsets({
          groupId,
          topic: 'read',
          partitions: [{ partition: 1, offset: String(index) }],
        }),
      ),
    );
    await client.disconnect();
    const found = (await admin.committedOffsets()).filter(({ group }) => groups.includes(group));
    assert.deepEqual(
      found.sort((a, b) => a.group.localeCompare(b.group)),
      groups.map((group, index) => ({
        group,
        offsets: [{ topic: 'read', partition: 1, offset: BigInt(index) }],
      })),
    );
  });

  test('many configurations are read and changed at once, each with its own outcome', async () => {
    await kafka.createTopic('set-a', [[0]]);
    await kafka.createTopic('set-b', [[0]]);
    const rate = 'leader.replication.throttled.rate';
    const topics = ['set-a', 'set-b', 'not-there'].map((name) => ({ type: 'topic', name }) as const);
    const own = ['0', '1', '2'].map((name) => ({ type: 'broker', name }) as const);
    const outcomes = await admin.alterManyConfigs([
      ...topics.map((resource) => ({ resource, changes: [{ name: 'retention.ms', set: '7200000' }] })),
      { resource: clusterDefault, changes: [{ name: 'log.cleaner.threads', set: 'many' }] },
      { resource: own[1]!, changes: [{ name: rate, set: '5000' }] },
    ]);
    assert.deepEqual(
      outcomes.map(({ resource, error }) => [resource.name, error?.reason]),
      [
        ['set-a', undefined],
        ['set-b', undefined],
        ['not-there', 'UNKNOWN_TOPIC_OR_PARTITION'],
        ['', 'INVALID_REQUEST'],
        ['1', undefined],
      ],
    );
    const read = () => admin.describeManyConfigs([...topics, ...own], ['retention.ms', rate]);
    await until('the rate is set', async () =>
      (await read()).some(({ configs }) => configs.some(({ value }) => value === '5000')),
    );
    const values = (await read()).map(({ resource, configs }) => [
      resource.name,
      configs.map(({ name, value, source }) => `${name}=${value} ${source}`),
    ]);
    assert.deepEqual(values, [
      ['set-a', ['retention.ms=7200000 topic']],
      ['set-b', ['retention.ms=7200000 topic']],
      ['0', []],
      ['1', [`${rate}=5000 broker`]],
      ['2', []],
    ]);
    await admin.alterManyConfigs([{ resource: own[1]!, changes: [{ name: rate, remove: true }] }]);
    await until(
      'nothing is left behind',
      async () => (await admin.describeManyConfigs([own[1]!], [rate]))[0]?.configs.length === 0,
    );
  });

  test('what only a broker that is away could say is refused, and its partitions are left out', async () => {
    const alone = { topic: 'alone', partition: 0 };
    const both = [0, 1].map((partition) => ({ topic: 'away', partition }));
    await kafka.createTopic('alone', [[2]]);
    await kafka.createTopic('away', [
      [0, 2],
      [2, 0],
    ]);
    await inSync(both[1]!);
    await kafka.kill(2);
    await until('broker 0 has taken over', async () => (await partitionOf(both[1]!)).leader === 0);
    await until('its own partition has no leader', async () => (await partitionOf(alone)).leader === -1);
    assert.ok((await admin.topics()).length > 1, 'one partition without a leader hides no topic');
    assert.deepEqual(await admin.topics(['nowhere']), []);
    const known = await admin.listOffsets('latest', [alone, ...both]);
    assert.deepEqual(
      known.map(({ topic }) => topic),
      ['away', 'away'],
    );
    const [outcome] = await admin.electPreferredLeaders([both[1]!]);
    assert.equal(outcome?.error?.reason, 'PREFERRED_LEADER_NOT_AVAILABLE');

    const gone = { code: 'kafka-unreachable' };
    const resource = { type: 'broker', name: '2' } as const;
    await assert.rejects(admin.describeLogDirs(2), gone);
    await assert.rejects(admin.describeManyConfigs([resource]), gone);
    const [refused] = await admin.alterManyConfigs([
      { resource, changes: [{ name: 'leader.replication.throttled.rate', set: '1' }] },
    ]);
    assert.equal(refused?.error?.reason, 'kafka-unreachable');
    assert.match(refused.error.message, /broker 2|localhost/i);
    await kafka.start(2);
    await until('it leads its own partition', async () => (await partitionOf(alone)).leader === 2);
  });

  test('a directory that has failed is told, with what was in it offline', async () => {
    await kafka.createTopic('lost', [
      [0, 1],
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
    const path = kafka.logDirs(1)[1]!;
    await kafka.stop(1);
    rmSync(path, { recursive: true });
    writeFileSync(path, 'a file where the directory was');
    await kafka.start(1);
    const dirs = await until('broker 1 tells', () => admin.describeLogDirs(1));
    const failed = dirs.find((dir) => dir.path === path);
    assert.equal(failed?.error, 'KAFKA_STORAGE_ERROR');
    assert.deepEqual(failed.replicas, []);
    const [healthy] = dirs.filter((dir) => dir.path !== path);
    assert.equal(healthy?.error, undefined);
    const kept = healthy!.replicas.filter(({ topic }) => topic === 'lost').map(({ partition }) => partition);
    const [topic] = await admin.topics(['lost']);
    for (const { index, offline } of topic!.partitions)
      assert.deepEqual(offline, kept.includes(index) ? [] : [1]);
  });
});

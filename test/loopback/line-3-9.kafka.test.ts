import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type KafkaAdmin, connectAdmin, longestAppendMs } from '../../src/kafka/index.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';
import { send, withProducer } from './produce.ts';

const unavailable = (await loopbackUnavailable()) ?? false;

void suite('the calls for balancing, against Kafka 3.9', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  const one = { topic: 'a', partition: 0 };
  before(async () => {
    kafka = await startLoopback({ line: '3.9', brokers: 2, rack: (id) => (id === 0 ? 'a' : undefined) });
    admin = kafka.admin();
    await kafka.createTopic('a', [[0]]);
    await withProducer(kafka, (producer) =>
      send(producer, 'a', { records: 500, valueBytes: 1_000, batch: 50 }),
    );
  });
  after(() => kafka.end());

  test('sizes, offsets, bytes per offset and committed offsets', async () => {
    const [dir] = await admin.describeLogDirs(0);
    const replica = dir!.replicas.find(({ topic }) => topic === 'a');
    assert.ok(replica!.sizeBytes > 500_000 && dir!.totalBytes! > dir!.usableBytes!);
    assert.deepEqual(await admin.alterReplicaLogDirs(0, [{ ...one, path: dir!.path }]), [one]);
    const [latest] = await admin.listOffsets('latest', [one]);
    const [earliest] = await admin.listOffsets('earliest', [one]);
    assert.deepEqual([earliest?.offset, latest?.offset], [0n, 500n]);
    const [tail] = await admin.tailBytesPerOffset([{ ...one, earliest: 0n, latest: 500n }]);
    assert.ok(Math.abs(tail!.bytesPerOffset - replica!.sizeBytes / 500) < 20);
    const client = kafka.client().admin();
    await client.connect();
    await client.setOffsets({ groupId: 'g', topic: 'a', partitions: [{ partition: 0, offset: '7' }] });
    await client.disconnect();
    assert.deepEqual(await admin.committedOffsets(), [{ group: 'g', offsets: [{ ...one, offset: 7n }] }]);
  });

  test('a commit of an offset waits for every in-sync replica, and its group can be removed', async () => {
    const measured = () => admin.appendLatency([0]).catch(() => []);
    await until('the leader is measured', async () => (await measured()).length === 1, { everyMs: 200 });
    const [quick] = await admin.appendLatency([0]);
    assert.ok(quick!.ms < longestAppendMs);
    kafka.pause(1);
    try {
      assert.deepEqual(await admin.appendLatency([0]), [{ broker: 0, ms: longestAppendMs }]);
    } finally {
      kafka.resume(1);
    }
    const groups = async () => (await admin.committedOffsets()).map(({ group }) => group);
    await until('only the other group is left', async () => {
      await admin.removeLatencyGroups().catch(() => undefined);
      return (await groups()).join() === 'g';
    });
  });

  test('a move to another broker, its election and its cancellation', async () => {
    assert.deepEqual(await admin.alterReassignments([{ ...one, replicas: [1] }]), [one]);
    await until('the move is done', async () => (await admin.listReassignments()).length === 0, {
      everyMs: 100,
    });
    assert.deepEqual(await admin.electPreferredLeaders([one]), [one]);
    const [cancelled] = await admin.alterReassignments([{ ...one, replicas: null }]);
    assert.equal(cancelled?.error?.reason, 'NO_REASSIGNMENT_IN_PROGRESS');
  });

  test('configurations of topics and brokers', async () => {
    const resources = [{ type: 'topic', name: 'a' } as const, { type: 'broker', name: '1' } as const];
    const name = 'follower.replication.throttled.replicas';
    const rate = 'follower.replication.throttled.rate';
    const outcomes = await admin.alterManyConfigs([
      { resource: resources[0]!, changes: [{ name, set: '0:1' }] },
      { resource: resources[1]!, changes: [{ name: rate, set: '1000' }] },
    ]);
    assert.deepEqual(
      outcomes,
      resources.map((resource) => ({ resource })),
    );
    await until('both are read back', async () => {
      const read = await admin.describeManyConfigs(resources, [name, rate]);
      return read.flatMap(({ configs }) => configs.map(({ value }) => value)).join() === '0:1,1000';
    });
  });
});

void suite('the calls for balancing, against Kafka 3.9 in ZooKeeper mode', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  const one = { topic: 'a', partition: 0 };
  before(async () => {
    kafka = await startLoopback({ line: '3.9', brokers: 2, zookeeper: true });
    admin = kafka.admin();
    await kafka.createTopic('a', [[0, 1]]);
    await withProducer(kafka, (producer) => send(producer, 'a', { records: 100, valueBytes: 1_000 }));
  });
  after(() => kafka.end());

  test('only the controller reassigns, lists and elects, and it is found whoever is asked', async () => {
    assert.deepEqual(await admin.listReassignments(), []);
    const { controllerId } = await admin.describeCluster();
    assert.ok(controllerId === 0 || controllerId === 1);
    const other = connectAdmin({ bootstrap: [kafka.bootstrap[1 - controllerId]!], tls: kafka.tls });
    try {
      assert.deepEqual(await other.alterReassignments([{ ...one, replicas: [1, 0] }]), [one]);
      await until('the order is another', async () => (await other.listReassignments()).length === 0);
      assert.deepEqual(await other.electPreferredLeaders([one]), [one]);
      await until('broker 1 leads', async () => (await other.topics(['a']))[0]?.partitions[0]?.leader === 1);
      assert.deepEqual(await other.electPreferredLeaders([one]), [one]);
    } finally {
      await other.close();
    }
  });

  test('sizes, offsets and configurations are as in KRaft', async () => {
    const dirs = await admin.describeLogDirs(1);
    const replicas = dirs.flatMap((dir) => dir.replicas);
    assert.deepEqual(await admin.alterReplicaLogDirs(1, [{ ...one, path: dirs[0]!.path }]), [one]);
    const size = replicas.find(({ topic }) => topic === 'a')?.sizeBytes ?? 0;
    const [latest] = await admin.listOffsets('latest', [one]);
    const [tail] = await admin.tailBytesPerOffset([{ ...one, earliest: 0n, latest: latest!.offset }]);
    assert.ok(Math.abs(tail!.bytesPerOffset * Number(latest!.offset) - size) < size * 0.05);
    const resource = { type: 'broker', name: '0' } as const;
    const rate = 'leader.replication.throttled.rate';
    const changes = [{ name: rate, set: '1000' }];
    assert.deepEqual(await admin.alterManyConfigs([{ resource, changes }]), [{ resource }]);
    await until('it is read back', async () => {
      const [read] = await admin.describeManyConfigs([resource], [rate]);
      return read?.configs[0]?.value === '1000';
    });
  });
});

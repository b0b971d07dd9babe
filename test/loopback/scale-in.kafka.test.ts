import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaAdmin } from '../../src/kafka/index.ts';
import type { Log } from '../../src/kubernetes/object.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import { memoryApi } from '../../src/kubernetes/test/memory-api.ts';
import { keys } from '../../src/names.ts';
import type { Context } from '../../src/sidecar/context.ts';
import { createMetrics } from '../../src/sidecar/metrics.ts';
import type { Pod } from '../../src/sidecar/objects.ts';
import { newMemory, reconcileRebalances } from '../../src/sidecar/rebalance/index.ts';
import type { KafkaRebalance } from '../../src/sidecar/rebalance/kafka-rebalance.ts';
import { reconcileScale } from '../../src/sidecar/scale/index.ts';
import { clusterSet } from '../../src/sidecar/test/sets.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { send, withProducer } from './produce.ts';

const unavailable = (await loopbackUnavailable()) ?? false;
const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const namespace = 'shop';
const podPath = (id: number) => paths.pods(namespace, `kafka-${id}`);

/** Brokers advertise pods in a cluster, and ports of one machine here. */
function inCluster(kafka: LoopbackKafka, admin: KafkaAdmin): KafkaAdmin {
  const portOf = (id: number) => Number((kafka.bootstrap[id] ?? '').split(':')[1]);
  const idOf = (host: string) => Number(host.split('-')[1]);
  return {
    ...admin,
    describeCluster: async () => {
      const cluster = await admin.describeCluster();
      const brokers = cluster.brokers.map((broker) => ({ ...broker, host: `kafka-${broker.id}` }));
      return { ...cluster, brokers };
    },
    viewOf: ({ host }, options) => admin.viewOf({ host: 'localhost', port: portOf(idOf(host)) }, options),
  };
}

void suite('scaling in, with real brokers under an API server in memory', { skip: unavailable }, () => {
  const api = memoryApi(namespace);
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  let context: Context;

  before(async () => {
    kafka = await startLoopback({ brokers: 3 });
    admin = kafka.admin();
    await kafka.createTopic('orders', [
      [0, 1],
      [1, 2],
      [2, 0],
      [2, 1],
    ]);
    await withProducer(kafka, (producer) =>
      send(producer, 'orders', { records: 4_000, valueBytes: 1_000, batch: 500 }),
    );
    const set = clusterSet('kafka', { role: 'broker', voters: 0 }, 2);
    api.put(paths.statefulsets(namespace, 'kafka'), {
      ...set.object,
      spec: { ...set.object.spec, replicas: 2 },
    });
    for (const id of [0, 1, 2])
      api.put(podPath(id), {
        metadata: {
          ...{ name: `kafka-${id}`, namespace, uid: `uid-${id}`, labels: { [keys.node]: 'kafka' } },
          ownerReferences: [{ kind: 'StatefulSet', name: 'kafka', uid: set.object.metadata.uid }],
        },
      });
    const of = <T>(path: string) =>
      [...api.objects].flatMap(([key, one]) => (key.startsWith(`${path}/`) ? [one as unknown as T] : []));
    context = {
      ...{ namespace, cluster: 'kafka', kube: api.kube, kafka: inCluster(kafka, admin), log: silent },
      ...{ now: () => new Date(), metrics: createMetrics('kafka'), launchers: [] },
      reports: { all: () => [], facts: () => ({}) },
      world: () => ({
        ...{ sets: [set], pods: of<Pod>(paths.pods(namespace)), claims: [], kafkaCluster: undefined },
        rebalances: of<KafkaRebalance>(paths.kafkarebalances(namespace)),
      }),
    } as unknown as Context;
  });
  after(() => kafka.end());

  test('replicas move, settings go, the pod is deleted and its broker forgotten; no message is lost', async (t) => {
    const set = [{ name: 'log.cleaner.backoff.ms', set: '16000' }] as const;
    await admin.incrementalAlterConfigs({ type: 'broker', name: '2' }, set, { broker: 2 });
    const stop = new AbortController();
    t.after(() => stop.abort());
    const balancing = {
      ...{ context, memory: newMemory(), by: 'sidecar-1', signal: stop.signal, wake: () => undefined },
    };
    const seen = new Set<string>();
    let gone = false;
    for (const deadline = Date.now() + 300_000; ; await delay(300)) {
      assert.ok(Date.now() < deadline, [...seen].join('; '));
      await reconcileRebalances(balancing);
      // Each pass as another sidecar would make it.
      const { conditions } = await reconcileScale({ context, by: `sidecar-${seen.size}` });
      const { reason, status } = conditions[0] ?? {};
      seen.add(`${reason}`);
      if (!gone && !api.objects.has(podPath(2))) {
        gone = true;
        await kafka.stop(2);
      }
      if (gone && status === 'False') break;
    }
    t.diagnostic([...seen].join(' → '));
    assert.deepEqual((await admin.describeCluster()).brokers.map(({ id }) => id).sort(), [0, 1]);
    const partitions = (await admin.topics(['orders'])).flatMap((topic) => topic.partitions);
    assert.ok(partitions.every(({ replicas }) => replicas.length === 2 && !replicas.includes(2)));
    const all = partitions.map(({ index }) => ({ topic: 'orders', partition: index }));
    const ends = await admin.listOffsets('latest', all);
    assert.equal(
      ends.reduce((sum, { offset }) => sum + Number(offset), 0),
      4_000,
    );
    await kafka.start(2);
    const own = await admin.describeConfigs({ type: 'broker', name: '2' });
    assert.deepEqual(
      own.filter(({ source }) => source === 'broker'),
      [],
    );
    assert.ok([0, 1].every((id) => api.objects.has(podPath(id))));
    assert.deepEqual(context.world().rebalances, []);
  });
});

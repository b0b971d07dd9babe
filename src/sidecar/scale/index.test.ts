import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseRecord } from '../../gate/record-json.ts';
import { type ConfigChange, KafkaError } from '../../kafka/index.ts';
import { metadataBytes } from '../../kafka/test/view-bytes.ts';
import type { KubeObject, Log } from '../../kubernetes/object.ts';
import { paths } from '../../kubernetes/paths.ts';
import { memoryApi } from '../../kubernetes/test/memory-api.ts';
import { keys, objectsOf } from '../../names.ts';
import type { Context } from '../context.ts';
import type { ConfigMap, Pod } from '../objects.ts';
import type { KafkaRebalance, RebalanceStatus } from '../rebalance/kafka-rebalance.ts';
import { clusterSet } from '../test/sets.ts';
import { reconcileScale } from './index.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Four brokers, of which the last one holds replicas of one topic, in both systems' memory. */
function surroundings(replicas: number, annotations: Record<string, string> = {}) {
  const api = memoryApi();
  const set = clusterSet('kafka', { voters: 3 }, replicas);
  const object = {
    ...set.object,
    metadata: { ...set.object.metadata, namespace: 'shop', annotations },
    spec: { ...set.object.spec, replicas },
  };
  const setPath = paths.statefulsets('shop', 'kafka');
  const podPath = (id: number) => paths.pods('shop', `kafka-${id}`);
  api.put(setPath, object);
  for (const id of [0, 1, 2, 3])
    api.put(podPath(id), {
      metadata: {
        ...{ name: `kafka-${id}`, namespace: 'shop', uid: `uid-${id}`, labels: { [keys.node]: 'kafka' } },
        ownerReferences: [{ kind: 'StatefulSet', name: 'kafka', uid: object.metadata.uid }],
      },
    });
  const kafka = {
    ids: [0, 1, 2, 3],
    replicas: [0, 1, 3],
    settings: ['num.io.threads'],
    calls: [] as string[],
    isAway: false,
    describeCluster: async () => {
      if (kafka.isAway) throw new KafkaError('kafka-unreachable', 'nobody answers');
      const facts = (id: number) => ({
        id,
        host: `kafka-${id}.kafka`,
        port: 9091,
        rack: undefined,
        fenced: false,
      });
      return { clusterId: 'c', controllerId: 0, brokers: kafka.ids.map(facts) };
    },
    apiVersions: async () => ({ mode: 'kraft', newest: new Map(), features: new Map() }),
    listReassignments: async () => [],
    viewOf: async () => ({
      metadata: metadataBytes({
        ...{ controllerId: 0, serving: kafka.ids },
        partitions: [
          { topic: 'orders', partition: 0, leader: 0, replicas: kafka.replicas, isr: kafka.replicas },
        ],
      }),
    }),
    describeConfigs: async () =>
      kafka.settings.map((name) => ({ name, value: '9', source: 'broker', synonyms: [] })),
    incrementalAlterConfigs: async ({ name }: { name: string }, changes: readonly ConfigChange[]) => {
      kafka.calls.push(`clear ${name} ${changes.map((one) => one.name).join()}`);
      kafka.settings = [];
    },
    unregisterBroker: async (id: number) => void kafka.calls.push(`unregister ${id}`),
  };
  const of = <T>(path: string) =>
    [...api.objects].flatMap(([key, one]) => (key.startsWith(`${path}/`) ? [one as unknown as T] : []));
  const live = () => {
    const stored = api.objects.get(setPath) as unknown as typeof object;
    return { ...set, object: stored, replicas: stored.spec.replicas };
  };
  const context = {
    ...{ namespace: 'shop', cluster: 'kafka', kube: api.kube, kafka, log: silent, now: () => new Date() },
    reports: { all: () => [], facts: () => ({}) },
    world: () => ({
      ...{ sets: [live()], pods: of<Pod>(paths.pods('shop')), claims: [], kafkaCluster: undefined },
      rebalances: of<KafkaRebalance>(paths.kafkarebalances('shop')),
    }),
  } as unknown as Context;
  const recordPath = paths.configmaps('shop', objectsOf('kafka').disruption);
  const rebalancePath = paths.kafkarebalances('shop', 'kafka-scale-in');
  return {
    ...{ api, kafka, podPath, setPath },
    pass: (by = 'sidecar-1') => reconcileScale({ context, by }),
    scale: (to: number) => api.put(setPath, { ...live().object, spec: { ...object.spec, replicas: to } }),
    holder: () => {
      const stored = api.objects.get(recordPath) as unknown as ConfigMap | undefined;
      return stored && parseRecord(stored.data?.['record'] ?? '').holder;
    },
    rebalance: () => api.objects.get(rebalancePath) as unknown as KafkaRebalance | undefined,
    setStatus: (status: RebalanceStatus) => {
      const stored = api.objects.get(rebalancePath);
      assert.ok(stored);
      api.put(rebalancePath, { ...stored, status });
    },
    events: () => of<KubeObject & { reason: string }>(paths.events('shop')).map(({ reason }) => reason),
  };
}

suite('the duty that scales', { concurrency: true }, () => {
  test('carries a scale-in to its end: moved, cleared, deleted, forgotten, and nothing left', async () => {
    const { api, kafka, podPath, pass, holder, rebalance, setStatus, events } = surroundings(3);
    const first = await pass();
    assert.deepEqual(rebalance()?.spec, {
      ...{ cluster: 'kafka', mode: 'remove-brokers', brokers: [3], autoApprove: { maxBytes: '1000P' } },
    });
    assert.equal(rebalance()?.metadata.ownerReferences?.[0]?.name, 'kafka');
    assert.equal(first.conditions.find(({ type }) => type === 'ScalingIn')?.reason, 'Moving');
    setStatus({ phase: 'Executing', message: 'half' });
    await pass();
    assert.equal(holder(), undefined);
    assert.ok(api.objects.has(podPath(3)));

    kafka.replicas = [0, 1, 2];
    setStatus({ phase: 'Done', reason: 'Executed' });
    await pass();
    assert.deepEqual(kafka.calls, ['clear 3 num.io.threads']);
    assert.equal(holder()?.kind, 'scale-in');
    assert.ok(api.objects.has(podPath(3)));
    // The sidecar has ended there; another one goes on, and its broker is fenced a little later.
    await pass('sidecar-2');
    assert.ok(!api.objects.has(podPath(3)));
    await pass('sidecar-2');
    assert.deepEqual(kafka.calls.slice(1), []);
    kafka.ids = [0, 1, 2];
    const { facts } = await pass('sidecar-2');
    assert.deepEqual(kafka.calls.slice(1), ['unregister 3']);
    assert.equal(holder(), undefined);
    assert.deepEqual(facts?.largestReplication, { replicas: 3, topics: ['orders'] });
    await pass('sidecar-2');
    assert.equal(rebalance(), undefined);
    const last = await pass('sidecar-2');
    assert.ok(last.conditions.every(({ status }) => status === 'False'));
    assert.deepEqual([...new Set(events())].sort(), ['Moving', 'ScaledIn']);
    assert.deepEqual(
      [0, 1, 2].map((id) => api.objects.has(podPath(id))),
      [true, true, true],
    );
  });

  test('scaled back, it stops what moves, and removes it when that has been taken back', async () => {
    const { api, podPath, pass, scale, rebalance, setStatus, kafka } = surroundings(3);
    await pass();
    setStatus({ phase: 'Executing' });
    scale(4);
    await pass();
    assert.equal(rebalance()?.metadata.annotations?.[keys.stop], 'true');
    setStatus({ phase: 'Stopped', reason: 'Stopped' });
    await pass();
    assert.equal(rebalance(), undefined);
    assert.ok(api.objects.has(podPath(3)));
    assert.deepEqual(kafka.calls, []);
  });

  test('what the API server says of the set counts, not what an informer knew', async () => {
    const { api, podPath, pass, kafka, holder, scale } = surroundings(3);
    kafka.replicas = [0, 1, 2];
    kafka.settings = [];
    let scaled = false;
    api.onWrite = (path) => {
      if (!path.endsWith('-disruption') || scaled) return;
      scaled = true;
      scale(4);
    };
    await pass();
    assert.equal(holder(), undefined);
    assert.ok(api.objects.has(podPath(3)));
  });

  test('without Kafka nothing goes, and that is said', async () => {
    const { api, podPath, pass, kafka } = surroundings(3);
    kafka.isAway = true;
    const { conditions, facts } = await pass();
    assert.equal(conditions[0]?.reason, 'Waiting');
    assert.deepEqual(facts, {});
    assert.ok(api.objects.has(podPath(3)));
  });

  test('to zero all pods go where that is confirmed, and nothing is moved or forgotten', async () => {
    const plain = surroundings(0);
    const { conditions } = await plain.pass();
    assert.equal(conditions[0]?.reason, 'NotConfirmed');
    assert.ok(plain.api.objects.has(plain.podPath(0)));
    const confirmed = surroundings(0, { [keys.confirmScale]: '0' });
    await confirmed.pass();
    assert.deepEqual(
      [0, 1, 2, 3].filter((id) => confirmed.api.objects.has(confirmed.podPath(id))),
      [],
    );
    assert.deepEqual([confirmed.kafka.calls, confirmed.rebalance()], [[], undefined]);
    const behind = surroundings(0, { [keys.confirmScale]: '0' });
    const now = { ...behind.api.objects.get(behind.setPath), spec: { replicas: 3 } };
    behind.api.refuse = ({ method, path }) =>
      method === 'GET' && path === behind.setPath ? { status: 200, body: now } : undefined;
    await behind.pass();
    assert.ok(behind.api.objects.has(behind.podPath(0)), 'an informer that is behind ends nothing');
  });
});

import assert from 'node:assert/strict';
import { type TestContext, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { begin } from '../../execution/index.ts';
import { type DisruptionRecord, emptyRecord, take } from '../../gate/record.ts';
import { parseRecord, recordText } from '../../gate/record-json.ts';
import type { KubeObject, Log } from '../../kubernetes/object.ts';
import { paths } from '../../kubernetes/paths.ts';
import { type MemoryApi, memoryApi } from '../../kubernetes/test/memory-api.ts';
import { sampleCluster } from '../../model/index.ts';
import { keys, objectsOf } from '../../names.ts';
import type { Context } from '../context.ts';
import { createMetrics } from '../metrics.ts';
import type { ConfigMap } from '../objects.ts';
import { clusterSet } from '../test/sets.ts';
import { claimOf, entryJson, limitsOf } from './entry.ts';
import { type Memory, newMemory, reconcileRebalances } from './index.ts';
import type { KafkaRebalance, RebalanceStatus } from './kafka-rebalance.ts';
import { preparePlan } from './plan-chunks.ts';
import { storePlan } from './plan-store.ts';
import { settingsKey } from './settings.ts';
import { FakeKafka } from './test/fake-kafka.ts';
import { rebalanceOf } from './test/samples.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const recordPath = paths.configmaps('shop', objectsOf('kafka').disruption);
const pathOf = (name: string): string => paths.kafkarebalances('shop', name);
const spec = { plan: { configMap: 'given' } };

/** An API server, a Kafka, and one KafkaRebalance for a plan from elsewhere that moves a replica of orders-0 to broker 2. */
function cluster() {
  const api = memoryApi();
  const kafka = new FakeKafka([
    [0, 1],
    [1, 2],
  ]);
  const partitions = [{ topic: 'orders', partition: 0, replicas: [0, 2] }];
  const data = { 'plan.json': JSON.stringify({ version: 1, partitions }) };
  api.put(paths.configmaps('shop', 'given'), {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', data },
    metadata: { name: 'given', namespace: 'shop' },
  });
  api.put(pathOf('monday'), rebalanceOf({ spec }));
  return { api, kafka };
}

const objectIn = (api: MemoryApi, name = 'monday') =>
  api.objects.get(pathOf(name)) as unknown as KafkaRebalance | undefined;
const statusIn = (api: MemoryApi, name?: string): RebalanceStatus => objectIn(api, name)?.status ?? {};
const isIn =
  (api: MemoryApi, ...phases: string[]) =>
  () =>
    phases.includes(statusIn(api).phase ?? 'New');

function annotate(api: MemoryApi, annotations: Record<string, string>): void {
  const object = objectIn(api);
  assert.ok(object);
  const all = { ...object.metadata.annotations, ...annotations };
  api.put(pathOf('monday'), { ...object, metadata: { ...object.metadata, annotations: all } });
}

const recordObject = (record: DisruptionRecord): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', data: { record: recordText(record) } },
  metadata: { name: objectsOf('kafka').disruption, namespace: 'shop' },
});

const holderIn = (api: MemoryApi) => {
  const stored = api.objects.get(recordPath) as unknown as ConfigMap | undefined;
  return stored === undefined ? undefined : parseRecord(stored.data?.['record'] ?? '').holder;
};

interface Sidecar {
  readonly memory: Memory;
  pass(): Promise<number>;
  /** Passes as the duty loop makes them, until it holds. */
  until(holds: () => boolean): Promise<void>;
  /** The farewell of that time is in the KafkaCluster. */
  leave(at: Date): void;
  /** As a process that ends: whatever it was doing goes no further. */
  end(): void;
}

async function sidecar(t: TestContext, { api, kafka }: ReturnType<typeof cluster>, by = 'sidecar-1') {
  const memory = newMemory();
  // So that the first search need not wait until rates mean something.
  const now = () => performance.now() - 10_000;
  memory.samples.taken = [await sampleCluster(kafka as unknown as Context['kafka'], { now })];
  const stop = new AbortController();
  let wake: () => void = () => undefined;
  let annotations: Record<string, string> = {};
  const rebalances = () =>
    [...api.objects].flatMap(([path, object]) =>
      path.startsWith(`${paths.kafkarebalances('shop')}/`) ? [object as unknown as KafkaRebalance] : [],
    );
  const context = {
    ...{ namespace: 'shop', cluster: 'kafka', kube: api.kube, kafka, log: silent, now: () => new Date() },
    ...{ metrics: createMetrics('kafka'), launchers: [], reports: { all: () => [], facts: () => ({}) } },
    world: () => ({
      sets: [clusterSet('kafka')],
      pods: [],
      rebalances: rebalances(),
      kafkaCluster: { metadata: { annotations } },
    }),
  } as unknown as Context;
  const work = { context, memory, by, signal: stop.signal, wake: () => wake() };
  const pass = async () => (await reconcileRebalances(work)).againInMs ?? 60_000;
  const one: Sidecar = {
    memory,
    pass,
    async until(holds) {
      for (const deadline = Date.now() + 30_000; !holds();) {
        assert.ok(Date.now() < deadline, `still ${JSON.stringify(statusIn(api), undefined, 1)}`);
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const againInMs = await pass();
        await Promise.race([woken, delay(Math.min(againInMs, 300))]);
      }
    },
    leave: (at) => void (annotations = { [keys.farewell]: at.toISOString() }),
    end: () => stop.abort(),
  };
  t.after(() => stop.abort());
  return one;
}

/** Until the copy of an approved plan is under way and does not end by itself. */
async function midway(t: TestContext) {
  const around = cluster();
  around.kafka.isHolding = true;
  const first = await sidecar(t, around);
  await first.until(isIn(around.api, 'Proposed'));
  annotate(around.api, { [keys.approve]: statusIn(around.api).plan?.hash ?? '' });
  await first.until(() => around.kafka.underWay === 1 && isIn(around.api, 'Executing')());
  return { ...around, first };
}

const throttles = ({ configs }: FakeKafka): string[] => [...configs.keys()];

suite('the duty that balances', { concurrency: true }, () => {
  test('proposes, waits for an approval, carries the plan out and gives everything back', async (t) => {
    const { api, kafka, first } = await midway(t);
    assert.equal(holderIn(api)?.id, 'monday');
    assert.ok(throttles(kafka).includes('broker/2/follower.replication.throttled.rate'));
    kafka.isHolding = false;
    await first.until(isIn(api, 'Done'));
    assert.deepEqual(kafka.partitions[0]?.replicas, [0, 2]);
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
    assert.equal(statusIn(api).progress?.summary, '100%');
    assert.equal(statusIn(api).reason, 'Executed');
  });

  test('a sidecar that begins in the middle goes on, and submits nothing twice', async (t) => {
    const { api, kafka, first } = await midway(t);
    first.end();
    const second = await sidecar(t, { api, kafka }, 'sidecar-2');
    await second.until(() => holderIn(api)?.by === 'sidecar-2');
    kafka.isHolding = false;
    await second.until(isIn(api, 'Done'));
    assert.equal(kafka.reassigned.length, 1);
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
  });

  test('of an object that is deleted, plan and all, what is under way is taken back', async (t) => {
    const { api, kafka, first } = await midway(t);
    first.end();
    api.objects.delete(pathOf('monday'));
    for (const path of [...api.objects.keys()]) if (path.includes('/monday-')) api.objects.delete(path);
    const second = await sidecar(t, { api, kafka }, 'sidecar-2');
    await second.until(() => holderIn(api) === undefined);
    assert.deepEqual(kafka.partitions[0]?.replicas, [0, 1]);
    assert.deepEqual(throttles(kafka), []);
  });

  test('a stop takes back what is under way and says so', async (t) => {
    const { api, kafka, first } = await midway(t);
    annotate(api, { [keys.stop]: 'true' });
    await first.until(isIn(api, 'Stopped'));
    assert.match(statusIn(api).message ?? '', /1 moves under way were taken back/);
    assert.deepEqual(kafka.partitions[0]?.replicas, [0, 1]);
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
  });

  test('before kafka-warden is uninstalled what is under way is taken back', async (t) => {
    const { api, kafka, first } = await midway(t);
    first.leave(new Date(Date.now() - 3_600_000));
    await first.pass();
    assert.equal(first.memory.running?.stop, false, 'an earlier farewell is over');
    first.leave(new Date());
    await first.until(isIn(api, 'Stopped'));
    assert.deepEqual(kafka.partitions[0]?.replicas, [0, 1]);
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
  });

  test('a record that is deleted is written again, and the execution goes on', async (t) => {
    const { api, kafka, first } = await midway(t);
    api.objects.delete(recordPath);
    await first.until(() => holderIn(api)?.id === 'monday');
    kafka.isHolding = false;
    await first.until(isIn(api, 'Done'));
    assert.equal(kafka.reassigned.length, 1);
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
  });

  test('a stop that finds no record to write to is carried out when it is written again', async (t) => {
    const { api, kafka, first } = await midway(t);
    api.objects.delete(recordPath);
    annotate(api, { [keys.stop]: 'true' });
    await first.until(isIn(api, 'Stopped'));
    assert.deepEqual(kafka.partitions[0]?.replicas, [0, 1]);
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
  });

  test('where somebody else has the record since, an execution waits until it is free', async (t) => {
    const { api, kafka, first } = await midway(t);
    const loss = take(emptyRecord, { id: 'loss-1', by: 'sidecar-1' }, { kind: 'loss', pod: 'kafka-1' }, 1);
    assert.ok(loss.ok);
    api.put(recordPath, recordObject(loss.record));
    await first.until(() => /loss of kafka-1/.test(statusIn(api).progress?.waitingFor ?? ''));
    const { looks } = kafka;
    await delay(1_500);
    assert.equal(kafka.looks, looks, 'it does nothing without the lease');
    assert.equal(holderIn(api)?.kind, 'loss');
    api.put(recordPath, recordObject(emptyRecord));
    kafka.isHolding = false;
    await first.until(isIn(api, 'Done'));
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
  });

  test('an execution that has ended elsewhere is not begun again', async (t) => {
    const { api, kafka, first } = await midway(t);
    const object = objectIn(api);
    assert.ok(object);
    // As a sidecar that took over leaves it: first the status, then the record.
    const status = { ...object.status, phase: 'Stopped', reason: 'Stopped' } as const;
    api.put(pathOf('monday'), { ...object, status });
    api.put(recordPath, recordObject(emptyRecord));
    await first.pass();
    const { looks } = kafka;
    await delay(1_500);
    assert.equal(kafka.looks, looks);
    assert.equal(holderIn(api), undefined);
    assert.equal(statusIn(api).phase, 'Stopped');
  });

  test('where the record is lost together with the sidecar, an execution has failed, and nothing is done', async (t) => {
    const { api, kafka, first } = await midway(t);
    first.end();
    api.objects.delete(recordPath);
    const second = await sidecar(t, { api, kafka }, 'sidecar-2');
    await second.until(isIn(api, 'Failed'));
    assert.equal(statusIn(api).reason, 'RecordLost');
    assert.equal(kafka.reassigned.length, 1);
  });

  test('while the record is damaged an execution waits, and goes on when it has been put right', async (t) => {
    const { api, kafka, first } = await midway(t);
    const good = api.objects.get(recordPath);
    assert.ok(good);
    api.put(recordPath, { ...good, data: { record: 'no JSON' } });
    await first.until(() => statusIn(api).reason === 'RecordUnreadable');
    first.end();
    const second = await sidecar(t, { api, kafka }, 'sidecar-2');
    await second.pass();
    assert.equal(statusIn(api).phase, 'Executing');
    api.put(recordPath, good);
    kafka.isHolding = false;
    await second.until(isIn(api, 'Done'));
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
  });

  test('while Kafka is away an execution waits, and goes on afterwards', async (t) => {
    const { api, kafka, first } = await midway(t);
    kafka.isAway = true;
    await delay(1_500);
    await first.pass();
    assert.equal(statusIn(api).phase, 'Executing');
    kafka.isAway = kafka.isHolding = false;
    await first.until(isIn(api, 'Done'));
    assert.deepEqual(throttles(kafka), []);
  });

  test('an error that stays is told, and tried again without haste', async (t) => {
    const { api, kafka, first } = await midway(t);
    kafka.isBroken = true;
    kafka.isHolding = false;
    await first.until(() => /makes sense/.test(statusIn(api).progress?.waitingFor ?? ''));
    const { writes } = kafka;
    const until = Date.now() + 2_000;
    await first.until(() => Date.now() > until);
    assert.ok(kafka.writes - writes <= 1, `${kafka.writes - writes} attempts in two seconds`);
    kafka.isBroken = false;
    await first.until(isIn(api, 'Done'));
    assert.deepEqual(throttles(kafka), []);
  });

  test('what Kafka refuses for good ends the balancing instead of beginning it again', async (t) => {
    const around = cluster();
    const { api, kafka } = around;
    kafka.hasPolicy = true;
    const one = await sidecar(t, around);
    await one.until(isIn(api, 'Proposed'));
    annotate(api, { [keys.approve]: statusIn(api).plan?.hash ?? '' });
    await one.until(isIn(api, 'Failed'));
    assert.match(statusIn(api).message ?? '', /refuses 1 moves for good.*POLICY_VIOLATION/);
    assert.deepEqual(throttles(kafka), []);
    assert.equal(holderIn(api), undefined);
  });

  test('a proposal is not compared with a cluster in which another one moves replicas', async (t) => {
    const { api, kafka, first } = await midway(t);
    const other = rebalanceOf({ name: 'tuesday', created: '2026-11-24T10:00:00Z', spec });
    const { plan, summary } = statusIn(api);
    assert.ok(plan && summary);
    const status = { phase: 'Proposed', reason: 'Proposed', message: '', plan, summary } as const;
    api.put(pathOf('tuesday'), { ...other, status });
    await first.pass();
    assert.equal(statusIn(api, 'tuesday').phase, 'Proposed');
    kafka.isHolding = false;
    await first.until(isIn(api, 'Done'));
    await first.until(() => statusIn(api, 'tuesday').phase !== 'Proposed');
    assert.equal(statusIn(api, 'tuesday').reason, 'PlanLost', 'it is looked at afterwards');
  });

  test('an end that had no status yet is told after a restart as it was', async (t) => {
    const around = cluster();
    const { api, kafka } = around;
    // Somebody else has moved the partition meanwhile.
    kafka.partitions[0]!.replicas = kafka.partitions[0]!.isr = [1, 0];
    const moves = [{ topic: 'orders', partition: 0, from: [0, 1], to: [0, 2], sizeBytes: 1_000 }];
    const execution = { throttle: {} };
    const stored = { schema: 1, cluster: 'kafka', mode: 'given', execution, moves } as const;
    const prepared = await preparePlan(stored, { brokers: [], partitions: [] }, new Date());
    const rebalance = rebalanceOf({
      spec,
      status: {
        ...{ phase: 'Executing', reason: 'Executing', message: '' },
        plan: { ...prepared.plan, settings: settingsKey({ cluster: 'kafka', ...spec }) },
      },
    });
    api.put(pathOf('monday'), rebalance);
    await storePlan(api.kube, rebalance, prepared);
    const plan = { hash: prepared.plan.hash, moves };
    const journal = { ...begin({ plan, racks: {}, nowMs: 1 }), phase: 'ended', outcome: 'drifted' } as const;
    const limits = limitsOf({ moves, execution });
    const entry = { name: 'monday', uid: rebalance.metadata.uid, journal, limits, underWay: [] };
    const taken = take(
      emptyRecord,
      claimOf(entry, 'sidecar-0'),
      { kind: 'rebalance', journal: entryJson(entry) },
      1,
    );
    assert.ok(taken.ok);
    api.put(recordPath, recordObject(taken.record));
    const one = await sidecar(t, around);
    await one.until(() => statusIn(api).phase !== 'Executing');
    assert.deepEqual([statusIn(api).phase, statusIn(api).reason], ['Proposing', 'Drifted']);
    assert.match(statusIn(api).message ?? '', /orders-0: replicas are 1,0/);
  });

  test('an object whose status cannot be written holds up no other', async (t) => {
    const around = cluster();
    const { api } = around;
    api.put(pathOf('friday'), rebalanceOf({ name: 'friday', created: '2026-11-22T10:00:00Z', spec }));
    const message = 'status: Invalid value';
    api.refuse = ({ method, path }) =>
      method === 'PATCH' && path.includes('/friday/')
        ? { status: 422, body: { reason: 'Invalid', message } }
        : undefined;
    const one = await sidecar(t, around);
    await assert.rejects(one.pass(), /Invalid value/);
    assert.equal(statusIn(api).phase, 'Proposing');
    assert.deepEqual(statusIn(api, 'friday'), {});
  });

  test('a change that comes between look and status is no failure', async (t) => {
    const around = cluster();
    const { api } = around;
    const one = await sidecar(t, around);
    api.refuse = ({ method, path }): ReturnType<NonNullable<MemoryApi['refuse']>> => {
      if (method !== 'PATCH' || !path.endsWith('/status')) return undefined;
      delete api.refuse;
      const object = api.objects.get(pathOf('monday')) as KubeObject;
      api.put(pathOf('monday'), object);
      return undefined;
    };
    assert.ok((await one.pass()) <= 1_000);
    assert.deepEqual(statusIn(api), {});
    await one.pass();
    assert.equal(statusIn(api).phase, 'Proposing');
  });

  test('an object that is deleted between look and status is no failure', async (t) => {
    const around = cluster();
    const { api } = around;
    const one = await sidecar(t, around);
    api.refuse = ({ method, path }): ReturnType<NonNullable<MemoryApi['refuse']>> => {
      if (method === 'PATCH' && path.endsWith('/status')) api.objects.delete(pathOf('monday'));
      return undefined;
    };
    assert.ok((await one.pass()) <= 1_000);
    await one.pass();
    assert.equal(one.memory.searches.size, 0);
  });
});

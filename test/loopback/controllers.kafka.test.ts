import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import {
  type Journal,
  type Limits,
  type Move,
  begin,
  defaultLimits,
  parseJournal,
  throttleKeys,
} from '../../src/execution/index.ts';
import type { KafkaAdmin, KafkaControllers } from '../../src/kafka/index.ts';
import { Execution } from '../../src/sidecar/rebalance/execute.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';
import { send, withProducer } from './produce.ts';

const unavailable = (await loopbackUnavailable()) ?? false;
const mb = 1_000_000;

const limits: Limits = {
  ...defaultLimits,
  throttle: { floorBytesPerSecond: mb, ceilingBytesPerSecond: mb },
  diskReserve: 0.01,
  settleMs: 1_000,
};

void suite(
  'settings of brokers that are away, at the controllers of Kafka 4.1',
  { skip: unavailable },
  () => {
    let kafka: LoopbackKafka;
    let admin: KafkaAdmin;
    let controllers: KafkaControllers;
    before(async () => {
      kafka = await startLoopback({ brokers: 3 });
      [admin, controllers] = [kafka.admin(), kafka.controllers()];
    });
    after(() => kafka.end());

    const [rate, otherRate] = throttleKeys.rates;
    const ratesOf = async (id: number): Promise<Record<string, string>> => {
      const [found] = await admin.describeManyConfigs(
        [{ type: 'broker', name: `${id}` }],
        throttleKeys.rates,
      );
      const own = found?.configs.filter(({ source }) => source === 'broker') ?? [];
      return Object.fromEntries(own.map(({ name, value }) => [name, value ?? '']));
    };
    const fenced = (id: number) =>
      until(
        `broker ${id} is fenced`,
        async () =>
          (await admin.describeCluster()).brokers.every((one) => one.id !== id || one.fenced === true),
        { everyMs: 200 },
      );

    /** With a copy to broker 2 under way and slow; `stored` is what a crash would leave. */
    const midway = async (topic: string) => {
      await kafka.createTopic(topic, [[0, 1]], { 'min.insync.replicas': '1' });
      await withProducer(kafka, (producer) =>
        send(producer, topic, { records: 200, valueBytes: 200_000, batch: 4 }),
      );
      const moves: Move[] = [{ topic, partition: 0, from: [0, 1], to: [0, 2], sizeBytes: 40 * mb }];
      const plan = { hash: topic, moves };
      let stored = JSON.stringify(begin({ plan, racks: {}, nowMs: Date.now() }));
      const journal = (): Journal => parseJournal(stored);
      let stop = false;
      const open = (reach: { controllers?: KafkaControllers }) =>
        new Execution({
          kafka: admin,
          ...reach,
          plan,
          limits,
          journal: journal(),
          save: async (next) => void (stored = JSON.stringify(next)),
          stopRequested: () => stop,
          signal: AbortSignal.timeout(120_000),
          pollMs: 300,
          intervals: { pictureMs: 1_000 },
        });
      const execution = open({ controllers });
      await until(
        'the copy is under way',
        async () => {
          await execution.round();
          return (await admin.listReassignments()).length === 1;
        },
        { everyMs: 100 },
      );
      assert.equal((await ratesOf(2))[otherRate], String(mb));
      return { open, execution, journal, stop: () => (stop = true) };
    };

    test('no broker takes another one’s settings, the active controller does', async () => {
      const resource = { type: 'broker', name: '1' } as const;
      assert.deepEqual(
        await controllers.alterManyConfigs([{ resource, changes: [{ name: rate, set: '5' }] }]),
        [{ resource }],
      );
      await until('broker 1 has it', async () => (await ratesOf(1))[rate] === '5', { everyMs: 100 });
      await controllers.alterManyConfigs([{ resource, changes: [{ name: rate, remove: true }] }]);
      await until('it is gone', async () => (await ratesOf(1))[rate] === undefined, { everyMs: 100 });
      const stranger = { type: 'broker', name: '77' } as const;
      const [refused] = await controllers.alterManyConfigs([
        { resource: stranger, changes: [{ name: rate, remove: true }] },
      ]);
      assert.equal(refused?.error?.reason, 'BROKER_ID_NOT_REGISTERED');
    });

    test('a broker killed in mid-plan: the plan is stopped, and its throttles are paid while it is down', async () => {
      await admin.alterManyConfigs([
        { resource: { type: 'broker', name: '2' }, changes: [{ name: rate, set: '123456789' }] },
      ]);
      await until('the earlier rate is known', async () => (await ratesOf(2))[rate] === '123456789');
      const { execution, journal, stop } = await midway('stopped');
      await kafka.kill(2);
      await fenced(2);
      for (let round = 0; round < 3; round++) await execution.round();
      assert.equal(journal().outcome, undefined, 'it waits for the broker');
      assert.ok(journal().ledger.some(({ name }) => name === '2'));
      stop();
      await execution.run();
      assert.equal(journal().outcome, 'stopped');
      assert.deepEqual(journal().ledger, [], 'nothing is owed, and the broker is still down');
      assert.ok((await admin.describeCluster()).brokers.every(({ id, fenced: away }) => id !== 2 || away));
      await kafka.start(2);
      assert.deepEqual(await ratesOf(2), { [rate]: '123456789' });
      await admin.alterManyConfigs([
        { resource: { type: 'broker', name: '2' }, changes: [{ name: rate, remove: true }] },
      ]);
      for (const id of [0, 1]) assert.deepEqual(await ratesOf(id), {});
    });

    test('a debt that no controller took is kept in the journal, and paid later without a look at the cluster', async () => {
      const { open, journal, stop } = await midway('owed');
      await kafka.kill(2);
      await fenced(2);
      stop();
      await open({}).run();
      assert.equal(journal().outcome, 'stopped');
      assert.deepEqual(new Set(journal().ledger.map(({ name }) => name)), new Set(['2']));
      let pictures = 0;
      const payer = new Execution({
        kafka: { ...admin, topics: async (...names) => ((pictures += 1), admin.topics(...names)) },
        controllers,
        plan: { hash: journal().plan, moves: [] },
        limits,
        journal: { ...journal(), copies: [], refused: {} },
        save: async () => undefined,
        signal: AbortSignal.timeout(60_000),
      });
      assert.equal(await payer.payDebts(), true);
      assert.equal(pictures, 0);
      await kafka.start(2);
      assert.deepEqual(await ratesOf(2), {});
    });
  },
);

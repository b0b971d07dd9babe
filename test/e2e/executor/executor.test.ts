import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import {
  type Limits,
  type Move,
  defaultLimits,
  sameOrder,
  throttleKeys,
} from '../../../src/execution/index.ts';
import type { KafkaAdmin } from '../../../src/kafka/index.ts';
import type { ExecuteOptions, Told } from '../../../src/sidecar/rebalance/execute.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../../support/loopback-kafka.ts';
import { journalledExecution } from '../../support/journalled-execution.ts';
import { until } from '../../support/until.ts';

const unavailable = (await loopbackUnavailable()) ?? false;
const racks = { '0': 'a', '1': 'b', '2': 'c', '3': 'a', '4': 'b' };
const mb = 1_000_000;

const limits: Limits = {
  ...defaultLimits,
  batchBytes: 500 * mb,
  movesPerBroker: 6,
  throttle: { floorBytesPerSecond: 4 * mb, ceilingBytesPerSecond: 4 * mb },
  diskReserve: 0.01,
  settleMs: 2_000,
  electionPatienceMs: 20_000,
};

/** Thrown in the place of a process that is killed. */
class Killed extends Error {}

void suite('the executor, on Kafka 4.1', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  before(async () => {
    kafka = await startLoopback({ brokers: 5, rack: (id) => racks[`${id}` as keyof typeof racks] });
    admin = kafka.admin();
  });
  after(() => kafka.end());

  /** A topic on brokers 0 to 2 with so many bytes in each partition, and moves of its partitions. */
  const filled = async (
    topic: string,
    {
      to,
      from,
      bytes,
    }: { from: readonly number[][]; to: readonly number[][]; bytes: (partition: number) => number },
  ): Promise<Move[]> => {
    await kafka.createTopic(topic, from, { 'min.insync.replicas': '1' });
    const producer = kafka.client().producer();
    await producer.connect();
    const value = randomBytes(500_000);
    for (let partition = 0; partition < from.length; partition++) {
      for (let sent = 0; sent < bytes(partition); sent += value.length) {
        await producer.send({ topic, acks: -1, messages: [{ partition, value }] });
      }
    }
    await producer.disconnect();
    return from.map((replicas, partition) => ({
      topic,
      partition,
      from: replicas,
      to: to[partition]!,
      sizeBytes: bytes(partition),
    }));
  };

  const throttlesNow = async (topics: readonly string[]): Promise<string[]> => {
    const own = await Promise.all([
      admin.describeManyConfigs(
        topics.map((name) => ({ type: 'topic', name })),
        [throttleKeys.sources, throttleKeys.destinations],
      ),
      admin.describeManyConfigs(
        kafka.ids.map((id) => ({ type: 'broker', name: String(id) })),
        throttleKeys.rates,
      ),
    ]);
    return own
      .flat()
      .flatMap(({ resource, configs }) =>
        configs
          .filter(({ source }) => source === resource.type)
          .map(({ name, value }) => `${resource.type}/${resource.name}/${name}=${value}`),
      )
      .sort();
  };

  const assignments = async (topic: string): Promise<number[][]> => {
    const [found] = await admin.topics([topic]);
    return [...found!.partitions].sort((a, b) => a.index - b.index).map(({ replicas }) => [...replicas]);
  };

  const started = (moves: readonly Move[], options: Partial<ExecuteOptions> = {}) => {
    const told: Told[] = [];
    const execution = journalledExecution(moves, {
      ...{ kafka: admin, limits, racks, timeoutMs: 120_000 },
      ...{ pollMs: 300, intervals: { pictureMs: 2_000 } },
      tell: (one) => void told.push(one),
      ...options,
    });
    return { ...execution, told };
  };

  const sizesOn = async (broker: number, topic: string): Promise<number> => {
    const dirs = await admin.describeLogDirs(broker);
    const replicas = dirs.flatMap((dir) => dir.replicas).filter((one) => one.topic === topic);
    return replicas.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  };

  test('copies use the throttle, and not more', async (t) => {
    const from = [
      [0, 1],
      [1, 2],
      [2, 0],
      [0, 2],
    ];
    const to = [
      [0, 3],
      [1, 3],
      [2, 3],
      [0, 3],
    ];
    const moves = await filled('rate', { from, to, bytes: () => 20 * mb });
    const earlier = await throttlesNow(['rate']);
    const { open } = started(moves);
    const samples: { atMs: number; bytes: number }[] = [];
    let over = false;
    const watch = (async () => {
      while (!over) {
        const atMs = performance.now();
        samples.push({ atMs, bytes: await sizesOn(3, 'rate') });
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    })();
    const ended = await open().run();
    over = true;
    await watch;
    assert.equal(ended.outcome, 'done');
    assert.deepEqual(await assignments('rate'), to);
    assert.deepEqual(await throttlesNow(['rate']), earlier);
    // From the first bytes to the last: quotas average over eleven seconds, so the start may be quicker.
    const total = samples.at(-1)!.bytes;
    const first = samples.findLast(({ bytes }) => bytes <= total * 0.1)!;
    const last = samples.find(({ bytes }) => bytes >= total * 0.95)!;
    const rate = (last.bytes - first.bytes) / ((last.atMs - first.atMs) / 1_000);
    const share = rate / limits.throttle!.floorBytesPerSecond;
    t.diagnostic(`${(rate / mb).toFixed(2)} MB/s, ${(share * 100).toFixed(0)}% of the throttle`);
    assert.ok(share <= 1.15, `${share} of the throttle`);
    if (share < 0.95) t.diagnostic('less than 95%: the machine is busy with other things');
  });

  test('a plan of dozens survives an executor that is killed again and again, beside somebody else', async () => {
    const ring = [0, 1, 2];
    const from = Array.from({ length: 36 }, (_, index) => [ring[index % 3]!, ring[(index + 1) % 3]!]);
    const to = from.map(([first, second], index) =>
      index % 4 === 0 ? [second!, first!] : index % 4 === 1 ? [3, 4] : [first!, 3 + (index % 2)],
    );
    const moves = await filled('dozens', { from, to, bytes: () => mb });
    await admin.alterManyConfigs([
      {
        resource: { type: 'broker', name: '0' },
        changes: [{ name: throttleKeys.rates[0], set: '123456789' }],
      },
      { resource: { type: 'topic', name: 'dozens' }, changes: [{ name: throttleKeys.sources, set: '77:0' }] },
    ]);
    const earlier = await until(
      'the settings are known everywhere',
      async () => {
        const now = await throttlesNow(['dozens', 'rate']);
        return now.length === 2 && now;
      },
      { everyMs: 500 },
    );
    // Somebody else moves one partition of the plan elsewhere.
    await admin.alterReassignments([{ topic: 'dozens', partition: 2, replicas: [4, 0] }]);
    const { open, journal } = started(moves);
    let kills = 0;
    while (journal().outcome === undefined) {
      let left = kills < 12 ? Math.floor(Math.random() * 40) : Infinity;
      const mortal = new Proxy(admin, {
        get: (target, name) => {
          const call: unknown = Reflect.get(target, name);
          if (typeof call !== 'function') return call;
          return (...args: unknown[]): unknown => {
            if (left-- <= 0) throw new Killed();
            return Reflect.apply(call, target, args);
          };
        },
      });
      await open({ kafka: mortal })
        .run()
        .catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          kills += 1;
        });
    }
    assert.ok(kills > 0);
    assert.equal(journal().outcome, 'drifted');
    const now = await assignments('dozens');
    for (const [partition, replicas] of now.entries()) {
      assert.deepEqual(replicas, partition === 2 ? [4, 0] : to[partition]);
    }
    const [topic] = await admin.topics(['dozens']);
    for (const { index, leader, replicas } of topic!.partitions) {
      if (index !== 2) assert.equal(leader, replicas[0]);
    }
    assert.deepEqual(await throttlesNow(['dozens', 'rate']), earlier);
  });

  test('a stop takes back what is under way, in the earlier order, and leaves what was complete', async () => {
    const from = Array.from({ length: 8 }, (_, index) => [index % 3, (index + 1) % 3]);
    const to = from.map(([first]) => [3, first!]);
    const moves = await filled('stopped', { from, to, bytes: (partition) => (partition < 4 ? 1 : 12) * mb });
    const earlier = await throttlesNow(['stopped']);
    let stop = false;
    const { open, told, journal } = started(moves, {
      stopRequested: () => stop,
      limits: {
        ...limits,
        movesPerBroker: 3,
        throttle: { floorBytesPerSecond: mb, ceilingBytesPerSecond: mb },
      },
    });
    const run = open().run();
    await until(
      'some are complete and others under way',
      async () => {
        const last = told.at(-1);
        const large = journal().copies.some(({ seen, move }) => seen && move >= 4);
        return last !== undefined && last.progress.moved >= 1 && large;
      },
      { everyMs: 100, timeoutMs: 60_000 },
    );
    stop = true;
    await run;
    assert.equal(journal().outcome, 'stopped');
    assert.deepEqual(await admin.listReassignments(), []);
    const { reverted = [], forward = [] } = journal().stop ?? {};
    assert.ok(reverted.length > 0);
    const now = await assignments('stopped');
    let complete = 0;
    for (const [partition, replicas] of now.entries()) {
      const moved = replicas.includes(3);
      if (moved) complete += 1;
      else assert.deepEqual(replicas, from[partition]);
      if (reverted.includes(partition)) assert.ok(!moved);
      if (forward.includes(partition)) assert.ok(moved);
    }
    assert.ok(complete >= 1);
    assert.deepEqual(await throttlesNow(['stopped']), earlier);
  });

  test('a broker that is killed pauses the plan; its throttle is owed, and put back when it is there again', async () => {
    const from = Array.from({ length: 6 }, (_, index) => [index % 3, (index + 1) % 3]);
    const to = from.map(([first]) => [first!, 4]);
    const moves = await filled('killed', { from, to, bytes: () => 4 * mb });
    const earlier = await throttlesNow(['killed']);
    let stop = false;
    const { open, told, journal } = started(moves, { stopRequested: () => stop });
    const execution = open();
    const run = execution.run();
    await until('copies are under way', async () => journal().copies.some(({ seen }) => seen), {
      everyMs: 100,
    });
    await kafka.kill(4);
    await until(
      'the plan says whom it waits for',
      async () =>
        told
          .at(-1)
          ?.waiting.some(({ code, message }) => code === 'broker-away' && message.includes('broker 4')),
      { everyMs: 100 },
    );
    stop = true;
    await run;
    assert.equal(journal().outcome, 'stopped');
    const owed = journal().ledger.map(({ type, name }) => `${type}/${name}`);
    assert.ok(owed.length > 0 && owed.every((name) => name === 'broker/4'), owed.join());
    await kafka.start(4);
    await until('nothing is owed', () => execution.payDebts(), { everyMs: 500 });
    assert.deepEqual(await throttlesNow(['killed']), earlier);
    const now = await assignments('killed');
    for (const [partition, replicas] of now.entries()) {
      assert.ok(sameOrder(replicas, from[partition]!) || sameOrder(replicas, to[partition]!));
    }
  });

  test('nothing more is done when the journal cannot be stored', async () => {
    const moves = await filled('lost', { from: [[0, 1]], to: [[0, 3]], bytes: () => mb });
    const { open } = started(moves, {
      save: async () => {
        throw new Error('the lease is another’s');
      },
    });
    await assert.rejects(open().run(), /lease/);
    assert.deepEqual(await assignments('lost'), [[0, 1]]);
    assert.ok(!(await throttlesNow(['lost'])).some((one) => one.includes('lost')));
  });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { propose } from '../../src/balance/index.ts';
import { type Limits, type Move, defaultLimits, throttleKeys } from '../../src/execution/index.ts';
import type { KafkaAdmin } from '../../src/kafka/index.ts';
import { modelOf, sampleCluster } from '../../src/model/index.ts';
import type { ExecuteOptions } from '../../src/sidecar/rebalance/execute.ts';
import { movesOf } from '../../src/sidecar/rebalance/plan.ts';
import { type LoopbackKafka, loopbackUnavailable, startLoopback } from '../support/loopback-kafka.ts';
import { journalledExecution } from '../support/journalled-execution.ts';
import { until } from '../support/until.ts';
import { withProducer } from './produce.ts';

const unavailable = (await loopbackUnavailable()) ?? false;
const mb = 1_000_000;
const limits: Limits = {
  ...defaultLimits,
  throttle: { floorBytesPerSecond: 50 * mb, ceilingBytesPerSecond: 50 * mb },
  diskReserve: 0.01,
  settleMs: 700,
};
const slow = { ...limits, throttle: { floorBytesPerSecond: mb, ceilingBytesPerSecond: mb } };

/** Thrown in the place of a process that is killed. */
class Killed extends Error {}

void suite('log directories, on Kafka 4.1', { skip: unavailable }, () => {
  let kafka: LoopbackKafka;
  let admin: KafkaAdmin;
  before(async () => {
    kafka = await startLoopback({ brokers: 3, logDirs: 2 });
    admin = kafka.admin();
  });
  after(() => kafka.end());

  const dirsOf = (id: number): readonly [string, string] => [kafka.logDirs(id)[0]!, kafka.logDirs(id)[1]!];
  const places = (topic: string, count: number, path: string) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition, path }));

  /** A topic of which every replica comes to the first directory of its broker, with so many bytes in each partition. */
  const filled = async (
    topic: string,
    replicas: readonly number[][],
    bytes: (partition: number) => number,
  ) => {
    for (const id of kafka.ids)
      await admin.alterReplicaLogDirs(id, places(topic, replicas.length, dirsOf(id)[0]));
    await kafka.createTopic(topic, replicas, { 'min.insync.replicas': '1' });
    await withProducer(kafka, async (producer) => {
      const value = randomBytes(500_000);
      for (const partition of replicas.keys())
        for (let sent = 0; sent < bytes(partition); sent += value.length)
          await producer.send({ topic, acks: -1, messages: [{ partition, value }] });
    });
  };

  /** `data-1`, or `data-0 → data-1` while it is being copied, by partition and broker. */
  const lies = async (topic: string): Promise<Record<string, string>> => {
    const found = await Promise.all(
      kafka.ids.map(async (id) =>
        (await admin.describeLogDirs(id)).flatMap(({ path, replicas }) =>
          replicas
            .filter((one) => one.topic === topic)
            .map(({ partition, future }) => ({
              key: `${partition} on ${id}`,
              where: `${future ? '→ ' : ''}${path.slice(-'data-0'.length)}`,
            })),
        ),
      ),
    );
    const byKey = Map.groupBy(found.flat(), ({ key }) => key);
    // The arrow sorts after letters.
    const told = (some: readonly { where: string }[]) =>
      some
        .map(({ where }) => where)
        .sort()
        .join(' ');
    return Object.fromEntries([...byKey].map(([key, some]) => [key, told(some)]));
  };

  const throttles = async (): Promise<string[]> => {
    const keys = [...throttleKeys.rates, throttleKeys.directories];
    const brokers = kafka.ids.map((id) => ({ type: 'broker', name: String(id) }) as const);
    const found = await admin.describeManyConfigs(brokers, keys);
    return found.flatMap(({ resource, configs }) =>
      configs
        .filter(({ source }) => source === 'broker')
        .map(({ name, value }) => `${resource.name}/${name}=${value}`),
    );
  };

  const started = (moves: readonly Move[], options: Partial<ExecuteOptions> = {}) =>
    journalledExecution(moves, {
      ...{ kafka: admin, limits, timeoutMs: 60_000 },
      ...{ pollMs: 200, intervals: { pictureMs: 1_000 } },
      ...options,
    });

  const move = (topic: string, partition: number, more: Pick<Move, 'from' | 'to' | 'toDirs'>): Move => ({
    ...{ topic, partition, sizeBytes: mb },
    ...more,
  });

  test('a skewed pair of directories is evened out, from the model of the cluster to the end of the plan', async () => {
    const ring = Array.from({ length: 6 }, (_, index) => [0, 1, 2].map((id) => (id + index) % 3));
    await filled('skewed', ring, (partition) => (partition < 3 ? 2 : 1) * mb);
    const looked = async () => modelOf([await sampleCluster(admin, { now: () => performance.now() })]);
    await until('all is in sync', async () => {
      const [topic] = await admin.topics(['skewed']);
      return topic?.partitions.every(({ isr }) => isr.length === 3);
    });
    const { model, dirs } = await looked();
    const request = { tolerance: 0.15, trigger: 0.3, steps: 10_000, diskReserve: limits.diskReserve };
    const surroundings = { now: () => performance.now() };
    const { reassignment, summary } = propose(model, request, surroundings);
    assert.deepEqual([summary.movedMB, summary.directories?.outsideBefore], [0, 6]);
    const { moves, problems } = movesOf(model, reassignment, dirs);
    assert.deepEqual(problems, []);
    assert.equal((await started(moves).open().run()).outcome, 'done');
    const after = propose((await looked()).model, request, surroundings).summary;
    assert.deepEqual([after.directories?.outsideBefore, after.due], [0, false]);
    assert.deepEqual(await throttles(), []);
  });

  test('a broker remembers where a replica is to come, and ends a copy that is told to stay', async () => {
    const one = { topic: 'told', partition: 0 };
    const [first, second] = dirsOf(0);
    await kafka.createTopic('told', [[1]]);
    const answer = async (path: string) => {
      const [outcome] = await admin.alterReplicaLogDirs(0, [{ ...one, path }]);
      return outcome?.error?.reason;
    };
    assert.equal(
      await until('it knows the topic', async () => {
        const reason = await answer(second);
        return reason !== 'UNKNOWN_TOPIC_OR_PARTITION' && reason;
      }),
      'REPLICA_NOT_AVAILABLE',
    );
    assert.equal(await answer('/nowhere'), 'LOG_DIR_NOT_FOUND');
    await admin.alterReassignments([{ ...one, replicas: [0] }]);
    await until('it has come', async () => (await lies('told'))['0 on 0'] === 'data-1', { everyMs: 100 });
    assert.deepEqual(await admin.alterReplicaLogDirs(0, [{ ...one, path: first }]), [one]);
    await until('it has moved', async () => (await lies('told'))['0 on 0'] === 'data-0', { everyMs: 100 });
  });

  test('a move between brokers lands in the directory that the plan names, whichever it is', async () => {
    const from = [0, 1, 2, 3].map(() => [0, 1]);
    await filled('between', from, () => mb);
    const moves = from.map((replicas, partition) =>
      move('between', partition, {
        ...{ from: replicas, to: [0, 2] },
        toDirs: ['any', dirsOf(2)[partition < 3 ? 1 : 0]],
      }),
    );
    assert.equal((await started(moves).open().run()).outcome, 'done');
    const now = await lies('between');
    assert.deepEqual(
      from.map((_, partition) => now[`${partition} on 2`]),
      ['data-1', 'data-1', 'data-1', 'data-0'],
    );
    assert.deepEqual(await throttles(), []);
  });

  test('an executor that is killed again and again resumes, and every replica comes to its directory', async () => {
    const from = [0, 1, 2, 3, 4].map((index) => [index % 3, (index + 1) % 3]);
    await filled('killed', from, () => mb);
    const moves = from.map((replicas, partition) =>
      move('killed', partition, {
        ...{ from: replicas, to: replicas },
        toDirs: replicas.map((id) => dirsOf(id)[1]),
      }),
    );
    const { open, journal } = started(moves);
    let kills = 0;
    let inCall = 0;
    while (journal().outcome === undefined) {
      // Before, and after, each kind of request that changes something.
      let left = kills < 8 ? kills : Infinity;
      const mortal = new Proxy(admin, {
        get: (target, name) => {
          const call: unknown = Reflect.get(target, name);
          if (typeof call !== 'function' || !String(name).startsWith('alter')) return call;
          return async (...args: unknown[]): Promise<unknown> => {
            if (left-- === 0) throw new Killed();
            const answer: unknown = await Reflect.apply(call, target, args);
            if (left-- === 0) throw new Killed();
            if (name === 'alterReplicaLogDirs') inCall += 1;
            return answer;
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
    assert.ok(kills >= 3 && inCall > 0, `${kills} kills`);
    assert.equal(journal().outcome, 'done');
    assert.ok(Object.values(await lies('killed')).every((where) => where === 'data-1'));
    assert.deepEqual(await throttles(), []);
  });

  test('a stop leaves no copy between directories, and a throttle as it was', async () => {
    await filled('stopped', [[1], [1]], (partition) => (partition === 0 ? 12 : 1) * mb);
    const own = { type: 'broker', name: '1' } as const;
    const earlier = { name: throttleKeys.directories, set: '77000000' };
    await admin.alterManyConfigs([{ resource: own, changes: [earlier] }]);
    const before = [`1/${throttleKeys.directories}=77000000`];
    await until('it is set', async () => (await throttles()).join() === before.join(), { everyMs: 100 });
    const moves = [0, 1].map((partition) =>
      move('stopped', partition, { from: [1], to: [1], toDirs: [dirsOf(1)[1]] }),
    );
    let stop = false;
    const { open, journal } = started(moves, { limits: slow, stopRequested: () => stop });
    const run = open().run();
    await until(
      'the large one is being copied',
      async () => {
        assert.equal(journal().outcome, undefined);
        return journal().relocations?.some(({ move: index, seen }) => index === 0 && seen) === true;
      },
      { everyMs: 50 },
    );
    assert.equal((await lies('stopped'))['0 on 1'], 'data-0 → data-1');
    stop = true;
    await run;
    assert.equal(journal().outcome, 'stopped');
    assert.ok(journal().stop?.reverted.includes(0));
    assert.equal((await lies('stopped'))['0 on 1'], 'data-0');
    assert.deepEqual(await throttles(), before);
    await admin.alterManyConfigs([
      { resource: own, changes: [{ name: throttleKeys.directories, remove: true }] },
    ]);
  });
});

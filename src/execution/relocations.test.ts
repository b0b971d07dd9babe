import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Limits, type Move, defaultLimits } from './model.ts';
import { Crash, Executor } from './test/executor.ts';
import { SimulatedKafka } from './test/simulated-kafka.ts';
import { throttleKeys } from './throttles.ts';

const mb = 1_000_000;
const limits: Limits = {
  ...defaultLimits,
  throttle: { floorBytesPerSecond: 10 * mb, ceilingBytesPerSecond: 10 * mb },
};

function cluster(diskBytes = 100_000 * mb): SimulatedKafka {
  const kafka = new SimulatedKafka();
  for (let id = 0; id < 4; id++) kafka.addBroker(id, `r${id}`, diskBytes, ['/a', '/b']);
  kafka.minIsr.set('t', 1);
  return kafka;
}

/** One partition on brokers 0 and 1, in directory `/a` of both. */
function place(kafka: SimulatedKafka, to: number[], toDirs: string[], sizeBytes = 100 * mb): Move {
  const at = { topic: 't', partition: kafka.partitions.size };
  kafka.addPartition(at, [0, 1], sizeBytes);
  const one = kafka.partitions.get(`t-${at.partition}`);
  for (const id of [0, 1]) one?.lies.set(id, '/a');
  return { ...at, from: [0, 1], to, toDirs, sizeBytes };
}

function look(executor: Executor, times: number, until: () => boolean = () => false): void {
  for (let done = 0; done < times && !until(); done++) {
    executor.round();
    executor.kafka.tick(1_000);
  }
}

/** One look, after which a new process goes on where this one was killed. */
function survive(executor: Executor, dies: () => boolean): void {
  try {
    executor.round(dies);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    executor.restart();
  }
}

const ended = ({ journal }: Executor) => journal.outcome !== undefined;
const lies = (kafka: SimulatedKafka, partition = 0) =>
  Object.fromEntries(kafka.partitions.get(`t-${partition}`)?.lies ?? []);
const futures = (kafka: SimulatedKafka) =>
  [...kafka.partitions.values()].reduce((count, one) => count + one.futures.size, 0);
const run = (kafka: SimulatedKafka, moves: Move[], own: Limits = limits): Executor =>
  new Executor(kafka, { hash: 'p', moves }, own);

suite('log directories', () => {
  test('a new replica comes to the directory that the plan names, whichever Kafka would have taken', () => {
    for (const path of ['/a', '/b']) {
      const kafka = cluster();
      const executor = run(kafka, [place(kafka, [0, 2], ['any', path])]);
      look(executor, 100, () => ended(executor));
      assert.equal(executor.journal.outcome, 'done');
      assert.deepEqual(lies(kafka), { '0': '/a', '2': path });
      assert.equal(executor.last?.progress.moved, 1);
    }
  });

  test('one that came to another directory after all is moved to the planned one in the end', () => {
    const kafka = cluster();
    const executor = run(kafka, [place(kafka, [0, 2], ['any', '/b'])]);
    look(executor, 60, () => kafka.ours().length > 0);
    // As after a restart of the broker, which forgets what it was told.
    kafka.partitions.get('t-0')?.lies.set(2, '/a');
    look(executor, 100, () => ended(executor));
    assert.deepEqual([executor.journal.outcome, lies(kafka)], ['done', { '0': '/a', '2': '/b' }]);
  });

  test('between two directories of a broker nothing is copied before the throttle has been read back, which ends as it was', () => {
    const kafka = cluster();
    const key = `broker/1/${throttleKeys.directories}`;
    kafka.configs.set(key, '5000000');
    const executor = run(kafka, [place(kafka, [0, 1], ['any', '/b'])]);
    look(executor, 60, () => futures(kafka) > 0);
    assert.equal(kafka.configs.get(key), `${10 * mb}`);
    assert.deepEqual([...kafka.configs.keys()], [key]);
    look(executor, 4);
    const { bytesTotal, bytesMoved } = executor.last?.progress ?? {};
    assert.ok(bytesTotal === 100 * mb && bytesMoved! > 0 && bytesMoved! < bytesTotal);
    look(executor, 60, () => ended(executor));
    assert.deepEqual([executor.journal.outcome, lies(kafka)], ['done', { '0': '/a', '1': '/b' }]);
    assert.deepEqual([...kafka.configs], [[key, '5000000']]);
  });

  test('leaders stay where only directories change', () => {
    const kafka = cluster();
    const executor = run(kafka, [place(kafka, [0, 1], ['/b', 'any'])]);
    const one = kafka.partitions.get('t-0');
    one!.leader = 1;
    look(executor, 100, () => ended(executor));
    assert.deepEqual([executor.journal.outcome, one!.leader, lies(kafka)['0']], ['done', 1, '/b']);
  });

  test('a process killed at any moment is followed by one that goes on', () => {
    for (let moment = 0; moment < 12; moment++) {
      const kafka = cluster();
      const executor = run(kafka, [place(kafka, [0, 1], ['/b', '/b']), place(kafka, [2, 1], ['/b', '/b'])]);
      let left = moment;
      for (let looks = 0; looks < 200 && !ended(executor); looks++) {
        survive(executor, () => left-- === 0);
        kafka.tick(1_000);
      }
      assert.equal(executor.journal.outcome, 'done');
      assert.deepEqual(
        [lies(kafka), lies(kafka, 1)],
        [
          { '0': '/b', '1': '/b' },
          { '1': '/b', '2': '/b' },
        ],
      );
      assert.equal(kafka.configs.size, 0);
    }
  });

  test('a stop ends what is being copied, and what has been copied stays', () => {
    for (let after = 0; after < 25; after++) {
      const kafka = cluster();
      const executor = run(kafka, [place(kafka, [0, 1], ['/b', 'any'])]);
      look(executor, after);
      executor.stop();
      look(executor, 60, () => ended(executor));
      assert.equal(futures(kafka), 0, `stopped after ${after} looks`);
      assert.ok(ended(executor) && kafka.configs.size === 0);
    }
  });

  test('a stop that comes as a copy ends begins no copy back', () => {
    for (const seconds of [0, 1, 2, 5, 10, 30]) {
      const kafka = cluster();
      const executor = run(kafka, [place(kafka, [0, 1], ['/b', 'any'])]);
      look(executor, 60, () => futures(kafka) > 0);
      look(executor, 2);
      executor.stop();
      // Between the look and the action.
      executor.round(undefined, () => kafka.tick(1_000 * seconds));
      look(executor, 60, () => ended(executor));
      assert.deepEqual([executor.journal.outcome, futures(kafka)], ['stopped', 0]);
      const { reverted, forward } = executor.journal.stop!;
      assert.deepEqual(lies(kafka)['0'] === '/b' ? [[], [0]] : [[0], []], [reverted, forward]);
    }
  });

  test('a stop does not wait for a broker that is away, and tells that it goes on there', () => {
    const kafka = cluster();
    const executor = run(kafka, [place(kafka, [0, 1], ['any', '/b'])]);
    look(executor, 60, () => futures(kafka) > 0);
    kafka.kill(1);
    executor.stop();
    look(executor, 60, () => ended(executor));
    assert.deepEqual([executor.journal.outcome, executor.journal.stop?.forward], ['stopped', [0]]);
  });

  test('each directory keeps its reserve, by itself and for what is under way', () => {
    const kafka = cluster(1_000 * mb);
    const moves = Array.from({ length: 9 }, () => place(kafka, [0, 1], ['any', '/b'], 100 * mb));
    const executor = run(kafka, moves, { ...limits, diskPatienceMs: 90_000 });
    for (let looks = 0; looks < 400 && !ended(executor); looks++) {
      executor.round();
      assert.ok(kafka.usable(1, '/b') >= 150 * mb);
      kafka.tick(1_000);
    }
    const there = moves.filter(({ partition }) => lies(kafka, partition)['1'] === '/b').length;
    assert.deepEqual([executor.journal.outcome, there], ['drifted', 8]);
    assert.deepEqual(
      Object.values(executor.journal.refused).map(({ code }) => code),
      ['no-room'],
    );
  });

  test('what somebody else moves within a broker waits', () => {
    const kafka = cluster();
    const executor = run(kafka, [place(kafka, [0, 1], ['any', '/b'])]);
    kafka.alterDirectory({ topic: 't', partition: 0 }, 1, '/b', 'others');
    executor.round();
    assert.match(
      executor.last?.waiting.map(({ message }) => message).join() ?? '',
      /somebody else has it copied to \/b/,
    );
    look(executor, 100, () => ended(executor));
    assert.deepEqual([executor.journal.outcome, kafka.violations], ['done', []]);
  });
});

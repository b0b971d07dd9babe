import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Limits, begin, defaultLimits } from '../../execution/index.ts';
import { Execution, type Told } from './execute.ts';
import { LatencyProbe } from './latency.ts';
import { FakeKafka } from './test/fake-kafka.ts';

const plan = {
  hash: 'p',
  moves: [{ topic: 'orders', partition: 0, from: [0, 1], to: [0, 2], sizeBytes: 1_000 }],
};

/** An execution whose copies end when the test lets them, by a clock that a look moves on by 5 s. */
function execution(own: Partial<Limits> = {}, holds: () => boolean = () => true) {
  const kafka = new FakeKafka([
    [0, 1],
    [1, 2],
  ]);
  kafka.isHolding = true;
  const told: Told[] = [];
  let nowMs = 1_000_000;
  const running = new Execution({
    kafka,
    latency: kafka,
    plan,
    limits: { ...defaultLimits, settleMs: 0, freshMs: 1e9, diskFreshMs: 1e9, ...own },
    journal: begin({ plan, racks: {}, nowMs: 0 }),
    save: async () => void (nowMs += 5_000),
    holds,
    tell: (one) => {
      nowMs += 5_000;
      told.push(one);
    },
    signal: AbortSignal.timeout(60_000),
    pollMs: 2,
    nowMs: () => nowMs,
  });
  return { kafka, running, told };
}

const rateOf = ({ journal }: Told): number => journal.rate?.bytesPerSecond ?? 0;

/** Until something was told that holds. */
async function toldThat(told: readonly Told[], holds: (one: Told) => boolean): Promise<void> {
  for (let from = told.length; !told.slice(from).some(holds);) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

void suite('an execution that measures how long producers wait', { timeout: 60_000 }, () => {
  test('falls to the floor while one broker is slow, says so, rises again, and leaves no groups', async () => {
    const { kafka, running, told } = execution();
    const { floorBytesPerSecond: floor, ceilingBytesPerSecond: ceiling } = defaultLimits.throttle ?? {
      floorBytesPerSecond: 0,
      ceilingBytesPerSecond: 0,
    };
    kafka.latency = () => new Map([0, 1, 2].map((id) => [id, 4 + id]));
    const ended = running.run();
    await toldThat(told, (one) => rateOf(one) === ceiling);
    assert.equal(running.journal.produceLatencyBeforeMs, 6);
    kafka.latency = () => new Map([0, 1, 2].map((id) => [id, id === 1 ? 700 : 5]));
    await toldThat(told, (one) => rateOf(one) === floor);
    assert.match(
      told
        .at(-1)
        ?.waiting.map(({ message }) => message)
        .join('; ') ?? '',
      /writes to broker 1 take 700 ms .*, 6 ms before the plan/,
    );
    kafka.latency = () => new Map([0, 1, 2].map((id) => [id, 5]));
    await toldThat(told, (one) => rateOf(one) === ceiling);
    assert.ok(!(told.at(-1)?.waiting ?? []).some(({ code }) => code === 'producers-wait'));
    assert.ok(kafka.hasGroups);
    kafka.isHolding = false;
    assert.equal((await ended).outcome, 'done');
    assert.ok(!kafka.hasGroups);
    assert.equal(kafka.configs.size, 0);
  });

  test('goes on as before where nothing can be measured', async () => {
    for (const measured of [
      () => new Map<number, number>(),
      () => {
        throw new TypeError('no answer that makes sense');
      },
    ]) {
      const { kafka, running } = execution();
      kafka.isHolding = false;
      kafka.latency = measured;
      assert.equal((await running.run()).outcome, 'done');
      assert.equal(running.journal.produceLatencyBeforeMs, undefined);
      assert.ok(kafka.measured > 0);
    }
  });

  test('does not measure with a fixed rate, nor without its lease', async () => {
    const fixed = { floorBytesPerSecond: 1e7, ceilingBytesPerSecond: 1e7 };
    const { kafka, running } = execution({ throttle: fixed });
    kafka.isHolding = false;
    await running.run();
    assert.equal(kafka.measured, 0);
    const other = execution({}, () => false);
    await assert.rejects(other.running.run(), { code: 'not-held' });
    assert.equal(other.kafka.measured, 0);
  });
});

void suite('the slowest broker', () => {
  function probe() {
    const kafka = new FakeKafka([]);
    const clock = { nowMs: 0 };
    const own = new LatencyProbe({
      ...{ kafka, brokers: [0, 1], holds: () => true, nowMs: () => clock.nowMs },
      onFailure: () => undefined,
    });
    const sample = async (...ms: number[]) => {
      kafka.latency = () => new Map(ms.map((one, broker) => [broker, one]));
      clock.nowMs += 5_000;
      own.sampleWhenDue();
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { kafka, own, clock, sample };
  }

  test('is the one whose median of the last three is the longest: one slow write is none', async () => {
    const { own, sample } = probe();
    assert.equal(own.slowest(), undefined);
    await sample(5, 4);
    await sample(5, 2_000);
    assert.deepEqual(own.slowest(), { broker: 0, ms: 5 });
    await sample(5, 4);
    assert.deepEqual(own.slowest(), { broker: 0, ms: 5 });
    await sample(5, 2_000);
    assert.deepEqual(own.slowest(), { broker: 1, ms: 2_000 });
  });

  test('is asked at most every 5 s, and forgotten when it answers no more', async () => {
    const { kafka, own, clock, sample } = probe();
    await sample(5, 900);
    clock.nowMs += 4_999;
    own.sampleWhenDue();
    assert.equal(kafka.measured, 1);
    for (let times = 0; times < 7; times++) await sample(5);
    assert.deepEqual(own.slowest(), { broker: 0, ms: 5 });
  });
});

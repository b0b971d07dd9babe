import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Limits, type Move, defaultLimits } from './model.ts';
import { Executor } from './test/executor.ts';
import { SimulatedKafka } from './test/simulated-kafka.ts';

const mb = 1_000_000;
const rate = 10 * mb;
const limits: Limits = {
  ...defaultLimits,
  throttle: { floorBytesPerSecond: rate, ceilingBytesPerSecond: rate },
};

/** So many partitions, of which one replica each goes to broker 3. */
function plan(count: number, small: number, { topics = 1, largeFrom = Infinity, largeBytes = 0 } = {}) {
  const kafka = new SimulatedKafka();
  for (let id = 0; id < 4; id++) kafka.addBroker(id, `r${id}`, 1_000_000 * mb);
  const moves = Array.from({ length: count }, (_, index): Move => {
    const from = [index % 3, (index + 1) % 3];
    const sizeBytes = index < largeFrom ? small : largeBytes;
    const at = { topic: `t${index % topics}`, partition: Math.floor(index / topics) };
    kafka.minIsr.set(at.topic, 1);
    kafka.addPartition(at, from, sizeBytes);
    return { ...at, from, to: [from[0]!, 3], sizeBytes };
  });
  return { kafka, executor: new Executor(kafka, { hash: 'p', moves }, limits) };
}

/** Looks as the shell does until the end. Returns the most copies under way, and the seconds from the first to the last. */
function carriedOut({ kafka, executor }: ReturnType<typeof plan>) {
  let [most, fromMs, toMs] = [0, Infinity, 0];
  for (let looks = 0; looks < 5_000 && executor.journal.outcome === undefined; looks++) {
    const { soon, underWayMs = Infinity } = executor.round();
    const underWay = kafka.ours().length;
    if (underWay > 0) [fromMs, toMs] = [Math.min(fromMs, kafka.nowMs), kafka.nowMs];
    most = Math.max(most, underWay);
    kafka.tick(soon ? 250 : Math.min(1_000, Math.max(400, underWayMs / 10)));
  }
  assert.equal(executor.journal.outcome, 'done');
  return { most, seconds: (toMs - fromMs) / 1_000 };
}

test('of large partitions no more are copied into a broker at once than movesPerBroker', () => {
  const { most } = carriedOut(plan(12, 60 * mb));
  assert.equal(most, limits.movesPerBroker);
});

test('of small ones as many as keep the throttle in use until the next are submitted', () => {
  const size = mb / 2;
  const { most, seconds } = carriedOut(plan(400, size));
  assert.ok(most > limits.movesPerBroker && most <= 10 * limits.movesPerBroker, `${most} at once`);
  const least = (400 * size) / rate;
  assert.ok(seconds <= least * 1.5, `${seconds} s, and the throttle lets them pass in ${least} s`);
});

test('partitions of many topics wait for the throttles of their own topic no longer than others', () => {
  const size = mb / 2;
  const { seconds } = carriedOut(plan(400, size, { topics: 400 }));
  const least = (400 * size) / rate;
  assert.ok(seconds <= least * 1.1, `${seconds} s, and the throttle lets them pass in ${least} s`);
});

test('large ones begin while the last small ones are still under way', () => {
  const { kafka, executor } = plan(40, mb, { largeFrom: 30, largeBytes: 60 * mb });
  const both = { small: 0, large: 0 };
  for (let looks = 0; looks < 100; looks++) {
    const { soon } = executor.round();
    const sizes = kafka.ours().map(({ sizeBytes }) => sizeBytes);
    const [small, large] = [
      sizes.filter((size) => size === mb).length,
      sizes.filter((size) => size > mb).length,
    ];
    assert.ok(large <= limits.movesPerBroker);
    if (large === limits.movesPerBroker && small > both.small) Object.assign(both, { small, large });
    kafka.tick(soon ? 250 : 400);
  }
  assert.ok(both.small >= 5, `${both.small} small ones beside ${both.large} large ones`);
});

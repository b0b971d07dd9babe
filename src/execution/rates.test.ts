import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { begin } from './journal.ts';
import { type Journal, type Limits, type Seen, defaultLimits } from './model.ts';
import { next } from './next.ts';
import { adapted, slowWrites } from './rates.ts';
import { prepare } from './steps.ts';
import { SimulatedKafka } from './test/simulated-kafka.ts';

const mb = 1_000_000;
const throttle = { floorBytesPerSecond: 10 * mb, ceilingBytesPerSecond: 100 * mb };
const limits: Limits = { ...defaultLimits, throttle };

function seenOf(): Seen {
  const kafka = new SimulatedKafka();
  for (let id = 0; id < 3; id++) kafka.addBroker(id, `r${id}`, 1e12);
  return kafka.look(undefined, []);
}

const withLatency = (seen: Seen, ms: number): Seen => ({ ...seen, produceLatency: { broker: 1, ms } });

void suite('the rate, by how long writes take', () => {
  test('is slow from the limit on, and from three times what it was before the plan', () => {
    const seen = seenOf();
    const slow = (ms: number, beforeMs?: number) => slowWrites(withLatency(seen, ms), limits, beforeMs)?.code;
    assert.equal(slowWrites(seen, limits, 5), undefined);
    assert.equal(slow(99, 5), undefined);
    assert.equal(slow(100, 5), 'producers-wait');
    assert.equal(slow(100), 'producers-wait');
    assert.equal(slow(179, 60), undefined);
    assert.equal(slow(180, 60), 'producers-wait');
    // Nothing is known to take longer than 2 s.
    assert.equal(slow(2_000, 900), 'producers-wait');
    const message = slowWrites(withLatency(seen, 340.4), limits, 12.3)?.message ?? '';
    assert.match(message, /broker 1 take 340 ms .*, 12 ms before the plan: .* less than 100 ms/);
  });

  test('never leaves floor and ceiling whatever is measured, sinks to the floor while writes are slow, and rises again', () => {
    const seen = seenOf();
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }), { maxLength: 60 }),
        fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
        (measured, beforeMs) => {
          let rate = { bytesPerSecond: 50 * mb, changedAtMs: 0 };
          let nowMs = 0;
          const step = (ms: number | undefined) => {
            nowMs += limits.adaptEveryMs;
            const now = { ...(ms === undefined ? seen : withLatency(seen, ms)), nowMs };
            const producersWait = slowWrites(now, limits, beforeMs) !== undefined;
            const { adaptEveryMs } = limits;
            rate = adapted(rate, throttle, now, { adaptEveryMs, producersWait });
          };
          for (const ms of measured) {
            step(ms);
            assert.ok(rate.bytesPerSecond >= throttle.floorBytesPerSecond);
            assert.ok(rate.bytesPerSecond <= throttle.ceilingBytesPerSecond);
          }
          for (let times = 0; times < 4; times++) step(2_000);
          assert.equal(rate.bytesPerSecond, throttle.floorBytesPerSecond);
          for (let times = 0; times < 11; times++) step(0);
          assert.equal(rate.bytesPerSecond, throttle.ceilingBytesPerSecond);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is compared with what was measured at the first look, which a journal keeps', () => {
    const plan = {
      hash: 'p',
      moves: [{ topic: 't', partition: 0, from: [0, 1], to: [0, 2], sizeBytes: 10_000 * mb }],
    };
    const kafka = new SimulatedKafka();
    for (let id = 0; id < 3; id++) kafka.addBroker(id, `r${id}`, 1e12);
    kafka.addPartition({ topic: 't', partition: 0 }, [0, 1], 10_000 * mb);
    let journal: Journal = begin({ plan, racks: {}, nowMs: 0 });
    const look = (ms: number) => {
      const step = next(journal, withLatency(kafka.look(undefined, []), ms), {
        prepared: prepare(plan, {}),
        limits,
      });
      journal = step.journal;
      return step;
    };
    assert.deepEqual(look(50).waiting, []);
    assert.equal(journal.produceLatencyBeforeMs, 50);
    const codes = (ms: number) => look(ms).waiting.map(({ code }) => code);
    assert.ok(!codes(149).includes('producers-wait'));
    assert.ok(codes(150).includes('producers-wait'));
    assert.equal(journal.produceLatencyBeforeMs, 50);
  });
});

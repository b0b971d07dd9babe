import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Journal, begin, defaultLimits } from '../../execution/index.ts';
import { Execution } from './execute.ts';
import { FakeKafka } from './test/fake-kafka.ts';

const plan = {
  hash: 'p',
  moves: [
    { topic: 'orders', partition: 0, from: [0, 1], to: [0, 2], sizeBytes: 1_000 },
    { topic: 'orders', partition: 1, from: [1, 2], to: [1, 0], sizeBytes: 1_000 },
  ],
};

function around(holds: () => boolean) {
  const kafka = new FakeKafka([
    [0, 1],
    [1, 2],
  ]);
  const stored: Journal[] = [];
  const execution = new Execution({
    kafka,
    plan,
    limits: { ...defaultLimits, settleMs: 0 },
    journal: begin({ plan, racks: {}, nowMs: 0 }),
    save: async (journal) => void stored.push(journal),
    holds,
    signal: AbortSignal.timeout(20_000),
    pollMs: 10,
  });
  return { kafka, execution, stored };
}

void suite('an execution', () => {
  test('asks before every request that changes something whether its lease is held, and changes nothing once it is not', async () => {
    let asked = 0;
    const whole = around(() => (asked += 1) > 0);
    await whole.execution.run();
    assert.ok(asked >= whole.kafka.writes + whole.kafka.reassigned.length / 2);
    for (let last = 0; last < asked; last++) {
      let left = last;
      let changes = -1;
      const { kafka, execution, stored } = around(() => {
        if (left > 0) return left-- > 0;
        if (changes < 0) changes = kafka.writes + kafka.reassigned.length;
        return false;
      });
      await assert.rejects(execution.run(), { code: 'not-held' });
      assert.equal(kafka.writes + kafka.reassigned.length, changes);
      assert.ok(stored.length > 0);
    }
  });
});

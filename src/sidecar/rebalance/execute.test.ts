import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Journal, type Plan, begin, defaultLimits } from '../../execution/index.ts';
import { Execution, pauseAfter } from './execute.ts';
import { FakeKafka } from './test/fake-kafka.ts';

const plan: Plan = {
  hash: 'p',
  moves: [
    { topic: 'orders', partition: 0, from: [0, 1], to: [0, 2], sizeBytes: 1_000 },
    { topic: 'orders', partition: 1, from: [1, 2], to: [1, 0], sizeBytes: 1_000 },
  ],
};

function around(holds: () => boolean, own: Plan = plan) {
  const kafka = new FakeKafka([
    [0, 1],
    [1, 2],
  ]);
  const stored: Journal[] = [];
  const execution = new Execution({
    kafka,
    plan: own,
    limits: { ...defaultLimits, settleMs: 0 },
    journal: begin({ plan: own, racks: {}, nowMs: 0 }),
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

  test('tells a broker the directory of a new replica before it is to come, and has it not come where that is refused', async () => {
    const [first, second] = plan.moves;
    const named = { ...plan, moves: [{ ...first!, toDirs: ['any', '/data'] }, second!] };
    const told = around(() => true, named);
    assert.equal((await told.execution.run()).outcome, 'done');
    assert.deepEqual(told.kafka.announced, [{ topic: 'orders', partition: 0, path: '/data' }]);
    const refused = around(() => true, named);
    refused.kafka.directoryRefusal = 'LOG_DIR_NOT_FOUND';
    const journal = await refused.execution.run();
    assert.equal(journal.outcome, 'drifted');
    assert.match(
      journal.refused[0]?.detail ?? '',
      /orders-0: broker 2 refused the directory \/data with LOG_DIR_NOT_FOUND/,
    );
    assert.deepEqual(
      refused.kafka.reassigned.map(({ partition }) => partition),
      [1],
    );
  });

  test('looks again at once where something is to be read back, ten times for what is under way, and at least as often as it is told', () => {
    const after = (underWayMs?: number, soon = false) =>
      pauseAfter(underWayMs === undefined ? { soon } : { soon, underWayMs }, 1_000);
    assert.equal(after(undefined, true), 100);
    assert.equal(after(60_000, true), 100);
    assert.deepEqual(
      [500, 5_000, 60_000].map((ms) => after(ms)),
      [300, 500, 1_000],
    );
    assert.equal(after(), 1_000, 'without a throttle');
  });
});

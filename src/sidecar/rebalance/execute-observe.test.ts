import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LookAt, defaultLimits } from '../../execution/index.ts';
import { Observer } from './execute-observe.ts';
import { FakeKafka } from './test/fake-kafka.ts';

test('what is under way is read at each look, what comes next as often as its age allows', async (t) => {
  const kafka = new FakeKafka([[0, 1]]);
  const asked = t.mock.method(kafka, 'topics');
  const move = { topic: 'orders', partition: 0, from: [0, 1], to: [0, 2], sizeBytes: 1_000 };
  let nowMs = 1_000_000;
  const observer = new Observer({
    ...{ kafka, plan: { hash: 'p', moves: [move] }, limits: defaultLimits, throughControllers: false },
    intervals: { pictureMs: 60_000, minIsrMs: 60_000, sourceDisksMs: 60_000 },
    nowMs: () => nowMs,
    onFailure: (error) => assert.fail(String(error)),
  });
  const reads = async (afterMs: number, at: Pick<LookAt, 'partitions' | 'upcoming'>) => {
    nowMs += afterMs;
    const before = asked.mock.callCount();
    const lookAt = { ...at, configs: [], destinations: [], landedOn: [] };
    await observer.look(lookAt, { failures: [], acknowledged: new Map() });
    return asked.mock.callCount() - before;
  };
  const [underWay, next] = [
    { partitions: [move], upcoming: [] },
    { partitions: [], upcoming: [move] },
  ];
  assert.equal(await reads(0, next), 1, 'the first picture');
  assert.equal(await reads(500, underWay), 1);
  assert.equal(await reads(500, next), 0);
  assert.equal(await reads(defaultLimits.freshMs / 2, next), 1);
});

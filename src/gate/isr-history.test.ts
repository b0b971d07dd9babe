import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { follow, followFenced, maxGapMs } from './isr-history.ts';
import { tableOf } from './partitions.ts';
import { partition } from './test/cluster.ts';

const [a, b] = [partition('a', 0, [0, 1, 2]), partition('b', 0, [0, 1, 2])];
const whole = tableOf([a, b]);
const shrunk = tableOf([a, partition('b', 0, [0, 1, 2], [0, 1])]);

suite('an ISR is known to be unchanged', () => {
  test('since it was first read as it is', () => {
    const history = follow(follow(follow(undefined, whole, 1000), whole, 2000), shrunk, 3000);
    assert.deepEqual([...history.sinceMs], [1000, 3000]);
    assert.deepEqual([...follow(history, whole, 4000).sinceMs], [1000, 4000]);
  });
  test('since its present leader was first seen: that one has not waited for anybody yet', () => {
    const led = (leader: number) => tableOf([{ ...a, leader }]);
    const history = follow(follow(follow(undefined, led(0), 1000), led(1), 2000), led(1), 3000);
    assert.deepEqual([...history.sinceMs], [2000]);
  });
  test('only over reads that lie close enough', () => {
    const history = follow(follow(undefined, whole, 0), whole, maxGapMs);
    assert.deepEqual([...history.sinceMs], [0, 0]);
    assert.deepEqual(
      [...follow(history, whole, 2 * maxGapMs + 1).sinceMs],
      [2 * maxGapMs + 1, 2 * maxGapMs + 1],
    );
  });
  test('by reads in their order: an older one changes nothing', () => {
    const history = follow(undefined, whole, 5000);
    assert.equal(follow(history, shrunk, 4000), history);
  });
  test('for new partitions since they were seen', () => {
    const history = follow(follow(undefined, tableOf([b]), 1000), whole, 2000);
    assert.deepEqual([...history.sinceMs], [2000, 1000]);
  });
});

test('a broker is missed since the first answer without it, and forgotten when it serves', () => {
  const answer = (serving: number[], readAtMs: number) => ({ serving: new Set(serving), readAtMs });
  const first = followFenced(undefined, [0, 1], answer([0], 1000));
  assert.deepEqual([...first], [[1, 1000]]);
  const second = followFenced({ since: first, lastReadAtMs: 1000 }, [0, 1], answer([], 2000));
  assert.deepEqual(
    [...second],
    [
      [0, 2000],
      [1, 1000],
    ],
  );
  assert.deepEqual(
    [...followFenced({ since: second, lastReadAtMs: 2000 }, [0, 1], answer([0, 1], 3000))],
    [],
  );
  const late = 2001 + maxGapMs;
  assert.deepEqual(
    [...followFenced({ since: second, lastReadAtMs: 2000 }, [0, 1], answer([0], late))],
    [[1, late]],
  );
});

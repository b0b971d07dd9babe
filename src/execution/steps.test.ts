import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainOf } from './steps.ts';

const move = (from: number[], to: number[]) => ({ topic: 't', partition: 0, from, to, sizeBytes: 1 });

test('replicas move one at a time, and the leader changes with the last', () => {
  assert.deepEqual(chainOf(move([1, 2, 3], [4, 5, 3]), {}), [
    [1, 2, 3],
    [1, 4, 3],
    [4, 5, 3],
  ]);
});

test('a preferred leader that stays keeps its place until copies are done', () => {
  assert.deepEqual(chainOf(move([1, 2, 3], [4, 2, 1]), {}), [
    [1, 2, 3],
    [1, 4, 2],
  ]);
});

test('a change of order only is no copy', () => {
  assert.deepEqual(chainOf(move([1, 2], [2, 1]), {}), [[1, 2]]);
});

test('in between, no fewer racks are used than before and after', () => {
  const racks = { '1': 'a', '2': 'b', '4': 'b', '5': 'a' };
  assert.deepEqual(chainOf(move([1, 2], [5, 4]), racks), [
    [1, 2],
    [1, 4],
    [5, 4],
  ]);
  // Each replica goes where only the other one has left: both at once.
  const crossing = { '1': 'a', '2': 'b', '4': 'a', '5': 'a', '3': 'c', '6': 'c' };
  assert.deepEqual(chainOf(move([1, 2], [6, 4]), crossing), [
    [1, 2],
    [1, 6],
    [6, 4],
  ]);
  assert.deepEqual(
    chainOf(move([1, 2, 3], [4, 5, 6]), { '1': 'a', '2': 'b', '3': 'c', '4': 'a', '5': 'b', '6': 'c' })
      .length,
    4,
  );
});

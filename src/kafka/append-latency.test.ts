import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latencyGroups, partitionOfGroup } from './append-latency.ts';

test('a group lies where Java’s hash of its name says', () => {
  // As Java has them; the last is the one whose absolute value is negative.
  assert.equal(partitionOfGroup('a', 50), 97 % 50);
  assert.equal(partitionOfGroup('hello', 50), 99162322 % 50);
  assert.equal(partitionOfGroup('polygenelubricants', 50), 0);
});

test('each partition of the offsets topic has one name, always the same', () => {
  for (const partitions of [1, 3, 50, 200]) {
    const groups = latencyGroups(partitions);
    assert.equal(groups.size, partitions);
    for (const [partition, group] of groups) assert.equal(partitionOfGroup(group, partitions), partition);
    assert.deepEqual(latencyGroups(partitions), groups);
  }
});

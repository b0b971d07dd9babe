import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dated } from './conditions.ts';

test('a condition keeps its time while its status is the same, whatever its reason', () => {
  const earlier = [
    { type: 'Ready', status: 'False', reason: 'A', message: 'a', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ] as const;
  const now = new Date('2026-02-01T00:00:00.123Z');
  const same = dated([{ type: 'Ready', status: 'False', reason: 'B', message: 'b' }], earlier, now);
  assert.equal(same[0]?.lastTransitionTime, '2026-01-01T00:00:00Z');
  const other = dated([{ type: 'Ready', status: 'True', reason: 'B', message: 'b' }], earlier, now);
  assert.equal(other[0]?.lastTransitionTime, '2026-02-01T00:00:00Z');
});

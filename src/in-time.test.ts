import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from './in-time.ts';

const never = new Promise<never>(() => undefined);

test('what comes in time is given, and fails as it fails', async () => {
  assert.equal(await inTime(Promise.resolve('yes'), 10_000), 'yes');
  await assert.rejects(inTime(Promise.reject(new Error('no')), 10_000), /^Error: no$/);
});

test('what takes longer is an error, or what was asked for', async () => {
  await assert.rejects(inTime(never, 5), /no answer within 5 ms/);
  assert.equal(await inTime(never, 5, () => 'late'), 'late');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietWarnings } from './quiet.ts';

test('a repeated warning comes once a minute and says how many were left out', () => {
  const lines: [object, string][] = [];
  let now = 0;
  const none = () => undefined;
  const log = quietWarnings(
    { debug: none, info: none, error: none, warn: (fields, message) => void lines.push([fields, message]) },
    () => now,
  );
  log.warn({ a: 1 }, 'broken');
  log.warn({ a: 2 }, 'broken');
  log.warn({ a: 3 }, 'another');
  now = 59_999;
  log.warn({ a: 4 }, 'broken');
  now = 60_000;
  log.warn({ a: 5 }, 'broken');
  assert.deepEqual(lines, [
    [{ a: 1 }, 'broken'],
    [{ a: 3 }, 'another'],
    [{ a: 5, leftOut: 2 }, 'broken'],
  ]);
});

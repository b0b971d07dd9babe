import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RecordTtl, namesKeptMs } from './names.ts';

test('a name is kept as long as the slowest JVM and the DNS keep it, one after the other', () => {
  const told = { looksUp: true };
  assert.equal(namesKeptMs([told, told], 2_000), 9_000);
  assert.equal(namesKeptMs([told, { looksUp: false }], 2_000), 34_000);
  assert.equal(namesKeptMs([told], 30_000), 37_000);
});

test('the time of a record counts where it is short; else, and where none is found, half a minute', async () => {
  const cases: [() => Promise<number[]>, number][] = [
    [async () => [2], 2_000],
    [async () => [5, 3], 5_000],
    [async () => [11], 30_000],
    [async () => [], 30_000],
    [() => Promise.reject(new Error('queryA ENOTFOUND')), 30_000],
  ];
  for (const [resolve, expected] of cases) {
    const ttl = new RecordTtl({ nowMs: () => 0, resolve });
    assert.equal(ttl.ms, 30_000, 'not asked yet');
    ttl.look('kafka-0.kafka.shop.svc');
    await turn();
    assert.equal(ttl.ms, expected);
  }
});

test('the DNS is asked once in ten minutes', async () => {
  let nowMs = 0;
  let asked = 0;
  const resolve = async () => [++asked];
  const ttl = new RecordTtl({ nowMs: () => nowMs, resolve });
  for (nowMs of [0, 1_000, 599_999, 600_000]) {
    ttl.look('kafka-0.kafka.shop.svc');
    await turn();
  }
  ttl.look(undefined);
  assert.equal(asked, 2);
  assert.equal(ttl.ms, 2_000);
});

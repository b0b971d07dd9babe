import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Measure, promisesKept, reportOf } from './report.ts';

const measure = (more: Partial<Measure> = {}): Measure => ({
  acknowledged: 1200,
  lost: 0,
  rejected: 0,
  underMinIsrPartitionSeconds: 0,
  offlinePartitionSeconds: 0,
  longestGapMs: 1_234,
  durationMs: 60_000,
  notes: [],
  ...more,
});

test('each figure stands with kafka-warden beside without it', () => {
  const bad = measure({
    lost: 3,
    underMinIsrPartitionSeconds: 41.25,
    longestGapMs: 12_000,
    notes: ['lost: k.0.7'],
  });
  const text = reportOf([
    { scenario: 'rolling restart', with: { measure: measure() }, without: { measure: bad } },
  ]);
  const lines = text.split('\n');
  assert.match(lines[0]!, /^ +lost acked +rejected +under min ISR +offline +longest gap +duration +acked$/);
  assert.match(lines[1]!, /^scenario +with +without +with +without/);
  assert.match(
    lines[2]!,
    /^rolling restart +0 +3 +0 +0 +0\.0 +41\.3 +0\.0 +0\.0 +1\.2 s +12\.0 s +60\.0 s +60\.0 s +1200 +1200$/,
  );
  assert.equal(
    lines[0]!.indexOf('under min ISR'),
    lines[2]!.indexOf('0.0'),
    'titles stand over their columns',
  );
  assert.match(text, /\n {2}rolling restart, without: lost: k\.0\.7\n/);
});

test('a side that was not run, and one that failed, are told apart', () => {
  const text = reportOf([{ scenario: 'scaled', without: { failed: 'no broker came' } }]);
  assert.match(text, /^scaled +- +failed +- +failed/m);
  assert.match(text, /scaled, without: failed: no broker came/);
});

test('the promises are of the side with kafka-warden: nothing lost, refused, under its minimum or offline', () => {
  const without = { measure: measure({ lost: 9, offlinePartitionSeconds: 3 }) };
  assert.equal(promisesKept([{ scenario: 'a', with: { measure: measure() }, without }]), true);
  for (const broken of [
    { lost: 1 },
    { rejected: 1 },
    { underMinIsrPartitionSeconds: 0.1 },
    { offlinePartitionSeconds: 0.1 },
  ])
    assert.equal(promisesKept([{ scenario: 'a', with: { measure: measure(broken) } }]), false);
  assert.equal(promisesKept([{ scenario: 'a', with: { failed: 'x' } }]), false);
});

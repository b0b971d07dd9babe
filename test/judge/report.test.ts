import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Measure, promisesKept, reportOf } from './report.ts';

const measure = (more: Partial<Measure> = {}): Measure => ({
  acknowledged: 1200,
  lost: 0,
  unread: 0,
  rejected: 0,
  underMinIsrPartitionSeconds: 0,
  offlinePartitionSeconds: 0,
  longestGapMs: 1_234,
  durationMs: 60_000,
  notes: [],
  ...more,
});

test('each figure with kafka-warden stands above the same without it', () => {
  const bad = measure({
    lost: 3,
    underMinIsrPartitionSeconds: 41.25,
    longestGapMs: 12_000,
    notes: ['lost: k.0.7'],
  });
  const text = reportOf([
    { scene: 'rolling restart', results: { plain: { measure: bad }, warden: { measure: measure() } } },
  ]);
  const [head, ours, plain] = text.split('\n');
  assert.match(
    head!,
    /^scene +lost acked +rejected +under min ISR +offline +longest gap +duration +acked +unread$/,
  );
  assert.match(ours!, /^rolling restart +with kafka-warden +0 +0 +0\.0 +0\.0 +1\.2 s +60\.0 s +1200 +0$/);
  assert.match(plain!, /^ +without +3 +0 +41\.3 +0\.0 +12\.0 s +60\.0 s +1200 +0$/);
  assert.equal(head!.indexOf('under min ISR'), plain!.indexOf('41.3'), 'titles stand over their columns');
  assert.match(text, /\n {2}rolling restart, without: lost: k\.0\.7\n/);
});

test('a moment under the minimum is never shown as none', () => {
  const text = reportOf([
    { scene: 'a', results: { warden: { measure: measure({ underMinIsrPartitionSeconds: 0.004 }) } } },
  ]);
  assert.match(text, /^a +with kafka-warden +0 +0 +4 ms +0\.0/m);
});

test('a side that was not run, and one that failed, are told apart', () => {
  const text = reportOf([{ scene: 'scaled', results: { plain: { failed: 'no broker came' } } }]);
  assert.match(text, /^scaled +without +failed +failed/m);
  assert.doesNotMatch(text, /with kafka-warden/);
  assert.match(text, /scaled, without: failed: no broker came/);
});

test('the promises are of the side with kafka-warden: nothing lost, unread, refused, under its minimum or offline', () => {
  const plain = { measure: measure({ lost: 9, offlinePartitionSeconds: 3 }) };
  assert.equal(promisesKept([{ scene: 'a', results: { warden: { measure: measure() }, plain } }]), true);
  for (const broken of [
    { lost: 1 },
    { unread: 1 },
    { rejected: 1 },
    { underMinIsrPartitionSeconds: 0.1 },
    { offlinePartitionSeconds: 0.1 },
  ])
    assert.equal(promisesKept([{ scene: 'a', results: { warden: { measure: measure(broken) } } }]), false);
  assert.equal(promisesKept([{ scene: 'a', results: { warden: { failed: 'x' } } }]), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../names.ts';
import { approvalOf } from './approval.ts';
import type { Limits } from './settings.ts';
import { now, rebalanceOf } from './test/samples.ts';

const plan = { hash: 'ab'.repeat(32), bytesToMove: 40 * 2 ** 30, estimatedSeconds: 3600 };
const limits = (given: Partial<Limits> = {}): Limits => ({ maxBytes: 50 * 2 ** 30, windows: [], ...given });
const judged = (approve?: string, given?: Limits) =>
  approvalOf(
    rebalanceOf({ annotations: approve === undefined ? {} : { [keys.approve]: approve } }),
    plan,
    given,
    now,
  );
const refusal = (approve?: string, given?: Limits) => {
  const verdict = judged(approve, given);
  return verdict.approved ? 'approved' : `${verdict.reason}: ${verdict.message}`;
};

test('the annotation approves with exactly the hash of the plan', () => {
  assert.deepEqual(judged(plan.hash), { approved: true, by: 'annotation' });
  assert.deepEqual(judged(`${plan.hash}\n`), { approved: true, by: 'annotation' });
  assert.match(refusal(), /^NotApproved: to approve it, run kafka-warden rebalance approve monday$/);
  assert.match(
    refusal('cd'.repeat(32)),
    /^StaleApproval: approved is cdcdcdcdcdcd, the plan is now abababababab;/,
  );
  assert.match(refusal('abababababab'), /^ShortApproval: .*write all 64 digits/);
  assert.match(refusal('yes'), /^StaleApproval: approved is yes/);
});

test('limits approve what moves no more data, without a window at any time', () => {
  assert.deepEqual(judged(undefined, limits()), { approved: true, by: 'autoApprove' });
  assert.match(
    refusal(undefined, limits({ maxBytes: 2 ** 30 })),
    /^OutsideLimits: autoApprove allows 1\.0 GiB and the plan moves 40\.0 GiB; to approve it all the same, run/,
  );
  assert.deepEqual(judged('cd'.repeat(32), limits()), { approved: true, by: 'autoApprove' });
});

test('limits approve within their windows, and only what is expected to end there', () => {
  const until = (to: string) => limits({ windows: [{ from: '11:00', to }] });
  assert.equal(refusal(undefined, until('13:00')), 'approved');
  assert.match(
    refusal(undefined, until('12:59')),
    /^OutsideWindows: the plan takes about 60m and the window of autoApprove closes in 59m/,
  );
  const tonight = limits({ windows: [{ from: '22:00', to: '06:00' }] });
  assert.match(
    refusal(undefined, tonight),
    /^OutsideWindows: the next window of autoApprove opens at 2026-11-23 22:00 UTC/,
  );
  const verdict = judged(undefined, tonight);
  assert.equal(!verdict.approved && verdict.againAtMs, Date.parse('2026-11-23T22:00:00Z'));
  assert.match(refusal('cd'.repeat(32), tonight), /^StaleApproval/);
  assert.equal(refusal(plan.hash, tonight), 'approved');
});

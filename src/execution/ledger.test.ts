import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle, settleUnread } from './ledger.ts';
import type { LedgerEntry } from './model.ts';
import { merged, reduced } from './throttled-replicas.ts';

const at = (nowMs: number) => ({ nowMs, settleMs: 3_000 });
const list: LedgerEntry = {
  type: 'topic',
  name: 't',
  key: 'leader.replication.throttled.replicas',
  before: '7:7',
  written: '7:7',
};
const rate: LedgerEntry = {
  type: 'broker',
  name: '1',
  key: 'leader.replication.throttled.rate',
  before: null,
  written: null,
};

test('lists are merged, and `*` has everything', () => {
  assert.equal(merged('7:7', ['1:2', '0:1']), '7:7,0:1,1:2');
  assert.equal(merged('*', ['1:2']), '*');
  assert.equal(merged(null, []), null);
  assert.equal(reduced('7:7,0:1', ['0:1']), '7:7');
  assert.equal(reduced('0:1', ['0:1']), null);
  assert.equal(reduced('*', ['0:1']), '*');
});

test('a setting counts when it has been read back, and is put back to the letter', () => {
  const first = settle(list, { value: '7:7' }, { elements: ['0:1'] }, at(0));
  assert.deepEqual(first.write?.value, '7:7,0:1');
  const second = settle(first.entry!, { value: '7:7,0:1' }, { elements: ['0:1'] }, at(1));
  assert.ok(second.asWanted && second.write === undefined);
  const third = settle(second.entry!, { value: '7:7,0:1' }, undefined, at(2));
  assert.equal(third.write?.value, '7:7');
  assert.deepEqual(settle(third.entry!, { value: '7:7' }, undefined, at(3)), { asWanted: true });
});

test('a write of which nothing is known is written over before it is forgotten', () => {
  const first = settle(rate, { value: null }, { rate: '5' }, at(0));
  const crashed = settle(first.entry!, { value: null }, undefined, at(1));
  assert.deepEqual(crashed.write?.value, null);
  assert.deepEqual(settle(crashed.entry!, { value: null }, undefined, at(2)), { asWanted: true });
});

test('a write that arrived unread, and was followed by others that got lost, is not taken for somebody else’s', () => {
  const first = settle(rate, { value: null }, { rate: '5' }, at(0));
  const lost = settleUnread(first.entry!, undefined);
  assert.equal(lost.write?.value, null);
  const found = settle(lost.entry!, { value: '5' }, undefined, at(9_000));
  assert.equal(found.write?.value, null);
  assert.deepEqual(settle(found.entry!, { value: null }, undefined, at(9_100)), { asWanted: true });
});

test('what somebody else writes to a list stays, without the replicas that are ours', () => {
  const ours: LedgerEntry = { ...list, written: '7:7,0:1' };
  const theirs = { value: '7:7,0:1,8:8' };
  const seen = settle(ours, theirs, { elements: ['0:1'] }, at(0));
  assert.ok(seen.write === undefined && !seen.asWanted, 'a broker may be behind');
  const believed = settle(seen.entry!, theirs, { elements: ['0:1'] }, at(3_000));
  assert.equal(believed.notice?.code, 'foreign-config');
  assert.equal(settle(believed.entry!, theirs, undefined, at(4_000)).write?.value, '7:7,8:8');
});

test('a rate that somebody else sets is theirs: neither written over nor put back', () => {
  const ours: LedgerEntry = { ...rate, written: '5' };
  const odd = settle(ours, { value: '9' }, { rate: '5' }, at(0));
  const taken = settle(odd.entry!, { value: '9' }, { rate: '5' }, at(3_000));
  assert.ok(taken.asWanted && taken.write === undefined);
  assert.deepEqual(settle(taken.entry!, { value: '9' }, undefined, at(4_000)), { asWanted: true });
});

test('nothing is written before the same has been read for a while', () => {
  const opened: LedgerEntry = { ...rate, openedAtMs: 0 };
  const early = settle(opened, { value: null }, { rate: '5' }, at(1_000));
  assert.equal(early.write, undefined);
  const other = settle(opened, { value: '123' }, { rate: '5' }, at(1_000));
  assert.equal(other.entry?.before, '123');
  assert.equal(settle(other.entry, { value: '123' }, { rate: '5' }, at(4_000)).write?.value, '5');
});

test('of a broker that is away, what the controllers have taken counts as read', () => {
  const ours: LedgerEntry = { ...rate, before: '7', written: '5' };
  const first = settleUnread(ours, undefined);
  assert.deepEqual(first.write?.value, '7');
  assert.deepEqual(settleUnread(first.entry!, undefined).write?.value, '7', 'until they have taken it');
  assert.deepEqual(settleUnread(first.entry!, '5').write?.value, '7', 'an earlier write is not this one');
  assert.deepEqual(settleUnread(first.entry!, '7'), { asWanted: true });
  const removed = settleUnread({ ...rate, written: '5' }, undefined);
  assert.deepEqual(removed.write?.value, null);
  assert.deepEqual(settleUnread(removed.entry!, null), { asWanted: true });
});

test('of a broker that is away, nothing is written where nothing of ours was left, or where the value is somebody else’s', () => {
  assert.deepEqual(settleUnread({ ...rate, before: '7', written: '7' }, undefined), { asWanted: true });
  const theirs: LedgerEntry = { ...rate, written: '5', odd: { value: '9', sinceMs: 0 } };
  assert.equal(settleUnread(theirs, undefined).write, undefined);
  // A write of ours that may have come after it would stay.
  const doubtful = settleUnread({ ...theirs, pending: { value: '6' } }, undefined);
  assert.equal(doubtful.write?.value, '9');
  assert.deepEqual(settleUnread(doubtful.entry!, '9'), { asWanted: true });
});

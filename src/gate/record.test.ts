import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { RecordError, parseRecord, recordKnown, recordText } from './record-json.ts';
import type { DisruptionRecord, Kind, Outcome, RefusalCode, Step } from './record.ts';
import * as records from './record.ts';
import {
  advance,
  confirm,
  dropUnfollowed,
  emptyRecord,
  lapse,
  release,
  reserve,
  take,
  takeOver,
} from './record.ts';

const mine = { id: 'roll/u1', by: 's1' };
const kafka1 = { pod: 'kafka-1', podUid: 'u1' };

const ok = (outcome: Outcome): DisruptionRecord => {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.message);
  return outcome.record;
};
const refused = (outcome: Outcome, code: RefusalCode): void =>
  assert.equal(outcome.ok ? 'done' : outcome.code, code);

const reserved = ok(reserve(emptyRecord, { id: 'e1', by: 's1' }, kafka1, 1000));
const rolling = ok(take(emptyRecord, mine, { kind: 'roll', ...kafka1 }, 1000));

suite('a reservation', () => {
  test('holds for 15 s, and longer for the pod that asks again', () => {
    refused(reserve(reserved, { id: 'e2', by: 's1' }, { pod: 'kafka-2', podUid: 'u2' }, 2000), 'held');
    refused(take(reserved, mine, { kind: 'roll' }, 999_999), 'held');
    refused(lapse(reserved, 16_000, { terminating: false }), 'not-lapsed');
    assert.equal(ok(lapse(reserved, 16_001, { terminating: false })).holder, undefined);
    const again = ok(reserve(reserved, { id: 'e1', by: 's1' }, kafka1, 9000));
    refused(lapse(again, 16_001, { terminating: false }), 'not-lapsed');
  });
  test('becomes the lease when its pod is seen to terminate, however late', () => {
    refused(lapse(reserved, 99_000, { terminating: true }), 'not-lapsed');
    const { holder, evictions } = ok(confirm(reserved, { id: 'e1', by: 's1' }, 'u1', 99_000));
    assert.deepEqual(holder, {
      state: 'held',
      kind: 'eviction',
      id: 'e1',
      by: 's1',
      ...kafka1,
      sinceMs: 99_000,
      step: 'going',
      stepSinceMs: 99_000,
    });
    assert.deepEqual(evictions, [{ pod: 'kafka-1', atMs: 99_000 }]);
    refused(confirm(reserved, { id: 'e1', by: 's1' }, 'u2', 2000), 'not-held');
  });
  test('forgets evictions after an hour', () => {
    const old = { ...reserved, evictions: [{ pod: 'kafka-0', atMs: 0 }] };
    assert.equal(ok(confirm(old, { id: 'e1', by: 's1' }, 'u1', 3_600_000)).evictions.length, 1);
  });
});

suite('a lease', () => {
  test('goes its steps in their order and is released at the end', () => {
    let record = rolling;
    const way: Step[] = ['checking', 'deleting', 'starting', 'syncing', 'starting', 'syncing', 'leaders'];
    way.slice(1).forEach((to, i) => {
      record = ok(advance(record, mine, { from: way[i]!, to }, 2000 + i));
    });
    assert.equal(ok(release(record, mine)).holder, undefined);
  });
  test('refuses what is no step, what is based on an older record, and to end in the middle', () => {
    refused(advance(rolling, mine, { from: 'checking', to: 'syncing' }, 2000), 'illegal-step');
    refused(advance(rolling, mine, { from: 'deleting', to: 'starting' }, 2000), 'illegal-step');
    const deleting = ok(advance(rolling, mine, { from: 'checking', to: 'deleting' }, 2000));
    refused(release(deleting, mine), 'illegal-step');
    refused(advance(deleting, mine, { from: 'deleting', to: 'syncing' }, 2000), 'illegal-step');
    ok(advance(deleting, mine, { from: 'deleting', to: 'checking' }, 2000));
    const starting = ok(advance(deleting, mine, { from: 'deleting', to: 'starting' }, 2000));
    refused(release(starting, mine), 'illegal-step');
    assert.equal(ok(release(starting, mine, { gone: true })).holder, undefined);
  });
  test('listens to its holder only, and to another sidecar once that has taken over', () => {
    const other = { ...mine, by: 's2' };
    refused(advance(rolling, other, { from: 'checking', to: 'deleting' }, 2000), 'not-yours');
    refused(advance(rolling, { id: 'x', by: 's1' }, { from: 'checking', to: 'deleting' }, 2000), 'not-held');
    const taken = ok(takeOver(rolling, 's2'));
    refused(advance(taken, mine, { from: 'checking', to: 'deleting' }, 2000), 'not-yours');
    ok(advance(taken, other, { from: 'checking', to: 'deleting' }, 2000));
    refused(takeOver(emptyRecord, 's2'), 'not-held');
  });
  test('of a broker that is away goes to the rebalance that empties it, and to no other', () => {
    const what = { kind: 'loss', pod: 'kafka-2', broker: 2, set: 'kafka' } as const;
    const lost = ok(records.take(emptyRecord, { id: 'loss/u', by: 'me' }, what, 1000));
    const plan = { id: 'nightly', by: 'me' };
    refused(records.take(lost, plan, { kind: 'rebalance' }, 2000), 'held');
    refused(records.take(lost, plan, { kind: 'rebalance', empties: [1] }, 2000), 'held');
    refused(records.take(lost, plan, { kind: 'roll', empties: [2] }, 2000), 'held');
    const taken = ok(records.take(lost, plan, { kind: 'rebalance', empties: [1, 2] }, 2000));
    assert.deepEqual([taken.holder?.kind, 'empties' in (taken.holder ?? {})], ['rebalance', false]);
    const empties = { kind: 'rebalance', empties: [2] } as const;
    const evicted = ok(records.reserve(emptyRecord, mine, { pod: 'kafka-2', podUid: 'u', broker: 2 }, 1000));
    refused(records.take(evicted, plan, empties, 2000), 'held');
    const going = ok(records.confirm(evicted, mine, 'u', 2000));
    refused(records.take(going, plan, empties, 2000), 'held');
    const starting = ok(advance(going, mine, { from: 'going', to: 'starting' }, 3000));
    assert.equal(ok(records.take(starting, plan, empties, 4000)).holder?.kind, 'rebalance');
    const frozen = [{ set: 'kafka', revision: 'r2', partition: 2, was: 0 }];
    refused(records.take(ok(records.freeze(starting, mine, frozen)), plan, empties, 4000), 'held');
    const back = ok(advance(starting, mine, { from: 'starting', to: 'syncing' }, 4000));
    refused(records.take(back, plan, empties, 5000), 'held');
  });
  test('is not released while sets are held at their old revision', () => {
    const starting = [
      ['checking', 'deleting'],
      ['deleting', 'starting'],
    ].reduce(
      (record, [from, to]) => ok(advance(record, mine, { from: from as Step, to: to as Step }, 2000)),
      rolling,
    );
    const frozen = ok(
      records.freeze(starting, mine, [{ set: 'kafka', revision: 'r2', partition: 2, was: 0 }]),
    );
    refused(release(frozen, mine, { gone: true }), 'illegal-step');
    ok(release(ok(records.freeze(frozen, mine, [])), mine, { gone: true }));
  });
  test('notes progress only where less is left than ever before', () => {
    const at = (bytesLeft: number, nowMs: number, record = rolling) =>
      ok(records.noteProgress(record, mine, bytesLeft, nowMs));
    const half = at(50, 3000, at(100, 2000));
    assert.deepEqual(at(70, 4000, half), half);
  });
  test("carries a rebalance's journal, and nobody else's, up to what a ConfigMap holds", () => {
    const claim = { id: 'nightly', by: 's1' };
    const rebalance = ok(take(emptyRecord, claim, { kind: 'rebalance', journal: { batch: 1 } }, 1000));
    ok(records.keepJournal(rebalance, claim, { batch: 2 }));
    refused(records.keepJournal(rebalance, claim, 'x'.repeat(records.maxJournalBytes)), 'illegal-journal');
    refused(records.keepJournal(rolling, mine, {}), 'illegal-journal');
    refused(take(emptyRecord, mine, { kind: 'roll', journal: {} }, 1000), 'illegal-journal');
  });
});

suite('the text of a record', () => {
  test('reads back as it was written', () => {
    for (const record of [emptyRecord, reserved, rolling])
      assert.deepEqual(parseRecord(recordText(record)), record);
    assert.deepEqual(recordKnown(undefined), { known: true, record: emptyRecord });
  });
  const text = (change: object): string => JSON.stringify({ ...JSON.parse(recordText(rolling)), ...change });
  const damaged: [string, string, string, RegExp][] = [
    ['no JSON', '{', 'record', /is no JSON.*delete the ConfigMap/],
    [
      'of a newer version',
      text({ schemaVersion: 2 }),
      'schemaVersion',
      /is 2, and this kafka-warden knows 1\. Upgrade/,
    ],
    ['without a version', '{"evictions":[]}', 'schemaVersion', /delete the ConfigMap/],
    ['with a field that nobody knows', text({ second: {} }), 'record', /second/],
    [
      'with an unknown step',
      text({ holder: { ...rolling.holder, step: 'flying' } }),
      'holder.step',
      /delete the ConfigMap/,
    ],
    [
      'with a step of another kind',
      text({ holder: { ...rolling.holder, step: 'paused' } }),
      'holder.step',
      /a roll has no step "paused"/,
    ],
    [
      'with a time that is none',
      text({ holder: { ...rolling.holder, sinceMs: 'now' } }),
      'holder.sinceMs',
      /delete the ConfigMap/,
    ],
  ];
  for (const [name, json, field, message] of damaged)
    test(`is refused ${name}, and then nothing is known`, () => {
      assert.throws(
        () => parseRecord(json),
        (error) => error instanceof RecordError && error.field === field && message.test(error.message),
      );
      assert.equal(recordKnown(json).known, false);
    });
});

test('whatever is tried in whatever order, there is one holder, which another never replaces', () => {
  const claims = fc.record({ id: fc.constantFrom('a', 'b'), by: fc.constantFrom('s1', 's2') });
  const kinds = fc.constantFrom<Kind>('eviction', 'roll', 'scale-in', 'rebalance', 'loss');
  const steps = fc.constantFrom<Step>(
    'going',
    'away',
    'checking',
    'deleting',
    'starting',
    'syncing',
    'leaders',
    'moving',
    'clearing',
    'unregistering',
    'executing',
    'paused',
    'restoring',
  );
  type Try = (record: DisruptionRecord, nowMs: number) => Outcome;
  const tries: fc.Arbitrary<Try> = fc.oneof(
    fc.tuple(claims, fc.constantFrom('u1', 'u2')).map(
      ([claim, podUid]): Try =>
        (record, nowMs) =>
          reserve(record, claim, { pod: podUid, podUid }, nowMs),
    ),
    fc.tuple(claims, fc.constantFrom('u1', 'u2')).map(
      ([claim, uid]): Try =>
        (record, nowMs) =>
          confirm(record, claim, uid, nowMs),
    ),
    fc.boolean().map(
      (terminating): Try =>
        (record, nowMs) =>
          lapse(record, nowMs, { terminating }),
    ),
    fc.tuple(claims, kinds).map(
      ([claim, kind]): Try =>
        (record, nowMs) =>
          take(record, claim, { kind }, nowMs),
    ),
    fc.tuple(claims, steps, steps).map(
      ([claim, from, to]): Try =>
        (record, nowMs) =>
          advance(record, claim, { from, to }, nowMs),
    ),
    fc.tuple(claims, fc.boolean()).map(
      ([claim, gone]): Try =>
        (record) =>
          release(record, claim, { gone }),
    ),
    fc.constantFrom('s1', 's2').map(
      (by): Try =>
        (record) =>
          takeOver(record, by),
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(tries, fc.nat({ max: 20_000 })), { maxLength: 60 }), (run) => {
      let record = emptyRecord;
      let nowMs = 0;
      for (const [attempt, passedMs] of run) {
        nowMs += passedMs;
        const outcome = attempt(record, nowMs);
        if (!outcome.ok) continue;
        const [before, after] = [record.holder, outcome.record.holder];
        const replaced = before !== undefined && after !== undefined && before.id !== after.id;
        // A pod that asks for its eviction again may do so under another id.
        assert.ok(!replaced || (before.state === 'reserved' && before.podUid === after.podUid));
        assert.deepEqual(parseRecord(recordText(outcome.record)), outcome.record);
        record = outcome.record;
      }
    }),
    { numRuns: 500 },
  );
});

test('where the gate is off, what is left of an eviction is dropped, and a rebalance stays', () => {
  const claim = { id: 'one', by: 'sidecar-1' };
  for (const kind of ['loss', 'rebalance'] as const) {
    const taken = take(emptyRecord, claim, { kind }, 1);
    assert.ok(taken.ok);
    const left = dropUnfollowed(taken.record);
    assert.equal(left.ok && left.record.holder?.kind, kind === 'loss' ? undefined : kind);
  }
  const reserved = reserve(emptyRecord, claim, { pod: 'kafka-1', podUid: 'u' }, 1);
  assert.ok(reserved.ok);
  const left = dropUnfollowed(reserved.record);
  assert.equal(left.ok && left.record.holder, undefined);
});

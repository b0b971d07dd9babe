import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bytes, eventText, explanation, refusal } from './message.ts';
import type { Reason, Verdict } from './reasons.ts';
import { evidenceOf, nowMs, partition, pod, three } from './test/cluster.ts';
import { verdict } from './verdict.ts';

type Denied = Extract<Verdict, { kind: 'deny' }>;

const named = (topic: string, isr: number[]) => ({ topic, partition: 0, isr, replicas: [0, 1, 2], min: 2 });
const below = (count: number): Reason => ({
  why: 'below-min-isr',
  count,
  partitions: Array.from({ length: Math.min(count, 10) }, (_, i) => named(`orders${i}`, [0, 2])),
});
const denied = (reasons: Reason[], waitingFor: Denied['waitingFor'] = []): Denied => ({
  kind: 'deny',
  pod: 'kafka-0',
  reasons,
  waitingFor,
  evidenceAgeMs: 840,
});

suite('a refusal', () => {
  test('is one paragraph that says what, why and what it waits for', () => {
    const evidence = evidenceOf(
      { ...three, partitions: [partition('orders', 0, [0, 1, 2], [0, 2])] },
      { catchingUp: [{ broker: 1, bytesLeft: 1.2 * 2 ** 30, secondsLeft: 40 }] },
    );
    const answer = verdict(evidence, { pod: pod(0), nowMs });
    assert.ok(answer.kind === 'deny');
    assert.equal(
      refusal(answer),
      'kafka-0 cannot go yet: 1 partition would fall below min.insync.replicas (orders-0: ISR 0,2 of 0,1,2, min 2); ' +
        'broker 1 is catching up, 1.2 GiB left, about 40 s. Nothing to do: it will pass when asked again later.',
    );
  });
  test('names ten partitions over all its reasons, and the count', () => {
    const disagree: Reason = {
      ...(below(4) as Reason & { count: number }),
      why: 'views-disagree',
      brokers: [1, 2],
    } as Reason;
    const text = refusal(denied([below(37), disagree]));
    assert.match(text, /^kafka-0 cannot go yet: 37 partitions would fall/);
    assert.match(text, /and 27 more\); brokers 1,2 disagree about 4 partitions\. /);
    assert.equal(text.match(/ISR/g)?.length, 10);
  });
  test('says the remedy where waiting does not help', () => {
    assert.match(
      refusal(denied([{ why: 'quorum-majority', voters: 1, majority: 1 }])),
      /Add controllers, or override/,
    );
  });
  const cases: [Reason, RegExp][] = [
    [
      { why: 'lease-held', kind: 'roll', id: 'r', pod: 'kafka-2', sinceMs: 0, step: 'syncing' },
      /the roll of kafka-2 is under way since 1970-01-01T00:00:00.000Z \(step: syncing\)/,
    ],
    [
      { why: 'lease-held', kind: 'rebalance', id: 'nightly', sinceMs: 0, step: 'executing' },
      /the rebalance nightly is under way/,
    ],
    [{ why: 'not-alive', brokers: [{ broker: 2, cause: 'no-answer' }] }, /broker 2 does not answer/],
    [
      { why: 'too-old', what: 'view', broker: 2, ageMs: 3400, limitMs: 2000 },
      /the metadata of broker 2 is 3.4 s old, at most 2 s allowed/,
    ],
    [
      { why: 'quorum-behind', voters: 3, majority: 2, caughtUp: 1, behind: [2] },
      /only 1 besides it is caught up, 2 needed \(behind: 2\)/,
    ],
    [{ why: 'unknown', what: 'min-isr', detail: 'logs-0' }, /min.insync.replicas is not known: logs-0/],
    [{ why: 'other-away', pods: [{ pod: 'kafka-2', state: 'not ready' }] }, /kafka-2 is not ready/],
  ];
  for (const [reason, text] of cases)
    test(`says ${reason.why} in words`, () => assert.match(refusal(denied([reason])), text));
});

test('the long form is a table, with the age of what it rests on', () => {
  const partitions = [
    named('orders', [1, 2]),
    { topic: 'audit', partition: 3, isr: [1], replicas: [1, 2], min: 1 },
  ];
  assert.equal(
    explanation(denied([{ why: 'below-min-isr', count: 2, partitions }], [{ broker: 0 }])),
    [
      'kafka-0 cannot go yet: 2 partitions would fall below min.insync.replicas',
      '  orders-0   in sync 1,2   of 0,1,2   min 2',
      '  audit-3    in sync 1     of 1,2     min 1',
      'broker 0 is catching up',
      'Nothing to do: it will pass when asked again later. (evidence 0.8 s old)',
    ].join('\n'),
  );
});

test('an allow says so, and names what has no replica to spare', () => {
  const evidence = evidenceOf({ ...three, partitions: [partition('logs', 0, [1])], min: { logs: 1 } });
  assert.equal(
    explanation(verdict(evidence, { pod: pod(1), nowMs })),
    'kafka-1 may go. (evidence 0.9 s old)\n1 partition without a replica to spare\n  logs-0   in sync 1   of 1   min 1',
  );
});

test('the texts of events hold no figures, so that equal ones are counted together', () => {
  for (const text of Object.values(eventText)) assert.doesNotMatch(text, /\d/);
});

test('bytes are told in the unit that keeps them short', () => {
  assert.deepEqual([17, 1536, 5 * 2 ** 20, 2 ** 40, 200 * 2 ** 30].map(bytes), [
    '17 B',
    '1.5 KiB',
    '5.0 MiB',
    '1.0 TiB',
    '200 GiB',
  ]);
});

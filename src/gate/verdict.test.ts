import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Evidence, PodFacts } from './evidence.ts';
import { tableOf } from './partitions.ts';
import type { PartitionFacts } from './partitions.ts';
import type { Reason, Verdict, Why } from './reasons.ts';
import { emptyRecord, reserve, take } from './record.ts';
import type { Outcome } from './record.ts';
import { evidenceOf, nowMs, partition, pod, three } from './test/cluster.ts';
import { defaultPolicy, verdict } from './verdict.ts';
import type { Question } from './verdict.ts';

const ask = (evidence: Evidence, facts: Partial<PodFacts> = {}, question: Partial<Question> = {}): Verdict =>
  verdict(evidence, { pod: pod(1, facts), nowMs, ...question });

const reasonsOf = (answer: Verdict): readonly Reason[] => (answer.kind === 'deny' ? answer.reasons : []);
const whys = (answer: Verdict): Why[] => reasonsOf(answer).map(({ why }) => why);
const healthy = evidenceOf(three);
const quorum = healthy.quorum!;

const withPartitions = (partitions: readonly PartitionFacts[], min: Record<string, number> = { orders: 2 }) =>
  evidenceOf({ ...three, partitions, min });

const recordOf = (outcome: Outcome): Pick<Evidence, 'record'> => {
  assert.ok(outcome.ok);
  return { record: { known: true, record: outcome.record } };
};

test('a broker may go while every partition keeps its minimum', () => {
  const answer = ask(healthy);
  assert.equal(answer.kind, 'allow');
  assert.equal(answer.evidenceAgeMs, 900);
});

suite('passes at once', () => {
  const passes: [string, Partial<PodFacts>, string][] = [
    ['a pod of another workload', { member: false }, 'other'],
    ['a terminating pod', { terminating: true }, 'terminating'],
    ['a failed pod', { phase: 'Failed' }, 'finished'],
    ['a pod that ended', { phase: 'Succeeded' }, 'finished'],
    ['a pod that never started', { everStarted: false, phase: 'Pending' }, 'never-started'],
  ];
  for (const [name, facts, why] of passes)
    test(`${name}, whatever is known`, () => {
      const answer = ask({ ...healthy, views: [], pings: new Map() }, facts);
      assert.equal(answer.kind === 'pass' && answer.why, why);
    });

  const away = (evidence: Evidence, sinceMs: number): Evidence => ({
    ...evidence,
    views: evidence.views
      .filter(({ broker }) => broker !== 1)
      .map((view) => ({ ...view, fencedSinceMs: new Map([[1, sinceMs]]) })),
    quorum: {
      ...quorum,
      voters: quorum.voters.map((voter) => (voter.id === 1 ? { ...voter, lastFetchMs: 0 } : voter)),
    },
  });
  const withoutOne = withPartitions([partition('orders', 0, [0, 1, 2], [0, 2])]);

  test('a broker that two others have seen fenced for 30 s', () => {
    const answer = ask(away(withoutOne, nowMs - 30_000));
    assert.equal(answer.kind === 'pass' && answer.why, 'fenced');
  });
  test('but not after 29 s, and not by one view alone', () => {
    const short = away(withPartitions([partition('orders', 0, [0, 1, 2], [0])]), nowMs - 29_000);
    assert.equal(ask(short).kind, 'deny');
    const long = away(short, nowMs - 60_000);
    assert.equal(ask(long).kind, 'pass');
    assert.equal(ask({ ...long, views: long.views.slice(0, 1) }).kind, 'deny');
  });
  test('but not while the quorum needs its node', () => {
    const alone = away(withoutOne, nowMs - 60_000);
    const voters = alone.quorum!.voters.map((voter) =>
      voter.id === 2 ? { ...voter, lastFetchMs: 0 } : voter,
    );
    assert.deepEqual(whys(ask({ ...alone, quorum: { ...quorum, voters } })).slice(0, 1), ['quorum-behind']);
  });
  test('but not while a partition without a leader waits for it, unless its node is gone for good', () => {
    const waiting = { ...partition('orders', 0, [0, 1, 2], []), elr: [1] };
    const evidence = away(withPartitions([waiting]), nowMs - 60_000);
    assert.ok(whys(ask(evidence)).includes('leaderless'));
    const gone = ask(evidence, { node: { cordoned: false, tainted: false, gone: true } });
    assert.equal(gone.kind === 'pass' && gone.why, 'fenced');
    assert.equal(ask(away(withPartitions([{ ...waiting, elr: [2] }]), nowMs - 60_000)).kind, 'pass');
  });
});

suite('refuses', () => {
  const leased = take(emptyRecord, { id: 'x', by: 's' }, { kind: 'roll', pod: 'kafka-2' }, nowMs - 5000);
  const [first, second, third] = healthy.views;
  const changed = tableOf([partition('orders', 0, [0, 1, 2], [0, 1]), three.partitions[1]!]);
  const cases: [string, Evidence, Why][] = [
    [
      'while a partition would fall below its minimum',
      withPartitions([partition('orders', 0, [0, 1, 2], [0, 1])]),
      'below-min-isr',
    ],
    [
      'while a partition is below its minimum already, though it is not in sync itself',
      withPartitions([partition('orders', 0, [0, 1, 2], [0])]),
      'below-min-isr',
    ],
    ['while another disruption holds the lease', { ...healthy, ...recordOf(leased) }, 'lease-held'],
    [
      'while the record cannot be read',
      { ...healthy, record: { known: false, problem: 'damaged' } },
      'unknown',
    ],
    [
      'when the quorum has no voter to spare',
      { ...healthy, quorum: { ...quorum, voters: quorum.voters.slice(0, 2) } },
      'quorum-majority',
    ],
    [
      'when a voter of the majority is behind',
      {
        ...healthy,
        quorum: {
          ...quorum,
          voters: quorum.voters.map((voter) => (voter.id === 2 ? { ...voter, lastCaughtUpMs: 2900 } : voter)),
        },
      },
      'quorum-behind',
    ],
    [
      'when a voter of the majority is terminating',
      { ...healthy, pods: [pod(0), pod(1), pod(2, { terminating: true })] },
      'quorum-behind',
    ],
    [
      'when an in-sync replica is terminating',
      { ...healthy, pods: [pod(0), pod(1), pod(2, { terminating: true })] },
      'not-alive',
    ],
    [
      'while another pod is not ready',
      { ...healthy, pods: [pod(0), pod(1), pod(2, { ready: false })] },
      'other-away',
    ],
    ['while another pod is missing', { ...healthy, missingPods: ['kafka-3'] }, 'other-away'],
    ['when an in-sync replica has no pod', { ...healthy, pods: [pod(0), pod(1)] }, 'not-alive'],
    [
      'when an in-sync replica does not answer',
      { ...healthy, pings: new Map([...healthy.pings, [2, { sentAtMs: nowMs - 100 }]]) },
      'not-alive',
    ],
    [
      'when an in-sync replica is fenced',
      { ...healthy, views: [first!, second!, { ...third!, fencedSinceMs: new Map([[2, nowMs]]) }] },
      'not-alive',
    ],
    [
      'when nobody asked an in-sync replica',
      { ...healthy, pings: new Map([[0, healthy.pings.get(0)!]]) },
      'unknown',
    ],
    [
      'when a ping is old',
      { ...healthy, pings: new Map([...healthy.pings, [2, { sentAtMs: nowMs - 2001, tookMs: 1 }]]) },
      'too-old',
    ],
    ['when the quorum is old', { ...healthy, quorum: { ...quorum, readAtMs: nowMs - 2001 } }, 'too-old'],
    ['when a clock has stepped back', { ...healthy, quorum: { ...quorum, readAtMs: nowMs + 1 } }, 'too-old'],
    [
      'when a view is old',
      { ...healthy, views: [{ ...first!, readAtMs: nowMs - 2001 }, second!, third!] },
      'too-old',
    ],
    [
      'when a view was read before the quorum',
      { ...healthy, views: [{ ...first!, readAtMs: nowMs - 950 }, second!, third!] },
      'view-behind',
    ],
    [
      'when a view is behind what the quorum has committed',
      { ...healthy, views: [{ ...first!, metadataOffset: 99n }, second!, third!] },
      'view-behind',
    ],
    [
      'when views disagree',
      { ...healthy, views: [{ ...first!, partitions: changed }, second!, third!] },
      'views-disagree',
    ],
    [
      'when a view has no such partition',
      { ...healthy, views: [{ ...first!, partitions: tableOf([three.partitions[0]!]) }, second!, third!] },
      'views-disagree',
    ],
    ['with one view besides its own', { ...healthy, views: [first!, second!] }, 'unknown'],
    ['without a view', { ...healthy, views: [] }, 'unknown'],
    [
      'when the ISR changed a moment ago',
      { ...healthy, history: { ...healthy.history!, sinceMs: new Float64Array(2).fill(nowMs - 45_000) } },
      'unstable-isr',
    ],
    ['when nothing is known of the past', without(healthy, 'history'), 'unstable-isr'],
    [
      'when the past shows another ISR',
      { ...healthy, history: { ...healthy.history!, table: changed } },
      'unstable-isr',
    ],
    ['when min.insync.replicas is unknown', without(healthy, 'minIsr'), 'unknown'],
    ['when min.insync.replicas of a new topic is unknown', withPartitions(three.partitions, {}), 'unknown'],
    [
      'when min.insync.replicas was read long ago',
      { ...healthy, minIsr: { ...healthy.minIsr!, readAtMs: nowMs - 60_001 } },
      'too-old',
    ],
    ["when a broker's settings are unknown", { ...healthy, settings: new Map() }, 'unknown'],
    ['without a quorum', without(healthy, 'quorum'), 'unknown'],
    ['when the quorum has no leader', { ...healthy, quorum: { ...quorum, leaderId: -1 } }, 'unknown'],
    ["when the quorum's clock is unknown", { ...healthy, quorum: { ...quorum, leaderId: 7 } }, 'unknown'],
  ];
  for (const [name, evidence, why] of cases)
    test(name, () => assert.ok(whys(ask(evidence)).includes(why), JSON.stringify(reasonsOf(ask(evidence)))));

  test('when an in-sync replica does not follow the metadata', () => {
    const four = evidenceOf({ ...three, brokers: 4, partitions: [partition('orders', 0, [1, 2, 3])] });
    const observers = [{ id: 3, lastFetchMs: 2999, lastCaughtUpMs: 2999 }];
    const answer = ask({ ...four, quorum: { ...four.quorum!, observers } });
    assert.deepEqual(reasonsOf(answer), [
      { why: 'not-alive', brokers: [{ broker: 3, cause: 'metadata-behind' }] },
    ]);
  });
  test('a pod whose node id is unknown', () => {
    const { nodeId: _id, ...unknown } = pod(1);
    assert.ok(whys(verdict(healthy, { pod: unknown, nowMs })).includes('unknown'));
  });
  test('a pod that is evicted again and again from a node that nobody drains, and only then', () => {
    const evictions = [1, 2, 3].map((n) => ({ pod: 'kafka-1', atMs: nowMs - n * 60_000 }));
    const looping = { ...healthy, record: { known: true, record: { ...emptyRecord, evictions } } } as const;
    const node = { cordoned: false, tainted: false, gone: false };
    assert.deepEqual(whys(ask(looping, { node })), ['eviction-loop']);
    assert.equal(ask(looping, { node: { ...node, cordoned: true } }).kind, 'allow');
  });
});

suite('the lease', () => {
  test('is not in the way of the pod that it is reserved for, nor of who holds it', () => {
    const reserved = reserve(emptyRecord, { id: 'e', by: 's' }, { pod: 'kafka-1', podUid: 'uid-1' }, nowMs);
    assert.equal(ask({ ...healthy, ...recordOf(reserved) }).kind, 'allow');
    const rolling = take(emptyRecord, { id: 'r', by: 's' }, { kind: 'roll', pod: 'kafka-1' }, nowMs);
    assert.equal(ask({ ...healthy, ...recordOf(rolling) }, {}, { leaseId: 'r' }).kind, 'allow');
    assert.deepEqual(whys(ask({ ...healthy, ...recordOf(rolling) })), ['lease-held']);
  });
});

suite('min.insync.replicas', () => {
  test('is at most the replication factor, and such partitions follow the policy', () => {
    const single = withPartitions([partition('logs', 0, [1])], { logs: 2 });
    const warn = ask(single);
    assert.equal(warn.kind, 'allow');
    assert.equal(warn.atMin?.count, 1);
    assert.equal(ask(single, {}, { policy: { ...defaultPolicy, rfAtMin: 'ignore' } }).atMin, undefined);
    assert.deepEqual(whys(ask(single, {}, { policy: { ...defaultPolicy, rfAtMin: 'block' } })), [
      'rf-at-min',
    ]);
  });
  test('of a partition at its replication factor still asks for all other replicas', () => {
    assert.equal(ask(withPartitions([partition('orders', 0, [0, 1])])).kind, 'allow');
    assert.deepEqual(whys(ask(withPartitions([partition('orders', 0, [0, 1], [1])]))), ['below-min-isr']);
  });
  test("comes from the topic, else from the brokers' highest default", () => {
    const byDefault = (defaults: Map<number, number>) => ({
      ...withPartitions([partition('orders', 0, [0, 1, 2], [0, 1])]),
      minIsr: { readAtMs: nowMs, byTopic: new Map([['orders', null]]), defaults },
    });
    assert.equal(ask(byDefault(new Map([[0, 1]]))).kind, 'allow');
    assert.deepEqual(
      whys(
        ask(
          byDefault(
            new Map([
              [0, 1],
              [2, 2],
            ]),
          ),
        ),
      ),
      ['below-min-isr'],
    );
  });
  test('is met with a replica to spare: then a recent change of the ISR does not matter', () => {
    const one = { ...withPartitions(three.partitions, { orders: 1 }) };
    assert.equal(ask(without(one, 'history')).kind, 'allow');
  });
});

suite('limits', () => {
  const set = (replicaLagTimeMaxMs: number, sessionTimeoutMs: number): Evidence => ({
    ...healthy,
    settings: new Map([0, 1, 2].map((id) => [id, { replicaLagTimeMaxMs, sessionTimeoutMs }])),
  });
  test('follow replica.lag.time.max.ms', () => {
    assert.equal(ask(set(300_000, 9_000)).kind, 'allow');
    assert.deepEqual(whys(ask(set(500_000, 9_000))), ['unstable-isr']);
  });
  test('follow a short session, and a long one does not loosen them', () => {
    assert.ok(whys(ask(set(30_000, 3_000))).includes('too-old'));
    const late = { ...set(30_000, 90_000), quorum: { ...quorum, readAtMs: nowMs - 2500 } };
    assert.deepEqual(whys(ask(late)), ['too-old']);
  });
});

suite('controllers', () => {
  test('without a broker are judged by the quorum and the lease alone', () => {
    const bare = { ...healthy, views: [], pings: new Map() };
    assert.equal(ask(bare, { broker: false }).kind, 'allow');
    assert.deepEqual(whys(ask(without(bare, 'quorum'), { broker: false })), ['unknown']);
  });
});

suite('an override', () => {
  test('lets the pod go and says what it set aside', () => {
    const answer = ask(withPartitions([partition('orders', 0, [0, 1, 2], [0, 1])]), { override: true });
    assert.ok(answer.kind === 'pass' && answer.why === 'override');
    assert.deepEqual(
      answer.overridden?.map(({ why }) => why),
      ['below-min-isr'],
    );
  });
});

suite('clusters of one or two brokers', () => {
  const goes = { ...defaultPolicy, lastVoter: 'goes' } as const;
  const two = evidenceOf({ brokers: 2, partitions: [partition('orders', 0, [0, 1])], min: { orders: 1 } });
  const voters = [{ id: 100, lastFetchMs: 5000, lastCaughtUpMs: 5000 }];
  const apart = {
    ...two,
    quorum: { ...two.quorum!, leaderId: 100, voters, observers: two.quorum!.voters },
  };
  const alone = evidenceOf({ brokers: 1, partitions: [partition('orders', 0, [0])], min: { orders: 1 } });
  const askAlone = (evidence: Evidence, question: Partial<Question> = {}) =>
    verdict(evidence, { pod: pod(0), nowMs, ...question });

  test('the only other broker is asked, and has to be in sync and alive', () => {
    assert.equal(ask(apart).kind, 'allow');
    assert.deepEqual(whys(ask({ ...apart, views: apart.views.slice(1) })), ['unknown']);
    const silent = new Map([[0, { sentAtMs: nowMs - 300 }]]);
    assert.deepEqual(whys(ask({ ...apart, pings: silent })), ['not-alive']);
  });
  test('a voter that the quorum can never spare stays, unless a roll was asked for', () => {
    assert.deepEqual(whys(ask(two)), ['quorum-majority']);
    assert.equal(ask(two, {}, { policy: goes }).kind, 'allow');
    assert.deepEqual(whys(askAlone(alone)), ['quorum-majority']);
    assert.equal(askAlone(alone, { policy: goes }).kind, 'allow');
  });
  test('a sole broker that nobody else can see is not taken for fenced', () => {
    assert.equal(askAlone({ ...alone, views: [] }, { policy: goes }).kind, 'allow');
  });
});

suite('ZooKeeper mode', () => {
  const zookeeper: Evidence = { ...without(healthy, 'quorum'), mode: 'zookeeper' };
  test('needs no quorum, but one controller by all views', () => {
    assert.equal(ask(zookeeper).kind, 'allow');
    const [first, ...rest] = zookeeper.views;
    const split = { ...zookeeper, views: [{ ...first!, controllerId: 2 }, ...rest] };
    assert.deepEqual(whys(ask(split)), ['unknown']);
  });
  test('wants every ISR stable, not only the critical ones', () => {
    const spare = { ...zookeeper, minIsr: { ...zookeeper.minIsr!, byTopic: new Map([['orders', 1]]) } };
    assert.equal(ask(spare).kind, 'allow');
    assert.deepEqual(whys(ask(without(spare, 'history'))), ['unstable-isr']);
  });
});

function without<K extends keyof Evidence>(evidence: Evidence, key: K): Evidence {
  const { [key]: _left, ...rest } = evidence;
  return rest as unknown as Evidence;
}

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Evidence } from './evidence.ts';
import { explanation, refusal } from './message.ts';
import type { PartitionFacts, PartitionTable } from './partitions.ts';
import { listAt, tableOf } from './partitions.ts';
import { emptyRecord, take } from './record.ts';
import { evidenceOf, nowMs, pod } from './test/cluster.ts';
import type { Sketch } from './test/cluster.ts';
import { defaultPolicy, verdict } from './verdict.ts';
import type { Policy } from './verdict.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 400);

const sketches: fc.Arbitrary<Sketch> = fc.integer({ min: 1, max: 6 }).chain((brokers) => {
  const ids = Array.from({ length: brokers }, (_, id) => id);
  const row = fc
    .tuple(fc.constantFrom('a', 'b', 'c'), fc.shuffledSubarray(ids, { minLength: 1 }), fc.nat(), fc.boolean())
    .map(([topic, replicas, cut, whole]) => {
      const isr = whole ? replicas : replicas.slice(0, cut % (replicas.length + 1));
      return { topic, replicas, isr, leader: isr[0] ?? -1 };
    });
  return fc.record({
    brokers: fc.constant(brokers),
    partitions: fc
      .array(row, { maxLength: 12 })
      .map((rows) => rows.map((facts, partition): PartitionFacts => ({ ...facts, partition }))),
    min: fc.record({ a: min, b: min, c: min }),
  });
});
const min = fc.integer({ min: 1, max: 4 });

/** One more thing that is wrong; each changes the evidence and nothing else. */
type Trouble = (evidence: Evidence, broker: number) => Evidence;

const mapViews = (
  evidence: Evidence,
  change: (view: Evidence['views'][number], i: number) => Evidence['views'][number],
) => ({
  ...evidence,
  views: evidence.views.map(change),
});
const withMember = (
  evidence: Evidence,
  broker: number,
  facts: { lastFetchMs?: number; lastCaughtUpMs?: number },
): Evidence => {
  if (evidence.quorum === undefined || evidence.quorum.leaderId === broker) return evidence;
  const change = <T extends { id: number }>(member: T): T =>
    member.id === broker ? { ...member, ...facts } : member;
  const { voters, observers } = evidence.quorum;
  return {
    ...evidence,
    quorum: { ...evidence.quorum, voters: voters.map(change), observers: observers.map(change) },
  };
};
const omit = <K extends keyof Evidence>(evidence: Evidence, key: K): Evidence => {
  const { [key]: _left, ...rest } = evidence;
  return rest as unknown as Evidence;
};
const taken = take(emptyRecord, { id: 'x', by: 's' }, { kind: 'rebalance' }, nowMs);

const troubles: Record<string, Trouble> = {
  'a view lost': (evidence, broker) => ({
    ...evidence,
    views: evidence.views.filter((view) => view.broker !== broker),
  }),
  'a view aged': (evidence, broker) =>
    mapViews(evidence, (view) =>
      view.broker === broker ? { ...view, readAtMs: view.readAtMs - 5000 } : view,
    ),
  'a view behind': (evidence, broker) =>
    mapViews(evidence, (view) => (view.broker === broker ? { ...view, metadataOffset: 1n } : view)),
  'a view that knows less': (evidence, broker) =>
    mapViews(evidence, (view) => (view.broker === broker ? { ...view, partitions: tableOf([]) } : view)),
  'a broker fenced in one view': (evidence, broker) =>
    mapViews(evidence, (view, i) =>
      i === 0 ? { ...view, fencedSinceMs: new Map([...view.fencedSinceMs, [broker, nowMs - 1000]]) } : view,
    ),
  'a ping lost': (evidence, broker) => ({
    ...evidence,
    pings: new Map([...evidence.pings].filter(([id]) => id !== broker)),
  }),
  'a ping unanswered': (evidence, broker) => ({
    ...evidence,
    pings: new Map([...evidence.pings, [broker, { sentAtMs: nowMs - 100 }]]),
  }),
  'a fetcher stuck': (evidence, broker) => withMember(evidence, broker, { lastFetchMs: 1 }),
  'a follower behind': (evidence, broker) => withMember(evidence, broker, { lastCaughtUpMs: -1 }),
  'the quorum unknown': (evidence) => omit(evidence, 'quorum'),
  'the quorum aged': (evidence) =>
    evidence.quorum === undefined
      ? evidence
      : { ...evidence, quorum: { ...evidence.quorum, readAtMs: nowMs - 9000 } },
  'the quorum without a leader': (evidence) =>
    evidence.quorum === undefined ? evidence : { ...evidence, quorum: { ...evidence.quorum, leaderId: -1 } },
  'the minimum unknown': (evidence) => omit(evidence, 'minIsr'),
  'the minimum raised': (evidence) =>
    evidence.minIsr === undefined
      ? evidence
      : {
          ...evidence,
          minIsr: {
            ...evidence.minIsr,
            byTopic: new Map(
              [...evidence.minIsr.byTopic].map(([topic, own]) => [topic, own === null ? null : own + 1]),
            ),
          },
        },
  'settings unknown': (evidence, broker) => ({
    ...evidence,
    settings: new Map([...evidence.settings].filter(([id]) => id !== broker)),
  }),
  'a longer lag': (evidence, broker) => ({
    ...evidence,
    settings: new Map([
      ...evidence.settings,
      [broker, { replicaLagTimeMaxMs: 900_000, sessionTimeoutMs: 9000 }],
    ]),
  }),
  'a pod terminating': (evidence, broker) => ({
    ...evidence,
    pods: evidence.pods.map((facts) => (facts.nodeId === broker ? { ...facts, terminating: true } : facts)),
  }),
  'a pod lost': (evidence, broker) => ({
    ...evidence,
    pods: evidence.pods.filter(({ nodeId }) => nodeId !== broker),
    missingPods: [...evidence.missingPods, `kafka-${broker}`],
  }),
  'a pod missing': (evidence, broker) => ({
    ...evidence,
    missingPods: [...evidence.missingPods, `other-${broker}`],
  }),
  'the lease taken': (evidence) =>
    taken.ok ? { ...evidence, record: { known: true, record: taken.record } } : evidence,
  'the record damaged': (evidence) => ({ ...evidence, record: { known: false, problem: 'damaged' } }),
  'the past forgotten': (evidence) => omit(evidence, 'history'),
  'a replica out of sync': (evidence, broker) =>
    mapViews(evidence, (view) => ({ ...view, partitions: shrunk(view.partitions, broker) })),
};

/**
 * A replica that leaves an ISR takes along what was wrong with it as a survivor, a view that is lost what was wrong with the
 * view, and settings that are no longer known (of a broker that no partition needs, else that is a no) their longer lag; views
 * that one after the other forget the same agree in the end. Of such pairs nothing is promised.
 */
const cures: Record<string, RegExp> = {
  'a replica out of sync': /ping|fetcher|follower|pod|settings|fenced/,
  'a view lost': /view/,
  'a view that knows less': /knows less/,
  'settings unknown': /lag/,
};
const mayCure = (more: Spoil, before: readonly Spoil[]): boolean =>
  before.some(({ trouble }) => cures[more.trouble]?.test(trouble) === true);

interface Spoil {
  readonly trouble: string;
  readonly broker: number;
}
const spoil = fc.record({ trouble: fc.constantFrom(...Object.keys(troubles)), broker: fc.nat({ max: 5 }) });
const policies = fc
  .constantFrom<Policy['rfAtMin']>('ignore', 'warn', 'block')
  .map((rfAtMin) => ({ ...defaultPolicy, rfAtMin }));
const factsIn = (table: PartitionTable): PartitionFacts[] =>
  table.topics.flatMap((topic, t) =>
    Array.from({ length: table.topicFirst[t + 1]! - table.topicFirst[t]! }, (_, k) => {
      const row = table.topicFirst[t]! + k;
      const [partition, leader] = [table.partition[row]!, table.leader[row]!];
      return { topic, partition, leader, replicas: listAt(table.replicas, row), isr: listAt(table.isr, row) };
    }),
  );
const factsOf = ({ views }: Evidence): PartitionFacts[] => factsIn(views[0]?.partitions ?? tableOf([]));
const shrunk = (table: PartitionTable, broker: number): PartitionTable =>
  tableOf(factsIn(table).map((facts) => ({ ...facts, isr: facts.isr.filter((id) => id !== broker) })));

suite('for any cluster', () => {
  test('an allow leaves every partition at its minimum, or with all but one replica where there is none to spare', () => {
    fc.assert(
      fc.property(
        sketches,
        fc.array(spoil, { maxLength: 1 }),
        policies,
        fc.nat(),
        (sketch, spoils, policy, pick) => {
          const broker = pick % sketch.brokers;
          const evidence = spoils.reduce(
            (so, { trouble, broker: whose }) => troubles[trouble]!(so, whose),
            evidenceOf(sketch),
          );
          const answer = verdict(evidence, { pod: pod(broker), nowMs, policy });
          if (answer.kind !== 'allow') return;
          for (const { topic, partition, replicas, isr } of factsOf(evidence)) {
            if (!replicas.includes(broker)) continue;
            const set =
              sketch.min[topic]! + (spoils.some(({ trouble }) => trouble === 'the minimum raised') ? 1 : 0);
            const least = set < replicas.length ? set : replicas.length - 1;
            const left = isr.filter((id) => id !== broker).length;
            assert.ok(left >= least, `${topic}-${partition} is left with ${left} of ${least}`);
            assert.ok(policy.rfAtMin !== 'block' || set < replicas.length, `${topic}-${partition} blocks`);
          }
        },
      ),
      { numRuns: 5 * numRuns },
    );
  });

  test('more trouble never turns a no into a yes', () => {
    fc.assert(
      fc.property(
        sketches,
        fc.array(spoil, { maxLength: 3 }),
        spoil,
        fc.nat(),
        (sketch, spoils, more, pick) => {
          fc.pre(!mayCure(more, spoils));
          const question = { pod: pod(pick % sketch.brokers), nowMs };
          const before = spoils.reduce(
            (so, { trouble, broker }) => troubles[trouble]!(so, broker),
            evidenceOf(sketch),
          );
          if (verdict(before, question).kind !== 'deny') return;
          const after = troubles[more.trouble]!(before, more.broker);
          assert.equal(verdict(after, question).kind, 'deny', `${more.trouble} of ${more.broker}`);
        },
      ),
      { numRuns: 5 * numRuns },
    );
  });

  test('a healthy one with a replica to spare everywhere may lose any broker', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 6 }), fc.nat(), (brokers, pick) => {
        const all = Array.from({ length: brokers }, (_, id) => id);
        const partitions = [{ topic: 'a', partition: 0, replicas: all, isr: all, leader: 0 }];
        const evidence = evidenceOf({ brokers, partitions, min: { a: brokers - 1 } });
        assert.equal(verdict(evidence, { pod: pod(pick % brokers), nowMs }).kind, 'allow');
      }),
    );
  });

  test('a message names at most ten partitions, says the same twice, and has no empty part', () => {
    fc.assert(
      fc.property(
        sketches,
        fc.array(spoil, { maxLength: 4 }),
        policies,
        fc.nat(),
        (sketch, spoils, policy, pick) => {
          const many = {
            ...sketch,
            partitions: [0, 100, 200].flatMap((by) =>
              sketch.partitions.map((facts) => ({ ...facts, partition: facts.partition + by })),
            ),
          };
          const evidence = spoils.reduce(
            (so, { trouble, broker }) => troubles[trouble]!(so, broker),
            evidenceOf(many),
          );
          const answer = verdict(evidence, { pod: pod(pick % sketch.brokers), nowMs, policy });
          const long = explanation(answer);
          assert.doesNotMatch(long, /undefined|NaN|Infinity/);
          assert.ok((long.match(/^ {2}[abc]-\d/gm) ?? []).length <= 10 + (answer.kind === 'deny' ? 0 : 10));
          if (answer.kind !== 'deny') return;
          const short = refusal(answer);
          assert.ok((short.match(/[abc]-\d+: ISR/g) ?? []).length <= 10);
          assert.equal(refusal(answer), short);
          assert.doesNotMatch(short, /undefined|NaN|Infinity|; ;|\n/);
        },
      ),
      { numRuns },
    );
  });
});

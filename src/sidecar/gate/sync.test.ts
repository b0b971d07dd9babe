import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PartitionFacts, tableOf } from '../../gate/index.ts';
import { evidenceOf, nowMs, partition } from '../../gate/test/cluster.ts';
import type { KafkaEvidence } from './kafka-reader.ts';
import { findStanding, findTroubles } from './standing.ts';
import { laggingIn, leadersToRestore, syncFacts } from './sync.ts';

const all = [0, 1, 2].map((id) => ({ nodeId: id, broker: true }));
const evidence = (...views: (readonly PartitionFacts[])[]): KafkaEvidence => {
  const base = evidenceOf({ brokers: 3, partitions: [], min: {} });
  const tables = views.map(tableOf);
  const topics = [...new Set(tables.flatMap((table) => table.topics))].sort();
  return {
    ...base,
    ...{ topics, named: [0, 1, 2], ...findTroubles(tables[0], topics) },
    views: tables.map((table, broker) => ({ ...base.views[broker]!, standing: findStanding(table) })),
  };
};
const whole = [partition('a', 0, [0, 1, 2]), partition('a', 1, [1, 2, 0]), partition('b', 0, [2, 0, 1])];
const inSync = (found: ReturnType<typeof syncFacts>) =>
  [...found].filter(([, facts]) => facts.inSync).map(([id]) => id);

test('a broker is back when all its replicas are in sync in every view', () => {
  assert.deepEqual(inSync(syncFacts(evidence(whole, whole), all)), [0, 1, 2]);
  const copying = [...whole.slice(0, 2), partition('b', 0, [2, 0, 1], [2, 0])];
  assert.deepEqual(inSync(syncFacts(evidence(whole, copying), all)), [0, 2]);
});

test('without a view nobody is back, and what was read tells its time', () => {
  assert.deepEqual(inSync(syncFacts({ ...evidence(), views: [] }, all)), []);
  assert.equal(syncFacts(evidence(whole), all).get(0)?.readAtMs, nowMs - 900);
});

test('one that is fenced by any view, or does not follow the quorum, is not back', () => {
  const seen = evidence(whole, whole);
  const [first, second] = seen.views;
  const fenced = { ...seen, views: [first!, { ...second!, fencedSinceMs: new Map([[1, nowMs]]) }] };
  assert.deepEqual(inSync(syncFacts(fenced, all)), [0, 2]);
  const voters = seen.quorum!.voters.map((voter) =>
    voter.id === 2 ? { ...voter, lastCaughtUpMs: 1 } : voter,
  );
  assert.deepEqual(inSync(syncFacts({ ...seen, quorum: { ...seen.quorum!, voters } }, all)), [0, 1]);
});

test('a controller is back when it follows the quorum: it leads no partitions', () => {
  const found = syncFacts(evidence([partition('a', 0, [0, 1, 2], [0])]), [{ nodeId: 1, broker: false }]);
  assert.deepEqual(found.get(1), { readAtMs: nowMs - 900, inSync: true, leadersBack: true });
});

test('leaders are restored where the broker is preferred, in sync, and another one leads', () => {
  const led = (leader: number, one: PartitionFacts): PartitionFacts => ({ ...one, leader });
  const partitions = [
    led(1, partition('a', 0, [0, 1, 2])),
    led(0, partition('a', 1, [0, 1, 2])),
    led(1, partition('b', 0, [0, 1, 2], [1, 2])),
    led(2, partition('b', 1, [1, 0, 2])),
  ];
  assert.deepEqual(leadersToRestore(evidence(partitions), 0), [{ topic: 'a', partition: 0 }]);
  assert.equal(syncFacts(evidence(partitions), all).get(0)?.leadersBack, false);
  assert.equal(syncFacts(evidence(whole), all).get(0)?.leadersBack, true);
});

test('what lags is what is out of sync: a broker is back exactly when nothing of it lags', () => {
  const replicas = fc.shuffledSubarray([0, 1, 2], { minLength: 1 });
  const facts = replicas.chain((of) =>
    fc.record({
      topic: fc.constantFrom('a', 'b'),
      of: fc.constant(of),
      isr: fc.subarray(of, { minLength: 1 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(facts, { maxLength: 12 }), (given) => {
      const partitions = given.map(({ topic, of, isr }, index) => partition(topic, index, of, isr));
      const seen = evidence(partitions);
      const lagging = new Set(laggingIn(seen).map(({ broker }) => broker));
      assert.deepEqual(
        inSync(syncFacts(seen, all)),
        [0, 1, 2].filter((id) => !lagging.has(id)),
      );
    }),
  );
});

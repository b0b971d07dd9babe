import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { join, listAt, rowsOf, tableOf } from './partitions.ts';
import type { PartitionFacts, PartitionTable } from './partitions.ts';
import { align } from './prepared.ts';
import { evidenceOf } from './test/cluster.ts';

const brokers = fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 4 });
const tables: fc.Arbitrary<PartitionFacts[]> = fc.uniqueArray(
  fc.record({
    topic: fc.constantFrom('a', 'a-b', 'a_b', 'B', 'ä', '__consumer_offsets'),
    partition: fc.nat({ max: 12 }),
    leader: fc.integer({ min: -1, max: 9 }),
    replicas: brokers,
    isr: brokers,
  }),
  { selector: ({ topic, partition }) => `${topic}/${partition}`, maxLength: 30 },
);
const key = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;
const keysOf = (table: PartitionTable): string[] =>
  table.topics.flatMap((topic, t) =>
    [...table.partition.subarray(table.topicFirst[t], table.topicFirst[t + 1])].map((partition) =>
      key({ topic, partition }),
    ),
  );

test('a table holds what it was made from, and the ISR in ascending order', () => {
  fc.assert(
    fc.property(tables, (facts) => {
      const table = tableOf(facts);
      assert.deepEqual(keysOf(table).sort(), facts.map(key).sort());
      keysOf(table).forEach((name, row) => {
        const fact = facts.find((one) => key(one) === name)!;
        assert.deepEqual(listAt(table.replicas, row), fact.replicas);
        assert.deepEqual(
          listAt(table.isr, row),
          [...fact.isr].sort((x, y) => x - y),
        );
      });
    }),
  );
});

test('an answer that tells a partition twice is refused', () => {
  const twice = { topic: 'a', partition: 1, leader: 0, replicas: [0], isr: [0] };
  assert.throws(() => tableOf([twice, { ...twice, leader: 1 }]), /a-1 appears twice/);
});

test('joined tables keep each partition once, beside its row in every table', () => {
  fc.assert(
    fc.property(fc.array(tables, { maxLength: 3 }), (many) => {
      const built = many.map(tableOf);
      const joined = join(built);
      const keys = [...joined.partition].map((partition, i) =>
        key({ topic: joined.topics[joined.topicOf[i]!]!, partition }),
      );
      assert.deepEqual(keys.toSorted(), [...new Set(many.flat().map(key))].sort());
      built.forEach((table, v) => {
        const own = keysOf(table);
        const rows = [...joined.rows[v]!];
        assert.equal(rows.filter((row) => row >= 0).length, rowsOf(table));
        rows.forEach((row, i) =>
          assert.equal(row < 0 ? own.includes(keys[i]!) : own[row], row < 0 ? false : keys[i]),
        );
      });
    }),
  );
});

test('the partitions of a broker are all that any view connects with it', () => {
  fc.assert(
    fc.property(tables, tables, (one, other) => {
      const base = evidenceOf({ brokers: 2, partitions: [], min: {} });
      const views = [one, other].map((facts, broker) => ({
        ...base.views[0]!,
        broker,
        partitions: tableOf(facts),
      }));
      const { rowsOf: found, joined } = align({ ...base, views });
      for (let broker = 0; broker < 10; broker++) {
        const keys = [...(found.get(broker) ?? [])].map((row) =>
          key({ topic: joined.topics[joined.topicOf[row]!]!, partition: joined.partition[row]! }),
        );
        const meant = [...one, ...other].filter(
          ({ replicas, isr }) => replicas.includes(broker) || isr.includes(broker),
        );
        assert.deepEqual(keys.sort(), [...new Set(meant.map(key))].sort());
      }
    }),
  );
});

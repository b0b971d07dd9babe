import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PartitionFacts, tableOf } from '../gate/partitions.ts';
import { metadataBytes, pageBytes } from './test/view-bytes.ts';
import { nextPage, readView } from './view-columns.ts';

const brokers = fc.uniqueArray(fc.nat(300), { maxLength: 4 });
const partition = fc.record({
  topic: fc.constantFrom('orders', 'orders-dlq', 'audit', 'ü', 'a'.repeat(249)),
  partition: fc.nat(400),
  leader: fc.integer({ min: -1, max: 300 }),
  replicas: brokers,
  isr: brokers,
  elr: brokers,
});
const partitions = fc.uniqueArray(partition, {
  selector: ({ topic, partition }) => `${topic}-${partition}`,
  maxLength: 60,
});
const withoutElr = (facts: readonly PartitionFacts[]): PartitionFacts[] =>
  facts.map(({ topic, partition, leader, replicas, isr }) => ({ topic, partition, leader, replicas, isr }));
const head = { controllerId: 2, serving: [0, 1, 2] };

test('a Metadata answer reads as the table of its partitions, in whatever order it tells them', () => {
  fc.assert(
    fc.property(partitions, (told) => {
      const view = readView({ metadata: metadataBytes({ ...head, partitions: told }) });
      const { elr: _, ...table } = tableOf(withoutElr(told));
      assert.deepEqual(view, { ...head, partitions: table });
    }),
  );
});

test('pages of DescribeTopicPartitions read as one table, a topic over two of them too', () => {
  const metadata = metadataBytes({ ...head, partitions: [] });
  fc.assert(
    fc.property(partitions, fc.nat(60), (told, at) => {
      const pages = [
        pageBytes(told.slice(0, at), { topic: 'orders', partition: 7 }),
        pageBytes(told.slice(at)),
      ];
      assert.deepEqual(pages.map(nextPage), [{ topic: 'orders', partition: 7 }, undefined]);
      const { elr, ...table } = tableOf(told);
      const view = readView({ metadata, pages });
      assert.deepEqual(view.partitions, { ...table, elr });
      assert.deepEqual(view.serving, [0, 1, 2]);
    }),
  );
});

const one: PartitionFacts = { topic: 'orders', partition: 0, leader: 0, replicas: [0, 1, 2], isr: [2, 0] };

test('a topic that is being made or deleted is left out; a refused one makes the answer worthless', () => {
  const told = { ...head, partitions: [one] };
  for (const code of [3, 5]) {
    const metadata = metadataBytes({ ...told, errors: { orders: code } });
    assert.deepEqual(readView({ metadata }).partitions.topics, ['orders']);
  }
  const metadata = metadataBytes({ ...told, errors: { orders: 29 } });
  assert.throws(() => readView({ metadata }), {
    name: 'RangeError',
    message: /orders was refused with error 29/,
  });
});

test('an answer that tells of a partition twice, or ends early anywhere, is no view', () => {
  const metadata = metadataBytes({ ...head, partitions: [] });
  const twice = [pageBytes([one], { topic: 'orders', partition: 0 }), pageBytes([one])];
  assert.throws(() => readView({ metadata, pages: twice }), {
    name: 'RangeError',
    message: /orders-0 appears twice/,
  });
  const whole = metadataBytes({ ...head, partitions: [one] });
  // The last byte counts tags, of which there are none.
  for (let length = 0; length < whole.length - 1; length++)
    assert.throws(() => readView({ metadata: whole.slice(0, length) }), RangeError, `${length} bytes`);
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { KafkaError } from './errors.ts';
import {
  type TopicPartition,
  byTopic,
  chunksOf,
  inRequests,
  partitionKey,
  partitionsPerRequest,
  refusalOf,
} from './partitions.ts';

const many = (count: number): TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ({ topic: 't', partition }));

test('chunks hold everything once, in order, and none is too large', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 9 }), (items, size) => {
      const chunks = chunksOf(items, size);
      assert.deepEqual(chunks.flat(), items);
      assert.ok(chunks.every(({ length }) => length > 0 && length <= size));
    }),
  );
});

test('partitions are grouped by topic, none lost', () => {
  const partition = fc.record({ topic: fc.constantFrom('a', 'b', 'a-1'), partition: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(partition), (partitions) => {
      const groups = byTopic(partitions);
      assert.equal(new Set(groups.map(({ topic }) => topic)).size, groups.length);
      const flat = groups.flatMap((group) => group.partitions);
      assert.deepEqual(flat.map(partitionKey).sort(), partitions.map(partitionKey).sort());
    }),
  );
});

test('a refusal has Kafka’s name and its words, or the usual ones', () => {
  assert.equal(refusalOf(0, null), undefined);
  assert.deepEqual(refusalOf(84, 'said'), { reason: 'ELECTION_NOT_NEEDED', message: 'said' });
  assert.match(refusalOf(85, '')?.message ?? '', /No partition reassignment/);
  assert.equal(refusalOf(31_999, null)?.reason, 'error 31999');
});

void suite('requests for many partitions', () => {
  test('each name at most as many as one request may', async () => {
    const sizes: number[] = [];
    const outcomes = await inRequests(many(4_500), async (some) => {
      sizes.push(some.length);
      return [...some];
    });
    assert.deepEqual(sizes, [partitionsPerRequest, partitionsPerRequest, 500]);
    assert.equal(outcomes.length, 4_500);
  });

  const failsAt = (call: number) => {
    let calls = 0;
    return async (some: readonly TopicPartition[]) => {
      if (calls++ === call) throw new KafkaError('kafka-timeout', 'No answer');
      return [...some];
    };
  };

  test('the first that fails fails the call: nothing was done', async () => {
    await assert.rejects(inRequests(many(3_000), failsAt(0)), { code: 'kafka-timeout' });
  });

  test('a later one that fails is told of its own partitions: the others were done', async () => {
    const outcomes = await inRequests(many(5_000), failsAt(1));
    const refused = outcomes.filter(({ error }) => error?.reason === 'kafka-timeout');
    assert.deepEqual([outcomes.length, refused.length, refused[0]?.partition], [5_000, 2_000, 2_000]);
  });
});

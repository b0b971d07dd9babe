import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../kafka/index.ts';
import { type Sampled, sampleCluster } from './sampler.ts';
import { topicOf } from './test/samples.ts';

/** A cluster of two brokers with one topic, whose offsets a test sets. */
function clusterOf(offsets: number[], more: Partial<Sampled> = {}) {
  const looked: number[] = [];
  const admin: Sampled = {
    describeCluster: async () => ({
      clusterId: 'c',
      controllerId: 0,
      brokers: [0, 1, 2].map((id) => ({ id, host: 'h', port: 1, rack: undefined, fenced: id === 2 })),
    }),
    topics: async () => [
      topicOf(
        'a',
        offsets.map(() => [0, 1]),
      ),
    ],
    listReassignments: async () => [],
    describeLogDirs: async (id) => [{ path: `/data-${id}`, replicas: [] }],
    listOffsets: async (position, partitions) =>
      partitions.map((one) => ({
        ...one,
        offset: position === 'latest' ? BigInt(offsets[one.partition]!) : 0n,
      })),
    tailBytesPerOffset: async (partitions) => {
      looked.push(...partitions.map(({ partition }) => partition));
      return partitions.map(({ topic, partition }) => ({
        topic,
        partition,
        bytesPerOffset: 100 + partition,
      }));
    },
    committedOffsets: async () => [],
    ...more,
  };
  return { admin, looked, offsets };
}

const clock = () => {
  let at = 0;
  return () => (at += 10);
};

test('the first sample looks at no log; the next at those that were written, the busiest first', async () => {
  const { admin, looked, offsets } = clusterOf([5, 5, 5, 5]);
  const now = clock();
  const first = await sampleCluster(admin, { now });
  assert.deepEqual([looked, first.bytesPerOffset.size, first.committed], [[], 0, undefined]);
  assert.deepEqual([first.takenAtMs, first.brokers.map(({ id }) => id)], [15, [0, 1]]);

  offsets.splice(0, 4, 6, 5, 90, 50);
  const second = await sampleCluster(admin, { now, earlier: first, mostTails: 2 });
  assert.deepEqual(looked, [2, 3]);
  offsets[0] = 7;
  const third = await sampleCluster(admin, { now, earlier: second });
  assert.deepEqual(looked, [2, 3, 0]);
  assert.deepEqual([...third.bytesPerOffset].sort(), [
    ['a-0', 100],
    ['a-2', 102],
    ['a-3', 103],
  ]);
});

test('a broker that does not answer leaves a gap that is named', async () => {
  const { admin } = clusterOf([1], {
    describeLogDirs: async (id) => {
      if (id === 1) throw new KafkaError('kafka-timeout', 'No answer within 5000 ms');
      return [];
    },
    committedOffsets: () => Promise.reject(new KafkaError('kafka-unauthorized', 'It was refused')),
  });
  const sample = await sampleCluster(admin, { now: clock(), readRates: true });
  assert.deepEqual(
    sample.brokers.map(({ dirs }) => dirs),
    [[], undefined],
  );
  assert.equal(sample.committed, undefined);
  assert.deepEqual(sample.problems, [
    'The log directories of broker 1 are not known: No answer within 5000 ms',
    'What consumer groups have committed is not known: It was refused',
  ]);
});

test('a fault of our own is no gap', async () => {
  const { admin } = clusterOf([1], { describeLogDirs: () => Promise.reject(new TypeError('x')) });
  await assert.rejects(sampleCluster(admin, { now: clock() }), TypeError);
});

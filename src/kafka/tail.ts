import { type Reader, Writer, createAPI } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { type BatchTotals, addBatches } from './batches.ts';
import { askLeaders } from './leaders.ts';
import { type TopicPartition, byTopic, readByTopic } from './partitions.ts';
import { throwIfRefused } from './refused.ts';
import { supported } from './versions.ts';

/** A partition, and the offsets between which it can be read. */
export interface ReadablePartition extends TopicPartition {
  readonly earliest: bigint;
  readonly latest: bigint;
}

export interface PartitionTail extends TopicPartition {
  readonly bytesPerOffset: number;
}

interface Wanted extends TopicPartition {
  readonly from: bigint;
}
interface Fetched extends TopicPartition, BatchTotals {}

/** Offsets back from the end at which a fetch begins, and bytes that it takes of a partition. */
const tail = { offsets: 32n, bytes: 2_048 };
/** A megabyte of answer, and the first partition's one whole batch. */
const perRequest = 500;

/** Fetch version 12 (Kafka 2.7), the last that names topics; outside of any session, and it does not wait. */
const fetchV12 = createAPI<[partitions: readonly Wanted[]], Fetched[]>(
  1,
  12,
  (partitions: readonly Wanted[]) =>
    Writer.create()
      .appendInt32(-1)
      .appendInt32(0)
      .appendInt32(0)
      .appendInt32(partitions.length * tail.bytes)
      .appendInt8(0)
      .appendInt32(0)
      .appendInt32(-1)
      .appendArray(byTopic(partitions), (topic, { topic: name, partitions: some }) => {
        topic.appendString(name).appendArray(some, (one, { partition, from }) => {
          one.appendInt32(partition).appendInt32(-1).appendInt64(from);
          one.appendInt32(-1).appendInt64(-1n).appendInt32(tail.bytes);
        });
      })
      .appendArray<never>([], () => undefined)
      .appendString('')
      .appendTaggedFields(),
  (_correlationId, key, version, reader) => {
    reader.readInt32();
    throwIfRefused({ key, version }, reader.readInt16(), null);
    reader.readInt32();
    return readByTopic(reader, readPartition);
  },
);

function readPartition(reader: Reader, topic: string): Fetched {
  const partition = reader.readInt32();
  reader.readInt16();
  for (let skipped = 0; skipped < 3; skipped++) reader.readInt64();
  reader.readNullableArray((aborted) => [aborted.readInt64(), aborted.readInt64()]);
  reader.readInt32();
  const records = reader.readNullableBytes();
  return { topic, partition, ...addBatches(records ?? Buffer.alloc(0)) };
}

/**
 * What a record takes in the log of each partition, with its share of the batch around it and compressed as it is: one
 * small fetch at the end of the log, of batch headers. Times the offsets that are written in a second it is the write
 * rate, also where compaction or transactions make the size over the range of offsets a wrong measure.
 */
export async function tailBytesPerOffset(
  ask: Ask,
  partitions: readonly ReadablePartition[],
): Promise<PartitionTail[]> {
  const readable = partitions.filter(({ earliest, latest }) => latest > earliest).map(beginOf);
  if (readable.length === 0) return [];
  const call = supported(await ask.versions(), [fetchV12]);
  const fetched = await askLeaders(ask, { partitions: readable, perRequest }, (leader, some) =>
    ask.broker(leader, call, some),
  );
  return fetched
    .filter(({ records }) => records > 0)
    .map(({ topic, partition, bytes, records }) => ({ topic, partition, bytesPerOffset: bytes / records }));
}

const beginOf = ({ topic, partition, earliest, latest }: ReadablePartition): Wanted => {
  const from = latest - tail.offsets;
  return { topic, partition, from: from > earliest ? from : earliest };
};

import { Writer, createAPI } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { askLeaders } from './leaders.ts';
import { type TopicPartition, byTopic, partitionsPerRequest, readByTopic } from './partitions.ts';
import { supported } from './versions.ts';

export interface PartitionOffset extends TopicPartition {
  readonly offset: bigint;
}

/** Stands for a time in ListOffsets. */
const positions = { latest: -1n, earliest: -2n } as const;

export type OffsetPosition = keyof typeof positions;

/** ListOffsets version 6 (Kafka 2.8). Partitions that the broker does not lead, or has no longer, are left out. */
const listOffsetsV6 = createAPI<
  [position: OffsetPosition, partitions: readonly TopicPartition[]],
  PartitionOffset[]
>(
  2,
  6,
  (position: OffsetPosition, partitions: readonly TopicPartition[]) =>
    Writer.create()
      .appendInt32(-1)
      .appendInt8(0)
      .appendArray(byTopic(partitions), (topic, { topic: name, partitions: some }) => {
        topic.appendString(name).appendArray(some, (one, { partition }) => {
          one.appendInt32(partition).appendInt32(-1).appendInt64(positions[position]);
        });
      })
      .appendTaggedFields(),
  (_correlationId, _key, _version, reader) => {
    reader.readInt32();
    return readByTopic(reader, (one, topic) => {
      const partition = one.readInt32();
      const error = one.readInt16();
      one.readInt64();
      const offset = one.readInt64();
      one.readInt32();
      return { topic, partition, offset: error === 0 ? offset : -1n };
    }).filter(({ offset }) => offset >= 0n);
  },
);

/** The high watermark (latest) or the first offset that is kept (earliest) of each partition that has a leader. */
export async function listOffsets(
  ask: Ask,
  position: OffsetPosition,
  partitions: readonly TopicPartition[],
): Promise<PartitionOffset[]> {
  if (partitions.length === 0) return [];
  const call = supported(await ask.versions(), [listOffsetsV6]);
  return askLeaders(ask, { partitions, perRequest: partitionsPerRequest }, (leader, some) =>
    ask.broker(leader, call, position, some),
  );
}

import { Writer, createAPI, listGroupsV4 } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { describeCluster } from './cluster.ts';
import type { PartitionOffset } from './offsets.ts';
import { chunksOf, readByTopic } from './partitions.ts';
import { supported } from './versions.ts';

/** How far a consumer group says that it has read. */
export interface GroupOffsets {
  readonly group: string;
  readonly offsets: readonly PartitionOffset[];
}

const groupsPerRequest = 100;

/** OffsetFetch version 8 (Kafka 3.0), the first that asks for several groups; all that each has committed. */
const offsetFetchV8 = createAPI<[groups: readonly string[]], GroupOffsets[]>(
  9,
  8,
  (groups: readonly string[]) =>
    Writer.create()
      .appendArray([...groups], (one, group) => {
        one.appendString(group).appendArray<never>(null, () => undefined);
      })
      .appendBoolean(false)
      .appendTaggedFields(),
  (_correlationId, _key, _version, reader) => {
    reader.readInt32();
    return reader
      .readArray((one) => {
        const group = one.readString();
        const offsets = readByTopic(one, (entry, topic) => {
          const partition = entry.readInt32();
          const offset = entry.readInt64();
          entry.readInt32();
          entry.readNullableString();
          return { topic, partition, offset: entry.readInt16() === 0 ? offset : -1n };
        });
        const refused = one.readInt16() !== 0;
        return { group, refused, offsets: offsets.filter(({ offset }) => offset >= 0n) };
      })
      .filter(({ refused }) => !refused)
      .map(({ group, offsets }) => ({ group, offsets }));
  },
);

/**
 * Committed offsets of all groups, each asked of its coordinator. Left out are share groups, which commit nothing, and
 * groups whose coordinator changes at this moment.
 */
export async function committedOffsets(ask: Ask): Promise<GroupOffsets[]> {
  const versions = await ask.versions();
  const fetch = supported(versions, [offsetFetchV8]);
  const { brokers } = await describeCluster(ask);
  const found = await Promise.all(
    brokers
      .filter(({ fenced }) => fenced !== true)
      .map(async ({ id }) => {
        const { groups } = await ask.broker(id, supported(versions, [listGroupsV4.api]), [], []);
        const ids = groups.map(({ groupId }) => groupId);
        const offsets: GroupOffsets[] = [];
        for (const some of chunksOf(ids, groupsPerRequest))
          offsets.push(...(await ask.broker(id, fetch, some)));
        return offsets;
      }),
  );
  return found.flat();
}

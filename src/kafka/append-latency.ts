import { Writer, createAPI, offsetCommitV8 } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { ping } from './broker-view.ts';
import { describeCluster } from './cluster.ts';
import type { Address } from './connections.ts';
import { KafkaError } from './errors.ts';
import { reasonOf } from './partitions.ts';
import { describeTopics } from './topics.ts';
import { supported } from './versions.ts';

/** How long one write took on the leader of a partition until all its in-sync replicas had it. */
export interface AppendLatency {
  readonly broker: number;
  readonly ms: number;
}

/** Calls for facts, and calls over connections of their own: a broker answers one request of a connection at a time. */
export interface Probe {
  readonly ask: Ask;
  readonly alone: Ask;
}

/** What takes longer counts as this long. */
export const longestAppendMs = 2_000;

const offsetsTopic = '__consumer_offsets';
const prefix = '__kafka-warden-latency-';
/** Names that are tried for each partition. */
const namesPerPartition = 50;
const noMember = { generation: -1, member: '' };

/** Where Kafka keeps the offsets of a group (`partitionFor` of the coordinator): the hash of a Java string without its sign. */
export function partitionOfGroup(group: string, partitions: number): number {
  let hash = 0;
  for (let at = 0; at < group.length; at++) hash = (Math.imul(31, hash) + group.charCodeAt(at)) | 0;
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitions;
}

/** One name for each partition of the offsets topic, always the same: what is removed need not be remembered. */
export function latencyGroups(partitions: number): ReadonlyMap<number, string> {
  const groups = new Map<number, string>();
  for (let n = 0; groups.size < partitions && n < partitions * namesPerPartition; n++) {
    const group = `${prefix}${n.toString(36)}`;
    const partition = partitionOfGroup(group, partitions);
    if (!groups.has(partition)) groups.set(partition, group);
  }
  return groups;
}

interface Place {
  readonly leader: number;
  readonly partition: number;
  readonly group: string;
}

/** Read off the metadata: to ask for a coordinator would have Kafka create the topic. */
async function placesIn(ask: Ask): Promise<Place[]> {
  const [topic] = await describeTopics(ask, [offsetsTopic]);
  if (topic === undefined) return [];
  const groups = latencyGroups(topic.partitions.length);
  return topic.partitions.flatMap(({ index, leader }) => {
    const group = groups.get(index);
    return group === undefined ? [] : [{ leader, partition: index, group }];
  });
}

/**
 * Commits an offset on each of the brokers that leads a partition of the offsets topic. Such a commit is a write with acks=all
 * (`offsets.commit.required.acks`; by the coordinator of 4.0 answered when the high watermark has passed it). Brokers that refuse it, such as a
 * leader that has just changed, are left out; without an offsets topic all are. Throws where every broker refuses.
 */
export async function appendLatency(
  { ask, alone }: Probe,
  brokers: readonly number[],
): Promise<AppendLatency[]> {
  const places = await placesIn(ask);
  if (places.length === 0) return [];
  const { brokers: known } = await describeCluster(ask);
  const commit = supported(await ask.versions(), [offsetCommitV8.api]);
  const write = async (address: Address, { group, partition }: Place): Promise<number> => {
    const { generation, member } = noMember;
    const offset = { committedOffset: 0n, committedLeaderEpoch: -1, committedMetadata: 'kafka-warden' };
    const topics = [{ name: offsetsTopic, partitions: [{ partitionIndex: partition, ...offset }] }];
    return timed(alone, address, () => alone.at(address, commit, group, generation, member, null, topics));
  };
  const asked = known.flatMap((broker) => {
    const place = places.find(({ leader }) => leader === broker.id);
    return place !== undefined && brokers.includes(broker.id) ? [{ broker, place }] : [];
  });
  const outcomes = await Promise.allSettled(
    asked.map(async ({ broker, place }) => ({ broker: broker.id, ms: await write(broker, place) })),
  );
  const measured = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = outcomes.find((one) => one.status === 'rejected');
  if (measured.length === 0 && refused !== undefined) throw refused.reason;
  return measured;
}

/** An answer that does not come counts as long as it was waited for; one that was not waited for says nothing. */
async function timed(alone: Ask, address: Address, write: () => Promise<unknown>): Promise<number> {
  let startedAtMs = performance.now();
  try {
    // Opens the connection where there is none.
    await ping(alone, address);
    startedAtMs = performance.now();
    await write();
    return Math.min(longestAppendMs, performance.now() - startedAtMs);
  } catch (error) {
    const waited = performance.now() - startedAtMs >= longestAppendMs;
    if (waited && error instanceof KafkaError && error.code === 'kafka-timeout') return longestAppendMs;
    throw error;
  }
}

/** DeleteGroups version 2 (Kafka 2.4). The library's own refuses the whole answer for one group that does not exist. */
const deleteGroupsV2 = createAPI<[groups: readonly string[]], { group: string; error: number }[]>(
  42,
  2,
  (groups: readonly string[]) =>
    Writer.create()
      .appendArray([...groups], (one, group) => one.appendString(group), true, false)
      .appendTaggedFields(),
  (_correlationId, _key, _version, reader) => {
    reader.readInt32();
    return reader.readArray((one) => ({ group: one.readString(), error: one.readInt16() }));
  },
);

const isLeft = ({ error }: { error: number }): boolean =>
  error !== 0 && reasonOf(error) !== 'GROUP_ID_NOT_FOUND';

/**
 * Removes the groups of `appendLatency`, whichever process made them. Throws where one may be left; Kafka forgets that one after
 * `offsets.retention.minutes` (a week).
 */
export async function removeLatencyGroups({ ask, alone }: Probe): Promise<void> {
  const places = await placesIn(ask);
  if (places.length === 0) return;
  const { brokers } = await describeCluster(ask);
  const remove = supported(await ask.versions(), [deleteGroupsV2]);
  const leaders = [...new Set(places.map(({ leader }) => leader))];
  const outcomes = await Promise.allSettled(
    leaders.map(async (leader) => {
      const broker = brokers.find(({ id }) => id === leader);
      const groups = places.filter((place) => place.leader === leader).map(({ group }) => group);
      if (broker === undefined) throw new KafkaError('kafka-unreachable', `Broker ${leader} is away`);
      const left = (await alone.at(broker, remove, groups)).find(isLeft);
      if (left === undefined) return;
      const reason = reasonOf(left.error);
      const problem = `Group ${left.group} could not be removed: ${reason}`;
      throw new KafkaError('kafka-refused', problem, { reason, mayPassLater: true });
    }),
  );
  const failed = outcomes.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

import { Writer, createAPI } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { type PartitionOutcome, type TopicPartition, byTopic, inRequests } from './partitions.ts';
import { readOutcomes } from './reassignments.ts';
import { throwIfElsewhere, throwIfRefused } from './refused.ts';
import { supported } from './versions.ts';

const preferred = 0;
const timeoutMs = 5_000;

/** ElectLeaders version 2 (KIP-460 and flexible fields, Kafka 2.4). */
const electLeadersV2 = createAPI<[partitions: readonly TopicPartition[]], PartitionOutcome[]>(
  43,
  2,
  (partitions: readonly TopicPartition[]) =>
    Writer.create()
      .appendInt8(preferred)
      .appendArray(byTopic(partitions), (topic, { topic: name, partitions: some }) => {
        topic
          .appendString(name)
          .appendArray(some, (one, { partition }) => one.appendInt32(partition), true, false);
      })
      .appendInt32(timeoutMs)
      .appendTaggedFields(),
  (_correlationId, key, version, reader) => {
    reader.readInt32();
    throwIfRefused({ key, version }, reader.readInt16(), null);
    const outcomes = readOutcomes(reader);
    // In ZooKeeper mode a broker that is not the controller says so of each partition, not of the call.
    throwIfElsewhere({ key, version }, outcomes);
    return outcomes;
  },
);

/**
 * Makes the first replica of each partition its leader. One that leads already counts as done; one that is not in sync
 * is refused with `PREFERRED_LEADER_NOT_AVAILABLE`.
 */
export async function electPreferredLeaders(
  ask: Ask,
  partitions: readonly TopicPartition[],
): Promise<PartitionOutcome[]> {
  if (partitions.length === 0) return [];
  const call = supported(await ask.versions(), [electLeadersV2]);
  const outcomes = await inRequests(partitions, (some) => ask.controller(call, some));
  return outcomes.map((outcome) =>
    outcome.error?.reason === 'ELECTION_NOT_NEEDED'
      ? { topic: outcome.topic, partition: outcome.partition }
      : outcome,
  );
}

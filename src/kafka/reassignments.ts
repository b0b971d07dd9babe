import { type API, type Reader, Writer, createAPI, listPartitionReassignmentsV0 } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import {
  type PartitionOutcome,
  type TopicPartition,
  byTopic,
  chunksOf,
  inRequests,
  outcomeOf,
  partitionsPerRequest,
  refusalOf,
  readByTopic,
} from './partitions.ts';
import { throwIfRefused } from './refused.ts';
import { supported } from './versions.ts';

/** A partition that Kafka moves: `replicas` are all that it has now, those to be added and removed among them. */
export interface OngoingReassignment extends TopicPartition {
  readonly replicas: readonly number[];
  readonly adding: readonly number[];
  readonly removing: readonly number[];
}

/** `null` cancels (KIP-455). */
export interface ReassignmentChange extends TopicPartition {
  readonly replicas: readonly number[] | null;
}

const timeoutMs = 5_000;

/** All that are under way, or those of the given partitions. In ZooKeeper mode only the controller knows. */
export async function listReassignments(
  ask: Ask,
  partitions?: readonly TopicPartition[],
): Promise<OngoingReassignment[]> {
  const parts = partitions === undefined ? [null] : chunksOf(partitions, partitionsPerRequest);
  const ongoing: OngoingReassignment[] = [];
  for (const part of parts) {
    const wanted =
      part === null
        ? null
        : byTopic(part).map((one) => ({
            name: one.topic,
            partitionIndexes: one.partitions.map(({ partition }) => partition),
          }));
    const { topics } = await ask.controller(listPartitionReassignmentsV0.api, timeoutMs, wanted);
    for (const { name, partitions: found } of topics) {
      for (const { partitionIndex, replicas, addingReplicas, removingReplicas } of found) {
        const lists = { replicas, adding: addingReplicas, removing: removingReplicas };
        ongoing.push({ topic: name, partition: partitionIndex, ...lists });
      }
    }
  }
  return ongoing;
}

/**
 * Starts, replaces and cancels reassignments. Version 1 (KIP-860, Kafka 4.1) refuses those that would change the
 * replication factor; before it nothing does, so the caller has to.
 */
export async function alterReassignments(
  ask: Ask,
  changes: readonly ReassignmentChange[],
): Promise<PartitionOutcome[]> {
  if (changes.length === 0) return [];
  const call = supported(await ask.versions(), alterCalls);
  return inRequests(changes, (some) => ask.controller(call, some));
}

type Alter = API<[changes: readonly ReassignmentChange[]], PartitionOutcome[]>;

const alterCalls: Alter[] = [1, 0].map((version) =>
  createAPI(
    45,
    version,
    (changes: readonly ReassignmentChange[]) => alterRequest(version, changes),
    (_correlationId, _key, _version, reader) => readAlter(version, reader),
  ),
);

function alterRequest(version: number, changes: readonly ReassignmentChange[]): Writer {
  const writer = Writer.create().appendInt32(timeoutMs);
  if (version >= 1) writer.appendBoolean(false);
  return writer
    .appendArray(byTopic(changes), (topic, { topic: name, partitions }) => {
      topic.appendString(name).appendArray(partitions, (one, { partition, replicas }) => {
        const list = replicas === null ? null : [...replicas];
        one.appendInt32(partition).appendArray(list, (w, id) => w.appendInt32(id), true, false);
      });
    })
    .appendTaggedFields();
}

function readAlter(version: number, reader: Reader): PartitionOutcome[] {
  reader.readInt32();
  if (version >= 1) reader.readBoolean();
  throwIfRefused({ key: 45, version }, reader.readInt16(), reader.readNullableString());
  return readOutcomes(reader);
}

/** Topics, each with partitions, each with an error; how this answer and that of ElectLeaders list them. */
export function readOutcomes(reader: Reader): PartitionOutcome[] {
  return readByTopic(reader, (one, topic) => {
    const partition = one.readInt32();
    return outcomeOf({ topic, partition }, refusalOf(one.readInt16(), one.readNullableString()));
  });
}

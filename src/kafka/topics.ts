import { type API, type Reader, Writer, createAPI } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { reasonOf } from './partitions.ts';
import { throwIfRefused } from './refused.ts';
import { supported } from './versions.ts';

export interface Partition {
  readonly index: number;
  /** -1 where there is none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offline: readonly number[];
}

export interface Topic {
  readonly name: string;
  readonly internal: boolean;
  readonly partitions: readonly Partition[];
}

type Describe = API<[names: readonly string[] | undefined], Topic[]>;

/**
 * Metadata versions 12 (Kafka 3.1) and 11. The library's own refuse the whole answer where one partition has no leader,
 * which is when it is needed most.
 */
const calls: Describe[] = [12, 11].map((version) =>
  createAPI<[names: readonly string[] | undefined], Topic[]>(3, version, metadataRequest, readMetadata),
);

function metadataRequest(names: readonly string[] | undefined): Writer {
  return Writer.create()
    .appendArray(names === undefined ? null : [...names], (one, name) => {
      one.appendUUID(null).appendString(name);
    })
    .appendBoolean(false)
    .appendBoolean(false)
    .appendTaggedFields();
}

/** A topic that does not exist, or of which a broker knows no partition yet. */
const absent = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

function readMetadata(_correlationId: number, key: number, version: number, reader: Reader): Topic[] {
  reader.readInt32();
  reader.readArray((broker) => {
    broker.readInt32();
    broker.readString();
    broker.readInt32();
    broker.readNullableString();
  });
  reader.readNullableString();
  reader.readInt32();
  return reader
    .readArray((one) => {
      const error = one.readInt16();
      const name = one.readString();
      one.readUUID();
      const internal = one.readBoolean();
      const partitions = one.readArray(readPartition);
      one.readInt32();
      if (absent.has(reasonOf(error))) return [];
      throwIfRefused({ key, version }, error, name);
      return [{ name, internal, partitions }];
    })
    .flat();
}

/** The error of a partition says no more than that it has no leader, which the leader -1 says too. */
function readPartition(reader: Reader): Partition {
  reader.readInt16();
  const index = reader.readInt32();
  const leader = reader.readInt32();
  reader.readInt32();
  const [replicas, isr, offline] = [readIds(reader), readIds(reader), readIds(reader)];
  return { index, leader, replicas, isr, offline };
}

const readIds = (reader: Reader): number[] => reader.readArray((one) => one.readInt32(), true, false);

/**
 * Topics and their in-sync replicas as one broker knows them; it may lag behind the controller. Names that do not exist are
 * left out.
 */
export async function describeTopics(ask: Ask, names?: readonly string[]): Promise<Topic[]> {
  return ask.any(supported(await ask.versions(), calls), names);
}

/** Partitions of which a replica is not in sync. */
export const underReplicated = (topics: readonly Topic[]): { topic: string; partition: number }[] =>
  topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ replicas, isr }) => isr.length < replicas.length)
      .map(({ index }) => ({ topic: name, partition: index })),
  );

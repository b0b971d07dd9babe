import { type API, type Reader, Writer, createAPI } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import {
  type PartitionOutcome,
  type TopicPartition,
  byTopic,
  inRequests,
  outcomeOf,
  readByTopic,
  reasonOf,
  refusalOf,
} from './partitions.ts';
import { throwIfRefused } from './refused.ts';
import { supported } from './versions.ts';

export interface LogDirReplica extends TopicPartition {
  /** Local segments only: no indexes, no deleted segments, nothing in tiered storage. */
  readonly sizeBytes: number;
  /** A copy that will replace the current one, while the replica moves between directories. */
  readonly future: boolean;
}

/** One log directory of a broker. */
export interface LogDir {
  readonly path: string;
  /** Kafka's name of what is wrong; the directory is offline then, and lists nothing. */
  readonly error?: string;
  /** Size of the file system, and what of it is free (KIP-827, Kafka 3.3); absent where they are not known. */
  readonly totalBytes?: number;
  readonly usableBytes?: number;
  readonly replicas: readonly LogDirReplica[];
}

/** A replica of one broker, and the absolute path of the log directory that it is to lie in. */
export interface ReplicaPlace extends TopicPartition {
  readonly path: string;
}

type Describe = API<[], LogDir[]>;

/** Version 3 adds an error of the whole answer, version 4 the sizes of file systems. */
const calls: Describe[] = [4, 3, 2].map((version) =>
  createAPI<[], LogDir[]>(
    35,
    version,
    () =>
      Writer.create()
        .appendArray<never>(null, () => undefined)
        .appendTaggedFields(),
    (_correlationId, _key, _version, reader) => {
      reader.readInt32();
      if (version >= 3) throwIfRefused({ key: 35, version }, reader.readInt16(), null);
      return reader.readArray((dir) => readLogDir(dir, version));
    },
  ),
);

/** What lies in each log directory of a broker, as that broker says. */
export async function describeLogDirs(ask: Ask, broker: number): Promise<LogDir[]> {
  return ask.broker(broker, supported(await ask.versions(), calls));
}

/** AlterReplicaLogDirs version 2 (flexible fields). */
const alterReplicaLogDirsV2 = createAPI<[places: readonly ReplicaPlace[]], PartitionOutcome[]>(
  34,
  2,
  (places: readonly ReplicaPlace[]) =>
    Writer.create()
      .appendArray([...Map.groupBy(places, ({ path }) => path)], (dir, [path, some]) => {
        dir.appendString(path).appendArray(byTopic(some), (topic, { topic: name, partitions }) => {
          topic
            .appendString(name)
            .appendArray(partitions, (one, { partition }) => one.appendInt32(partition), true, false);
        });
      })
      .appendTaggedFields(),
  (_correlationId, _key, _version, reader) => {
    reader.readInt32();
    return readByTopic(reader, (one, topic) => {
      const partition = one.readInt32();
      return outcomeOf({ topic, partition }, refusalOf(one.readInt16(), null));
    });
  },
);

/**
 * Has a broker copy replicas into other log directories of its own. One that is being copied elsewhere is begun anew; the
 * directory that it lies in ends a copy. A replica that the broker does not have is refused with `REPLICA_NOT_AVAILABLE`,
 * and is put there when it comes, unless the broker is restarted before (`ReplicaManager.alterReplicaLogDirs`).
 */
export async function alterReplicaLogDirs(
  ask: Ask,
  broker: number,
  places: readonly ReplicaPlace[],
): Promise<PartitionOutcome[]> {
  if (places.length === 0) return [];
  const call = supported(await ask.versions(), [alterReplicaLogDirsV2]);
  return inRequests(places, (some) => ask.broker(broker, call, some));
}

function readLogDir(reader: Reader, version: number): LogDir {
  const error = reader.readInt16();
  const path = reader.readString();
  const replicas = readByTopic(reader, readReplica);
  const sizes = version >= 4 ? readSizes(reader) : {};
  return { path, replicas, ...sizes, ...(error === 0 ? {} : { error: reasonOf(error) }) };
}

function readReplica(reader: Reader, topic: string): LogDirReplica {
  const partition = reader.readInt32();
  const sizeBytes = Number(reader.readInt64());
  reader.readInt64();
  return { topic, partition, sizeBytes, future: reader.readBoolean() };
}

/** -1 stands for a size that the broker does not know. */
function readSizes(reader: Reader): { totalBytes?: number; usableBytes?: number } {
  const total = Number(reader.readInt64());
  const usable = Number(reader.readInt64());
  return {
    ...(total < 0 ? {} : { totalBytes: total }),
    ...(usable < 0 ? {} : { usableBytes: usable }),
  };
}

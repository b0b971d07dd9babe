import { metadataV11, metadataV12 } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
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

/** Topics and their in-sync replicas as one broker knows them; it may lag behind the controller. */
export async function describeTopics(ask: Ask, names?: readonly string[]): Promise<Topic[]> {
  const call = supported(await ask.versions(), [metadataV12.api, metadataV11.api]);
  const { topics } = await ask.any(call, names === undefined ? null : [...names], false, false);
  return topics.flatMap(({ name, isInternal, errorCode, partitions }) => {
    if (name == null || errorCode !== 0) return [];
    const facts = partitions.map((partition) => ({
      index: partition.partitionIndex,
      leader: partition.leaderId,
      replicas: partition.replicaNodes,
      isr: partition.isrNodes,
      offline: partition.offlineReplicas,
    }));
    return [{ name, internal: isInternal, partitions: facts }];
  });
}

/** Partitions of which a replica is not in sync. */
export const underReplicated = (topics: readonly Topic[]): { topic: string; partition: number }[] =>
  topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ replicas, isr }) => isr.length < replicas.length)
      .map(({ index }) => ({ topic: name, partition: index })),
  );

import { describeQuorumV1 } from '@platformatic/kafka';
import type { Ask } from './ask.ts';

/** A voter or observer of the metadata quorum; times are the leader's clock in milliseconds, -1 where unknown. */
export interface QuorumReplica {
  readonly id: number;
  readonly logEndOffset: bigint;
  readonly lastFetchMs: number;
  readonly lastCaughtUpMs: number;
}

export interface Quorum {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: bigint;
  readonly voters: readonly QuorumReplica[];
  readonly observers: readonly QuorumReplica[];
}

interface WireReplica {
  replicaId: number;
  logEndOffset: bigint;
  lastFetchTimestamp: bigint;
  lastCaughtUpTimestamp: bigint;
}

const replica = (wire: WireReplica): QuorumReplica => ({
  id: wire.replicaId,
  logEndOffset: wire.logEndOffset,
  lastFetchMs: Number(wire.lastFetchTimestamp),
  lastCaughtUpMs: Number(wire.lastCaughtUpTimestamp),
});

/** The metadata quorum as its leader sees it (DescribeQuorum version 1, KIP-836). */
export async function describeQuorum(ask: Ask): Promise<Quorum> {
  const { topics } = await ask.any(describeQuorumV1.api, [
    { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] },
  ]);
  const partition = topics[0]?.partitions[0];
  return {
    leaderId: partition?.leaderId ?? -1,
    leaderEpoch: partition?.leaderEpoch ?? -1,
    highWatermark: partition?.highWatermark ?? -1n,
    voters: (partition?.currentVoters ?? []).map(replica),
    observers: (partition?.observers ?? []).map(replica),
  };
}

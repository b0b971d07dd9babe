import type { FencedSince, IsrHistory } from './isr-history.ts';
import type { PartitionTable } from './partitions.ts';
import type { RecordKnown } from './record.ts';

/**
 * All that a verdict may be built on. Every `…AtMs` is the reader's own clock (milliseconds); only the times inside
 * `QuorumEvidence.members` are the quorum leader's. What could not be read is left out, and what is left out is a no.
 */
export interface Evidence {
  readonly mode: 'kraft' | 'zookeeper';
  /** Left out in ZooKeeper mode, which has no quorum to describe. */
  readonly quorum?: QuorumEvidence;
  /** All views count: a candidate needs two from other brokers, so three serve every candidate. Read after the quorum. */
  readonly views: readonly MetadataView[];
  readonly pings: ReadonlyMap<number, Ping>;
  readonly minIsr?: MinIsr;
  readonly settings: ReadonlyMap<number, BrokerSettings>;
  readonly history?: IsrHistory;
  /** Every broker and controller pod of the cluster. */
  readonly pods: readonly PodFacts[];
  /** Names of pods that a StatefulSet of the cluster asks for and that are not there. */
  readonly missingPods: readonly string[];
  readonly record: RecordKnown;
  /** Replicas being copied or caught up, for the message only: no verdict depends on them. */
  readonly catchingUp: readonly CatchingUp[];
}

/** Evidence but for the partitions: what they say of a broker stands in a scan. */
export interface Grounds extends Omit<Evidence, 'views' | 'history'> {
  readonly views: readonly ViewHead[];
}

/** DescribeQuorum version 1 or later, answered by the active controller (KIP-836). */
export interface QuorumEvidence {
  readonly readAtMs: number;
  readonly leaderId: number;
  readonly highWatermark: bigint;
  readonly voters: readonly QuorumMember[];
  /** Brokers that follow the metadata without a vote. */
  readonly observers: readonly QuorumMember[];
}

/** Times in the leader's clock, -1 where unknown. The leader's own entry carries the moment of the answer in both. */
export interface QuorumMember {
  readonly id: number;
  readonly lastFetchMs: number;
  readonly lastCaughtUpMs: number;
}

/** What one broker's metadata cache shows, but for the partitions. */
export interface ViewHead {
  /** Who answered. */
  readonly broker: number;
  readonly readAtMs: number;
  /** How far the answering broker has read the metadata log (its log end offset in DescribeQuorum). KRaft only. */
  readonly metadataOffset?: bigint;
  /** Who the answering broker says is controller. Needed in ZooKeeper mode only. */
  readonly controllerId?: number;
  /** Brokers that this one shows as fenced or not at all, and since when; kept by `followFenced`. */
  readonly fencedSinceMs: FencedSince;
}

/** The cluster as one broker's metadata cache shows it. */
export interface MetadataView extends ViewHead {
  readonly partitions: PartitionTable;
}

/** ApiVersions on the listener INTERNAL. */
export interface Ping {
  readonly sentAtMs: number;
  /** Left out when no answer came in time. */
  readonly tookMs?: number;
}

export interface MinIsr {
  readonly readAtMs: number;
  /** Topic → its own min.insync.replicas, or null where the default holds. A topic that is missing is unknown. */
  readonly byTopic: ReadonlyMap<string, number | null>;
  /** Broker → its default. The highest counts where brokers differ. */
  readonly defaults: ReadonlyMap<number, number>;
}

export interface BrokerSettings {
  /** replica.lag.time.max.ms */
  readonly replicaLagTimeMaxMs: number;
  /** broker.session.timeout.ms; in ZooKeeper mode zookeeper.session.timeout.ms. */
  readonly sessionTimeoutMs: number;
}

export interface PodFacts {
  readonly name: string;
  readonly uid: string;
  /** Carries the label of brokers and controllers of this cluster. */
  readonly member: boolean;
  /** node.id; left out where it is not known. */
  readonly nodeId?: number;
  readonly broker: boolean;
  readonly controller: boolean;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  /** Has a deletionTimestamp. */
  readonly terminating: boolean;
  readonly ready: boolean;
  /** Whether Kafka's container has ever been started in this pod. */
  readonly everStarted: boolean;
  /** Left out while the pod has no node, or that node is not known. */
  readonly node?: {
    readonly cordoned: boolean;
    readonly tainted: boolean;
    /** The Node object is no longer there. */
    readonly gone: boolean;
  };
  /** A person has annotated this pod: let it go whatever is known. */
  readonly override: boolean;
}

export interface CatchingUp {
  readonly broker: number;
  readonly bytesLeft?: number;
  readonly secondsLeft?: number;
}

/** How old evidence may be, and how long something must have lasted; derived from what the brokers are set to. */
export interface Limits {
  /** Of the quorum, views, pings, and of fetches in the leader's clock. */
  readonly freshMs: number;
  /** Of min.insync.replicas and the pods' own settings. */
  readonly configMs: number;
  /** How long a critical ISR must have been unchanged. */
  readonly stableMs: number;
  /** How long two views must have shown a broker fenced. */
  readonly fencedMs: number;
}

/**
 * The limits for a set of brokers (`kafka-semantics` A3, B3). The quorum appends every 500 ms, so 2 s is four misses; a
 * session shorter than the default 9 s tightens that in proportion, a longer one does not loosen it. A stuck fetcher stays
 * in the ISR for up to 1.5 × replica.lag.time.max.ms, as that is checked every half of it.
 */
export function limitsOf(settings: Iterable<BrokerSettings>): Limits {
  let [lag, shortest, longest] = [0, 9_000, 0];
  for (const { replicaLagTimeMaxMs, sessionTimeoutMs } of settings) {
    lag = Math.max(lag, replicaLagTimeMaxMs);
    shortest = Math.min(shortest, sessionTimeoutMs);
    longest = Math.max(longest, sessionTimeoutMs);
  }
  return {
    freshMs: Math.round((2 / 9) * shortest),
    configMs: 60_000,
    stableMs: 1.5 * lag,
    fencedMs: Math.max(30_000, longest),
  };
}

/** The moment of the answer in the leader's own clock, or undefined where it cannot be told. */
export function leaderClock({ leaderId, voters }: QuorumEvidence): number | undefined {
  const own = voters.find(({ id }) => id === leaderId);
  return own === undefined || own.lastFetchMs < 0 ? undefined : own.lastFetchMs;
}

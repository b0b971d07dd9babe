import type { GroupOffsets, LogDir, OngoingReassignment, Topic } from '../kafka/index.ts';

/** A broker that is in the cluster and not fenced. */
export interface BrokerSample {
  readonly id: number;
  readonly rack: string | undefined;
  /** Absent where the broker did not answer. */
  readonly dirs: readonly LogDir[] | undefined;
}

/** What a cluster said at one moment. Maps are by `partitionKey`. */
export interface ClusterSample {
  /** When the offsets were read, by a clock that never goes back. */
  readonly takenAtMs: number;
  readonly brokers: readonly BrokerSample[];
  readonly topics: readonly Topic[];
  readonly reassignments: readonly OngoingReassignment[];
  /** The next offset of each partition that has a leader. */
  readonly latest: ReadonlyMap<string, bigint>;
  /** What an offset takes at the end of the log, of partitions that were seen to be written. */
  readonly bytesPerOffset: ReadonlyMap<string, number>;
  /** Absent where it was not asked for. */
  readonly committed: readonly GroupOffsets[] | undefined;
  /** What could not be asked, in words. */
  readonly problems: readonly string[];
}

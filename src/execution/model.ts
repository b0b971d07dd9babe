/** What a plan, the things seen in Kafka, the journal and the actions of an execution look like. Plain values, all of them. */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `orders-7`. */
export type PartitionKey = string;

/** In the place of a log directory: the broker may choose, or the replica stays where it lies. */
export const anyDirectory = 'any';

export const keyOf = ({ topic, partition }: TopicPartition): PartitionKey => `${topic}-${partition}`;

/** One partition of a plan: the assignment that it was made for, and the planned one. The first replica is to lead. */
export interface Move extends TopicPartition {
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Of one replica, as the plan knew it. */
  readonly sizeBytes: number;
  /** Log directory of each replica of `to`, `any` for those without; absent: any for all. */
  readonly toDirs?: readonly string[];
}

export interface Plan {
  readonly hash: string;
  readonly moves: readonly Move[];
}

export interface PartitionState {
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** -1 where there is none. */
  readonly leader: number;
  readonly seenAtMs: number;
}

export interface Ongoing extends TopicPartition {
  readonly replicas: readonly number[];
  readonly adding: readonly number[];
  readonly removing: readonly number[];
}

export interface LogDirState {
  readonly path: string;
  /** Absent where Kafka does not report it (before 3.3). */
  readonly totalBytes?: number;
  readonly usableBytes?: number;
  readonly sizes: ReadonlyMap<PartitionKey, number>;
  /** Of copies that will replace the replica, which lies in another directory of the broker. */
  readonly futures: ReadonlyMap<PartitionKey, number>;
}

export interface DiskState {
  readonly seenAtMs: number;
  /** Directories that work. */
  readonly dirs: readonly LogDirState[];
}

/** One setting of one topic or broker. */
export interface ConfigRef {
  readonly type: 'topic' | 'broker';
  readonly name: string;
  readonly key: string;
}

export const configKey = ({ type, name, key }: ConfigRef): string => `${type}/${name}/${key}`;

/** The value that stands on the resource itself (null: none), or that the resource is gone. */
export type ConfigSeen = { readonly value: string | null } | { readonly gone: true };

export interface BelowMinIsr extends TopicPartition {
  readonly inSync: number;
  readonly minIsr: number;
  /** Its replicas on brokers that are away. */
  readonly away: readonly number[];
}

/** An action, or one partition or setting of it, that Kafka or the way to it refused. */
export interface Failure {
  readonly move?: number;
  /** Where it is about a log directory of this broker. */
  readonly broker?: number;
  readonly config?: ConfigRef;
  readonly reason: string;
  readonly message: string;
  readonly mayPassLater: boolean;
}

/** One look at Kafka. Everything that changes by itself is in here, time included. */
export interface Seen {
  readonly nowMs: number;
  /** Brokers that are registered and not fenced. */
  readonly alive: ReadonlySet<number>;
  /** Brokers that have replicas or are named in the plan, and are not alive. */
  readonly away: readonly number[];
  /** Of the plan; a partition that is not in here does not exist. */
  readonly partitions: ReadonlyMap<PartitionKey, PartitionState>;
  /** Every reassignment in the cluster, read before the partitions. */
  readonly ongoing: readonly Ongoing[];
  /** `min.insync.replicas` of the plan's topics. */
  readonly minIsr: ReadonlyMap<string, number>;
  /** Of all the cluster's partitions, the plan's or not. */
  readonly belowMinIsr: readonly BelowMinIsr[];
  /** How many partitions of the cluster have a replica out of sync that no reassignment is adding. */
  readonly outOfSync: number;
  readonly disks: ReadonlyMap<number, DiskState>;
  /** What `wanted` asked for, by `configKey`; what could not be read is not in here. */
  readonly configs: ReadonlyMap<string, ConfigSeen>;
  /** Bytes a second that producers write to one partition. */
  readonly writeRates?: ReadonlyMap<PartitionKey, number>;
  /** How long writes take until all in-sync replicas have them, on the slowest broker. */
  readonly produceLatency?: { readonly broker: number; readonly ms: number };
  /** Of the actions of the last look; nothing after a restart. */
  readonly failures: readonly Failure[];
  /** Whether settings of brokers that are away can be written at the controllers. */
  readonly throughControllers: boolean;
  /** What the controllers have taken since the last look, by `configKey`. They show nobody's settings, so it counts as read. */
  readonly acknowledged?: ReadonlyMap<string, string | null>;
}

export interface Throttle {
  readonly floorBytesPerSecond: number;
  readonly ceilingBytesPerSecond: number;
}

export interface Limits {
  /** Of all copies under way; one larger partition may go alone. */
  readonly batchBytes: number;
  /** Copies under way into one broker, and as many out of one leader; of small ones up to ten times as many. */
  readonly movesPerBroker: number;
  /** Absent: Kafka's throttles are not touched. */
  readonly throttle?: Throttle;
  /** Share of each disk that no copy may take. */
  readonly diskReserve: number;
  /** Copies also where the broker does not say how much room it has. */
  readonly allowUnknownDisks: boolean;
  /** Brokers that may be away while others are filled: those that the plan empties. */
  readonly mayBeAway: readonly number[];
  /** The rate is halved where writes take this long, and so many times as long as before the plan began. */
  readonly produceLatencyLimitMs?: number;
  readonly produceLatencyTimes?: number;
  /** How long something unexpected must stand before it is believed: answers of brokers lag behind the controller. */
  readonly settleMs: number;
  /** The oldest look at a partition on which it is moved. */
  readonly freshMs: number;
  /** The oldest look at a disk on which it is filled. */
  readonly diskFreshMs: number;
  readonly adaptEveryMs: number;
  /** How long moves wait for room while nothing else is under way, before they are refused. */
  readonly diskPatienceMs: number;
  /** How long planned leaders are elected again and again without any leader changing. */
  readonly electionPatienceMs: number;
}

export const defaultLimits: Limits = {
  batchBytes: 50 * 2 ** 30,
  movesPerBroker: 5,
  throttle: { floorBytesPerSecond: 10_000_000, ceilingBytesPerSecond: 100_000_000 },
  diskReserve: 0.15,
  allowUnknownDisks: false,
  mayBeAway: [],
  produceLatencyLimitMs: 100,
  produceLatencyTimes: 3,
  settleMs: 3_000,
  freshMs: 3_000,
  diskFreshMs: 15_000,
  adaptEveryMs: 15_000,
  diskPatienceMs: 600_000,
  electionPatienceMs: 60_000,
};

/**
 * A copy that has been chosen. `queued`: its throttles are being set. `submitted`: Kafka was told, or is being told.
 * `landed`: complete, but not yet in a look at the disks. `reverting`: being cancelled.
 */
export interface Copy {
  readonly move: number;
  readonly state: 'queued' | 'submitted' | 'landed' | 'reverting';
  /** The assignments before and after it. */
  readonly before: readonly number[];
  readonly target: readonly number[];
  /** The leader when it was chosen. */
  readonly source: number;
  readonly bytes: number;
  /** It has been seen in progress. */
  readonly seen?: true;
  /** A stop could not cancel it, since too few of the earlier replicas were in sync. */
  readonly held?: true;
  /** Since when Kafka shows neither it nor its result. */
  readonly oddSinceMs?: number;
  readonly landedAtMs?: number;
  /** Why it is reverted; absent: somebody asked to stop. */
  readonly because?: Refusal;
}

/**
 * A replica that is moved to another log directory of its broker. `queued`: its throttle is being set. `submitted`: the
 * broker was told, or is being told. `reverting`: being ended.
 */
export interface Relocation {
  readonly move: number;
  readonly broker: number;
  readonly state: 'queued' | 'submitted' | 'reverting';
  /** The directory that it lay in when it was chosen, and the planned one. */
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  /** When it was chosen, or when its broker was last told: only a look at the disk that began later counts. */
  readonly sinceMs: number;
  /** It has been seen in progress. */
  readonly seen?: true;
  /** Since when the broker shows neither it nor its result, or is away. */
  readonly oddSinceMs?: number;
  /** Why it is reverted; absent: somebody asked to stop. */
  readonly because?: Refusal;
}

/** A throttle setting that is not as it was, or is being changed. */
export interface LedgerEntry extends ConfigRef {
  /** What is put back; without ours, where somebody changed it meanwhile. */
  readonly before: string | null;
  /** The last value read that is ours, or `before`. */
  readonly written: string | null;
  /** What is being written. */
  readonly pending?: { readonly value: string | null };
  /** What was being written before that and was never read back: it may stand there, and is ours. */
  readonly sent?: readonly (string | null)[];
  /** Somebody else has set this rate since: it is theirs now. */
  readonly foreign?: true;
  readonly odd?: { readonly value: string | null; readonly sinceMs: number };
  readonly goneSinceMs?: number;
  /** Nothing has been written yet, and `before` is not certain. */
  readonly openedAtMs?: number;
}

export type RefusalCode =
  'cancelled-elsewhere' | 'drifted' | 'gone' | 'no-room' | 'refused-by-kafka' | 'replicas-differ-in-number';

export interface Refusal {
  readonly code: RefusalCode;
  readonly detail: string;
}

export interface Rate {
  readonly bytesPerSecond: number;
  readonly changedAtMs: number;
}

export type Phase = 'copying' | 'ordering' | 'electing' | 'relocating' | 'restoring' | 'ended';

/** What must survive a crash. Small: what is done and what is not is read off Kafka. */
export interface Journal {
  readonly schema: 1;
  readonly plan: string;
  readonly startedAtMs: number;
  readonly phase: Phase;
  readonly outcome?: 'done' | 'stopped' | 'drifted';
  readonly endedAtMs?: number;
  /** By broker, as they were at the start: they decide in which order replicas move. */
  readonly racks: Readonly<Record<string, string>>;
  readonly rate?: Rate;
  /** How long writes took on the slowest broker when nothing had been copied yet. */
  readonly produceLatencyBeforeMs?: number;
  readonly copies: readonly Copy[];
  readonly relocations?: readonly Relocation[];
  /** Refusals that Kafka's state does not show; drifted partitions are read off Kafka. */
  readonly refused: Readonly<Record<string, Refusal>>;
  /** Remains after the end with the settings of brokers that were away: debts. */
  readonly ledger: readonly LedgerEntry[];
  readonly stop?: {
    readonly askedAtMs: number;
    /** Moves whose copy was taken back, and moves whose copy had to be finished. */
    readonly reverted: readonly number[];
    readonly forward: readonly number[];
  };
  readonly noRoomSinceMs?: number;
  /** No room came free for what had not begun: all of it is refused. */
  readonly noRoom?: true;
  /** Since when nothing but a lack of room keeps replicas from the directories planned for them. */
  readonly noRoomInDirectorySinceMs?: number;
  /** Since when brokers show replicas in no directory. */
  readonly nowhereSinceMs?: number;
  /** Since when nothing is left to do but what has drifted. */
  readonly driftedSinceMs?: number;
  /** Elections: since when no leader has changed, how many were elsewhere then, and what was tried since. */
  readonly electing?: {
    readonly sinceMs: number;
    readonly left: number;
    readonly tried: number;
    readonly triedAtMs: number;
  };
  /** Partitions whose planned leader could not be elected, with the first ten and why. */
  readonly ledElsewhere?: { readonly count: number; readonly examples: readonly string[] };
}

export interface ConfigWrite extends ConfigRef {
  /** null removes it. */
  readonly value: string | null;
  readonly via: 'kafka' | 'controllers';
}

/** A replica of one broker, and the log directory that it is to lie in. */
export interface Place extends TopicPartition {
  readonly move: number;
  readonly broker: number;
  readonly path: string;
}

export interface Reassignment extends TopicPartition {
  readonly move: number;
  readonly replicas: readonly number[];
  /** Of new replicas: their brokers are told before. */
  readonly places?: readonly Place[];
}

export interface Cancellation extends TopicPartition {
  readonly move: number;
  /** What is cancelled leads to this; nothing else is. */
  readonly target: readonly number[];
}

export interface Election extends TopicPartition {
  readonly move: number;
}

export type Action =
  | { readonly kind: 'configs'; readonly writes: readonly ConfigWrite[] }
  | { readonly kind: 'reassign'; readonly partitions: readonly Reassignment[] }
  | { readonly kind: 'cancel'; readonly partitions: readonly Cancellation[] }
  | { readonly kind: 'elect'; readonly partitions: readonly Election[] }
  /** To other directories of their brokers. */
  | { readonly kind: 'relocate'; readonly partitions: readonly Place[] }
  /** To the directories that they lie in, which ends their copies. */
  | { readonly kind: 'keep-in-place'; readonly partitions: readonly Place[] };

export type NoticeCode =
  | 'below-min-isr'
  | 'broker-away'
  | 'debt'
  | 'disk'
  | 'foreign-config'
  | 'foreign-reassignment'
  | 'leader-elsewhere'
  | 'producers-wait'
  | 'replicas-behind'
  | 'stop-waits'
  | 'throttle-below-incoming'
  | 'throttle-not-set'
  | 'kafka-refused';

export interface Notice {
  readonly code: NoticeCode;
  readonly message: string;
}

export const sameOrder = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);

export const sameSet = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id) => b.includes(id));

export const without = (a: readonly number[], b: readonly number[]): number[] =>
  a.filter((id) => !b.includes(id));

/** What a reassignment leads to (KIP-455 lists target and leaving replicas together). */
export const targetOf = ({ replicas, removing }: Ongoing): number[] => without(replicas, removing);

import type { RecordKnown } from '../../gate/record.ts';
import type { MetadataMode } from '../../kafka/index.ts';
import type { KafkaRebalance } from '../rebalance/kafka-rebalance.ts';

/** A pod beyond its set's replicas, or what is left in Kafka of one that has gone. */
export interface Condemned {
  readonly set: string;
  readonly pod: string;
  readonly ordinal: number;
  /** Absent where no pod of that name is there. */
  readonly uid?: string;
  /** A voter of the quorum, which every node's configuration names. */
  readonly votes: boolean;
  /** Its broker, where Kafka knows one of it: listed under its name, or named by partitions and nobody else's. */
  readonly broker?: number;
}

/** One hardened StatefulSet, as far as scaling is concerned. */
export interface SetSeen {
  readonly name: string;
  readonly uid: string;
  readonly replicas: number;
  /** Serves clients: not a set of controllers alone. */
  readonly serves: boolean;
  /** Some of its pods are voters. */
  readonly votes: boolean;
  /** Value of the annotation `confirm-scale`. */
  readonly confirmed?: string;
}

/** What Kafka tells, in every view that was asked. */
export interface KafkaSeen {
  /** As many brokers as there have to be (two, where two serve) were asked, and all answered. */
  readonly agreed: boolean;
  readonly mode: MetadataMode;
  /** Replicas that any view shows, by broker; adding ones of reassignments too. */
  readonly replicas: ReadonlyMap<number, number>;
  /** Brokers that any view shows as not fenced. */
  readonly serving: ReadonlySet<number>;
  /** The largest replication factor, and up to three topics that have it; 0 without topics. */
  readonly most: { readonly replicas: number; readonly topics: readonly string[] };
}

/** What is asked once more, of the API server and the broker themselves, about the pod that the lease is for. */
export interface HeldPod {
  /** The StatefulSet asks for a pod of that name. */
  readonly wanted: boolean;
  readonly pod?: { readonly uid: string; readonly resourceVersion: string; readonly terminating: boolean };
  /** Names of its broker's own dynamic settings; absent where the broker cannot be asked. */
  readonly settings?: readonly string[];
}

export interface ScaleSeen {
  readonly nowMs: number;
  /** This sidecar, as the disruption record names it. */
  readonly by: string;
  readonly sets: readonly SetSeen[];
  readonly condemned: readonly Condemned[];
  /** Brokers of pods that their sets ask for, that are registered and not fenced. */
  readonly joined: readonly { readonly set: string; readonly pod: string; readonly broker: number }[];
  readonly record: RecordKnown;
  /** Absent where Kafka could not be asked. */
  readonly kafka?: KafkaSeen;
  /** Those that this duty has made. */
  readonly rebalances: readonly KafkaRebalance[];
  /** Brokers of all pods that the sets ask for. */
  readonly wanted: readonly number[];
  /** Names of its own that somebody else's objects have. */
  readonly taken: readonly string[];
  /** Where the record is held for a scale-in. */
  readonly held?: HeldPod;
}

export type Action =
  | { readonly do: 'nothing' }
  | {
      readonly do: 'create';
      readonly name: string;
      readonly set: string;
      readonly mode: 'remove-brokers' | 'add-brokers';
      readonly brokers: readonly number[];
    }
  /** Other brokers than before: it is proposed again. */
  | { readonly do: 'redirect'; readonly rebalance: KafkaRebalance; readonly brokers: readonly number[] }
  /** Ask it to end, and to take back what is under way. */
  | { readonly do: 'stop'; readonly rebalance: KafkaRebalance }
  | { readonly do: 'remove'; readonly rebalance: KafkaRebalance }
  /** All pods of a set that a person has sent to zero. */
  | { readonly do: 'let-go'; readonly set: string; readonly pods: readonly Condemned[] }
  | { readonly do: 'write'; readonly write: RecordWrite }
  | { readonly do: 'clear'; readonly broker: number; readonly settings: readonly string[] }
  | {
      readonly do: 'delete';
      readonly pod: string;
      readonly uid: string;
      readonly resourceVersion: string;
    }
  /** And give the lease back. */
  | { readonly do: 'unregister'; readonly broker: number };

/** What to write into the disruption record. */
export type RecordWrite =
  | { readonly to: 'take'; readonly condemned: Condemned }
  | { readonly to: 'take-over' }
  | { readonly to: 'clearing' | 'deleting' | 'unregistering' }
  | { readonly to: 'release'; readonly cancelled: boolean };

/** What is said of one set: in the condition, and as an event whose text never changes. */
export interface Told {
  readonly set: string;
  readonly reason: string;
  readonly message: string;
  /** Nothing goes on until somebody does something. */
  readonly stuck?: boolean;
  readonly event?: { readonly type: 'Normal' | 'Warning'; readonly message: string };
}

export interface Decision {
  readonly action: Action;
  readonly told: readonly Told[];
}

export const scaleInName = (set: string): string => `${set}-scale-in`;
export const scaleOutName = (set: string): string => `${set}-scale-out`;

export const idle = (told: readonly Told[] = []): Decision => ({ action: { do: 'nothing' }, told });

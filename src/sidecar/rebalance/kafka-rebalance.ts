import type { Mode, Resource } from '../../balance/index.ts';
import type { Condition } from '../conditions.ts';
import type { Meta } from '../objects.ts';

/** Bytes, or bytes a second, as Kubernetes writes them: `20M`, `1.5Gi`, 500. */
export type Quantity = string | number;

export const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** A time of day in which plans within the limits may start. */
export interface WindowSpec {
  /** `HH:MM`, local time of `timeZone`. */
  readonly from: string;
  /** `HH:MM`, on the next day where it is before `from`; `24:00` is the end of the day. */
  readonly to: string;
  /** An IANA name; UTC unless given. */
  readonly timeZone?: string;
  /** The days on which the window opens; all unless given. */
  readonly days?: readonly Weekday[];
}

export interface AutoApproveSpec {
  readonly maxBytes: Quantity;
  /** None: at any time. */
  readonly windows?: readonly WindowSpec[];
}

export interface RebalanceSpec {
  readonly cluster: string;
  readonly mode?: Mode;
  readonly brokers?: readonly number[];
  readonly tolerance?: string;
  readonly trigger?: string;
  readonly excludedTopics?: readonly string[];
  readonly excludedBrokers?: readonly number[];
  readonly searchSeconds?: number;
  readonly leaderWeight?: string;
  readonly readRates?: boolean;
  readonly capacity?: { readonly networkBytesPerSecond?: Quantity };
  readonly throttle?: {
    readonly bytesPerSecond?: Quantity;
    readonly floor?: Quantity;
    readonly ceiling?: Quantity;
  };
  readonly concurrency?: { readonly movesPerBroker?: number; readonly batchBytes?: Quantity };
  /** Per cent. */
  readonly diskReserve?: number;
  readonly autoApprove?: AutoApproveSpec;
  readonly plan?: { readonly configMap: string };
}

export type Phase =
  'New' | 'Proposing' | 'Proposed' | 'Approved' | 'Executing' | 'Stopping' | 'Done' | 'Stopped' | 'Failed';

/** No way leads out of these: another balancing is another object. */
export const terminalPhases: readonly Phase[] = ['Done', 'Stopped', 'Failed'];

/** Where a plan lies, and what it was made from. */
export interface PlanStatus {
  /** SHA-256 of the plan's canonical JSON, 64 hexadecimal digits. */
  readonly hash: string;
  readonly chunks: number;
  readonly partitions: number;
  readonly createdAt: string;
  /** Digest of the part of the spec that the plan depends on. */
  readonly settings: string;
  /** Value of the annotation `refresh` then; absent without one. */
  readonly refresh?: string;
  readonly model?: { readonly hash: string; readonly chunks: number };
}

export interface RebalanceSummary {
  /** `12.4 GiB`, for the printed column. */
  readonly move: string;
  /** Between brokers. */
  readonly bytesToMove: number;
  /** Replicas that are copied between two log directories of a broker, and their bytes; absent where there are none. */
  readonly relocations?: number;
  readonly bytesWithinBrokers?: number;
  readonly shareToMove: number;
  /** The proven least. */
  readonly boundShare?: number;
  readonly ratio?: number;
  readonly replicaMoves: number;
  readonly leaderChanges: number;
  readonly outsideBefore?: Readonly<Record<Resource, number>>;
  readonly outsideAfter?: Readonly<Record<Resource, number>>;
  readonly estimatedSeconds?: number;
  /** What the figures rest on, in words. */
  readonly confidence?: string;
}

export interface RebalanceProgress {
  readonly bytesMoved: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number;
  /** Partitions. */
  readonly moved: number;
  readonly total: number;
  /** Partitions that are being copied. */
  readonly underWay: number;
  readonly etaSeconds?: number;
  readonly waitingFor?: string;
}

export interface Refusal {
  readonly topic: string;
  readonly partition: number;
  readonly reason: string;
}

export interface DriftStatus {
  /** Hash of the plan that no longer applied. */
  readonly hash: string;
  readonly count: number;
  readonly examples: readonly string[];
}

export interface Approval {
  readonly hash: string;
  readonly by: 'annotation' | 'autoApprove';
  readonly at: string;
}

/** What the sidecar says; nobody else may write it. */
export interface RebalanceStatus {
  readonly observedGeneration?: number;
  readonly phase?: Phase;
  /** `given` for a plan from elsewhere. */
  readonly mode?: Mode | 'given';
  readonly reason?: string;
  readonly message?: string;
  readonly plan?: PlanStatus;
  readonly summary?: RebalanceSummary;
  readonly drift?: DriftStatus;
  readonly approval?: Approval;
  readonly progress?: RebalanceProgress & { readonly summary: string; readonly eta?: string };
  readonly refused?: readonly Refusal[];
  readonly refusedCount?: number;
  readonly conditions?: readonly Condition[];
}

/** A balancing as a person asks for it, and what became of it. */
export interface KafkaRebalance {
  readonly apiVersion: string;
  readonly kind: 'KafkaRebalance';
  readonly metadata: Meta;
  readonly spec: RebalanceSpec;
  readonly status?: RebalanceStatus;
}

export const phaseOf = ({ status }: Pick<KafkaRebalance, 'status'>): Phase => status?.phase ?? 'New';

export const isTerminal = (phase: Phase): boolean => terminalPhases.includes(phase);

import type { Drift } from './drift.ts';
import type {
  KafkaRebalance,
  PlanStatus,
  RebalanceProgress,
  RebalanceStatus,
  RebalanceSummary,
  Refusal,
} from './kafka-rebalance.ts';

/** What a plan is made from. */
export interface ProposalRequest {
  /** Digest of the spec, `settingsKey`. */
  readonly settings: string;
  /** Value of the annotation `refresh`. */
  readonly refresh?: string;
}

/**
 * What became of the search for a plan; `request` is what the action `propose` carried when it began. A new `propose`
 * throws away what was found before, and `store` uses it up.
 */
export type Proposal = { readonly request: ProposalRequest } & ProposalState;

type ProposalState =
  | { readonly state: 'running' }
  /** It cannot be made now, and is tried again: a broker is away, the ConfigMap is not there. */
  | { readonly state: 'blocked'; readonly reason: string; readonly message: string; readonly at: Date }
  /** With no partition to change, the cluster is within the band already. */
  | {
      readonly state: 'ready';
      readonly plan: Omit<PlanStatus, 'settings' | 'refresh'>;
      readonly summary: RebalanceSummary;
    };

/** The stored plan as it was read and checked against its hash. */
export type Stored =
  { readonly state: 'sound'; readonly hash: string } | { readonly state: 'lost'; readonly message: string };

/** What the executor says of this object's plan. */
export interface Execution {
  /** Of the plan that is carried out. */
  readonly hash: string;
  readonly state: 'running' | 'stopping' | 'done' | 'stopped' | 'failed';
  readonly progress?: RebalanceProgress;
  /** The first twenty. */
  readonly refused?: readonly Refusal[];
  readonly refusedCount?: number;
  /** Why it failed, or what a stop could not take back. */
  readonly message?: string;
}

/** Who has the cluster's disruption lease. */
export type Lease =
  | { readonly state: 'free' }
  /** `uid` where a KafkaRebalance holds it; `what` in words: "the drain of kafka-1". */
  | { readonly state: 'held'; readonly what: string; readonly uid?: string; readonly away?: number }
  /** The record cannot be read; `what` has to happen before anything goes on. */
  | { readonly state: 'unknown'; readonly what: string };

/** Everything that decides what comes next. */
export interface Seen {
  readonly rebalance: KafkaRebalance;
  /** All of the cluster, this one included. */
  readonly all: readonly KafkaRebalance[];
  readonly lease: Lease;
  readonly now: Date;
  /** Absent while it was not read. */
  readonly stored?: Stored;
  /** How the cluster differs from what the stored plan was made for; absent while not compared. */
  readonly drift?: Drift;
  /** Brokers that the stored plan fills and that the cluster does not list. */
  readonly missing?: readonly number[];
  readonly proposal?: Proposal;
  /** Given whenever the record says that this object is being carried out. */
  readonly execution?: Execution;
}

export type Action =
  | { readonly do: 'nothing' }
  /** Search for a plan, in the background. The status is written first. */
  | { readonly do: 'propose'; readonly request: ProposalRequest }
  /** Store the plan that was found and remove earlier ones; then write the status. */
  | { readonly do: 'store' }
  /** Take the lease with this object's name and UID, and begin; then write the status. */
  | { readonly do: 'start'; readonly hash: string }
  | { readonly do: 'continue'; readonly hash: string }
  /** End the execution and take back what is under way. */
  | { readonly do: 'stop'; readonly why: string };

export interface LifecycleEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface Decision {
  readonly action: Action;
  /** The whole status; written where it differs from what is there. */
  readonly status: RebalanceStatus;
  readonly events: readonly LifecycleEvent[];
  /** When to look again at the latest. */
  readonly againInMs?: number;
}

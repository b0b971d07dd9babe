import type { CatchingUp } from './evidence.ts';
import type { Kind, Step } from './record.ts';

/** How many partitions a verdict keeps, and a message names. */
export const maxNamed = 10;

export interface NamedPartition {
  readonly topic: string;
  readonly partition: number;
  /** In sync by every view, the candidate among them. */
  readonly isr: readonly number[];
  readonly replicas: readonly number[];
  /** min(min.insync.replicas, replicas); -1 where it is unknown. */
  readonly min: number;
}

/** The count of all, and the first ten by topic and number. */
export interface Partitions {
  readonly count: number;
  readonly partitions: readonly NamedPartition[];
}

/** Why a broker that others count on cannot be counted. */
export type NotAliveCause =
  'terminating' | 'no-pod' | 'not-running' | 'no-answer' | 'metadata-behind' | 'fenced';

export type AwayState = 'terminating' | 'not ready' | 'missing';

/** What is not known; each is a no. */
export type Unknown =
  | 'record'
  | 'node-id'
  | 'quorum'
  | 'quorum-clock'
  | 'views'
  | 'ping'
  | 'min-isr'
  | 'settings'
  | 'metadata-offset'
  | 'controller';

/** Why a pod may not go, as data. */
export type Reason =
  | ({ readonly why: 'below-min-isr' } & Partitions)
  /** Replication factor at or below the minimum, where the policy blocks. */
  | ({ readonly why: 'rf-at-min' } & Partitions)
  /** Without a leader, and this broker is one of those that may become it. */
  | ({ readonly why: 'leaderless' } & Partitions)
  | ({ readonly why: 'unstable-isr'; readonly shortestMs: number; readonly neededMs: number } & Partitions)
  | ({ readonly why: 'views-disagree'; readonly brokers: readonly number[] } & Partitions)
  | { readonly why: 'quorum-majority'; readonly voters: number; readonly majority: number }
  | {
      readonly why: 'quorum-behind';
      readonly voters: number;
      readonly majority: number;
      readonly caughtUp: number;
      readonly behind: readonly number[];
    }
  | {
      readonly why: 'not-alive';
      readonly brokers: readonly { readonly broker: number; readonly cause: NotAliveCause }[];
    }
  /** Another pod of the cluster is away, whether or not anybody has taken the lease for it yet. */
  | {
      readonly why: 'other-away';
      readonly pods: readonly { readonly pod: string; readonly state: AwayState }[];
    }
  | {
      readonly why: 'too-old';
      readonly what: 'quorum' | 'view' | 'ping' | 'min-isr';
      readonly broker?: number;
      readonly ageMs: number;
      readonly limitMs: number;
    }
  /** A view was read before the quorum, or by a broker that had not read the metadata up to what was committed. */
  | { readonly why: 'view-behind'; readonly broker: number }
  | {
      readonly why: 'lease-held';
      readonly kind: Kind;
      readonly id: string;
      readonly pod?: string;
      readonly sinceMs: number;
      readonly step: Step | 'reserved';
      /** How much of it is done, where that is known. */
      readonly percent?: number;
    }
  | { readonly why: 'eviction-loop'; readonly times: number; readonly windowMs: number }
  | { readonly why: 'unknown'; readonly what: Unknown; readonly detail?: string; readonly broker?: number };

export type Why = Reason['why'];

/** `other`: a pod that is no broker or controller of this cluster. */
export type PassWhy = 'other' | 'terminating' | 'finished' | 'never-started' | 'fenced' | 'override';

interface Said {
  readonly pod: string;
  /** Age of the oldest piece of evidence that was looked at; left out where none was needed. */
  readonly evidenceAgeMs?: number;
  /** Partitions that will be unavailable, or without redundancy, as their replication factor is at or below the minimum. */
  readonly atMin?: Partitions;
}

export type Verdict =
  | (Said & { readonly kind: 'allow' })
  /** Not for the gate to hold; `overridden` are the reasons that a person has set aside. */
  | (Said & { readonly kind: 'pass'; readonly why: PassWhy; readonly overridden?: readonly Reason[] })
  | (Said & {
      readonly kind: 'deny';
      readonly reasons: readonly Reason[];
      readonly waitingFor: readonly CatchingUp[];
    });

/** Counts partitions and keeps the first few. */
export class PartitionCount {
  #count = 0;
  readonly #named: NamedPartition[] = [];

  add(named: () => NamedPartition): void {
    this.#count++;
    if (this.#named.length < maxNamed) this.#named.push(named());
  }

  get any(): boolean {
    return this.#count > 0;
  }

  get value(): Partitions {
    return { count: this.#count, partitions: this.#named };
  }
}

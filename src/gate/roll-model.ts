import type { PodFacts } from './evidence.ts';
import type { Verdict } from './reasons.ts';
import type { DisruptionRecord, Holder, RecordKnown } from './record.ts';

/** What the sidecar knows of a StatefulSet. */
export interface SetFacts {
  readonly name: string;
  /** status.updateRevision; only believed while `observed`. */
  readonly updateRevision: string;
  /** status.observedGeneration has reached metadata.generation. */
  readonly observed: boolean;
  /** spec.updateStrategy.rollingUpdate.partition, in ordinals. */
  readonly partition: number;
  /** A partition holds pods at their old revision: under `OnDelete` it does not, and Kubernetes refuses one. */
  readonly holdable: boolean;
  readonly replicas: number;
  /** spec.ordinals.start */
  readonly firstOrdinal: number;
  /** Why its template must not be rolled out; no roll of the set begins while it stands. */
  readonly blocked?: string;
}

export interface RollPod extends PodFacts {
  readonly set: string;
  readonly ordinal: number;
  /** The label controller-revision-hash. */
  readonly revision: string;
  readonly createdAtMs: number;
  /** Since when its name stands for its present address; left out where that is not told. */
  readonly namedAtMs?: number;
  readonly everReady: boolean;
  /** Why its container does not run, where the kubelet says so: ImagePullBackOff, CrashLoopBackOff, CreateContainerConfigError … */
  readonly failing?: string;
  /** The annotation `kept-from`: the deletion that was taken back, as `keep` wrote it. */
  readonly keptFrom?: string;
  /** `no`: its container does not run, or two views show its broker fenced and the quorum does not count on it. */
  readonly serving: 'yes' | 'no' | 'unknown';
}

/** How far a node is back. For a controller: caught up with the quorum, and no leaders to restore. */
export interface SyncFacts {
  readonly readAtMs: number;
  readonly inSync: boolean;
  readonly leadersBack: boolean;
  readonly bytesLeft?: number;
}

/** A node that Kafka knows (registered, or a voter), whether or not its pod is there. */
export interface KnownNode {
  readonly nodeId: number;
  readonly set: string;
  readonly ordinal: number;
}

export interface RollSnapshot {
  readonly nowMs: number;
  /** The identity of this sidecar. */
  readonly by: string;
  readonly sets: readonly SetFacts[];
  /** Broker and controller pods of all sets of the cluster. */
  readonly pods: readonly RollPod[];
  /** When the pods were last known to be up to date. */
  readonly podsReadAtMs: number;
  /** By pod name. */
  readonly known: ReadonlyMap<string, KnownNode>;
  readonly record: RecordKnown;
  /** Node id of the active controller; left out while it is not known. */
  readonly activeController?: number;
  /** By node id. */
  readonly sync: ReadonlyMap<number, SyncFacts>;
  /** When the oldest of what `ask` looks at was read. */
  readonly evidenceAtMs: number;
  /** The gate's verdict on the evidence of this snapshot; pure. */
  readonly ask: (pod: PodFacts, leaseId?: string) => Verdict;
  readonly options: RollOptions;
}

export interface RollOptions {
  /** A new pod that runs and does not become ready, or a copy of which nothing less is left, is stalled after this. */
  readonly stallMs: number;
  /** How long a deletion that may not be any more is waited with, before it is taken back. */
  readonly patienceMs: number;
  /** How long the preferred leaders of a node that is back and in sync are elected again, before nothing waits for them. */
  readonly leadersPatienceMs: number;
  /** How long others may still take a name for the address that it stood for before. */
  readonly namesKeptMs: number;
}

export const defaultRollOptions: RollOptions = {
  stallMs: 900_000,
  patienceMs: 15_000,
  leadersPatienceMs: 120_000,
  namesKeptMs: 60_000,
};

/** What is waited for, as data. */
export type Waiting =
  | { readonly for: 'record'; readonly problem: string }
  | { readonly for: 'verdict'; readonly verdict: Verdict }
  /** Evidence that was read before the present step says nothing about it. */
  | { readonly for: 'evidence' }
  /** `rolls`: pods wait to be replaced meanwhile. */
  | { readonly for: 'lease'; readonly holder: Holder; readonly rolls?: boolean }
  | { readonly for: 'active-controller' }
  | { readonly for: 'preflight'; readonly set: string; readonly problem: string }
  | { readonly for: 'set'; readonly set: string }
  | { readonly for: 'gone' | 'start'; readonly pod: string; readonly stalled: boolean }
  | { readonly for: 'repair'; readonly pod: string; readonly revision: string; readonly failing?: string }
  | { readonly for: 'names'; readonly pod: string; readonly leftMs: number }
  | { readonly for: 'sync'; readonly pod: string; readonly bytesLeft?: number; readonly stalled: boolean };

/**
 * One thing to do. A record is written by compare-and-swap on the version that the snapshot carried; after any of them the
 * shell takes a new snapshot and asks again, so that a crash between two of them is no different from a pause.
 */
export type Decision =
  | { readonly do: 'write'; readonly record: DisruptionRecord }
  /** With UID and resourceVersion of the pod in the snapshot as preconditions: one that has changed since stays. */
  | { readonly do: 'delete'; readonly pod: string; readonly uid: string }
  /**
   * Writes the mark on the pod. An order to delete it that may still be on its way carries the pod's earlier resourceVersion,
   * and is void from then on.
   */
  | { readonly do: 'keep'; readonly pod: string; readonly uid: string; readonly mark: string }
  /** Preferred leaders of the partitions whose first replica is this broker. */
  | { readonly do: 'elect'; readonly broker: number }
  | { readonly do: 'partition'; readonly set: string; readonly partition: number }
  | { readonly do: 'wait'; readonly waiting: Waiting }
  | { readonly do: 'rest' };

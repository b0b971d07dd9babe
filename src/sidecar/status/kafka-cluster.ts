import type { MetadataMode } from '../../kafka/index.ts';
import type { ObjectMeta } from '../../kubernetes/object.ts';
import type { Condition } from '../conditions.ts';

/** What a `KafkaCluster` says; written by the sidecar only. Times are RFC 3339. */
export interface ClusterStatus {
  readonly bootstrap: string;
  readonly clusterId: string;
  readonly kafkaVersion: string;
  readonly metadataVersion: string;
  readonly eligibleLeaderReplicas: boolean;
  readonly minInsyncReplicas: number;
  readonly underReplicatedPartitions: number;
  /** The largest replication factor, and up to three topics that have it. */
  readonly largestReplication: { readonly replicas: number; readonly topics: readonly string[] };
  /** `3/3 brokers`, for the printed column. */
  readonly summary: string;
  readonly listeners: readonly ListenerStatus[];
  /** The pods that serve clients. */
  readonly brokers: readonly BrokerStatus[];
  /** The pods of StatefulSets of controllers alone. */
  readonly controllers: readonly ControllerStatus[];
  readonly mode: MetadataMode;
  readonly quorum: QuorumStatus;
  readonly certificates: readonly CertificateStatus[];
  readonly authorities: readonly { readonly name: string; readonly notAfter: string }[];
  readonly users: { readonly total: number; readonly ready: number };
  readonly farewell: FarewellStatus;
  /** Who is away or may go; absent while nobody is. */
  readonly disruption: DisruptionStatus;
  /** The StatefulSets whose pods only kafka-warden deletes. */
  readonly holds: readonly HoldStatus[];
  readonly conditions: readonly Condition[];
}

export interface ListenerStatus {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly authentication: string;
}

export interface BrokerStatus {
  readonly id: number;
  readonly pod: string;
  readonly set: string;
  readonly node?: string;
  readonly rack?: string;
  readonly registered: boolean;
  readonly ready: boolean;
}

export interface ControllerStatus {
  readonly id: number;
  readonly pod: string;
  readonly set: string;
  readonly node?: string;
  /** The quorum counts it among its voters. */
  readonly voter: boolean;
  readonly ready: boolean;
}

export interface QuorumStatus {
  readonly leader: number;
  readonly voters: readonly number[];
  readonly observers: readonly number[];
}

export interface CertificateStatus {
  readonly pod: string;
  readonly store: 'INTERNAL' | 'CONTROLLER';
  /** Of the certificate in the Secret, which the next start uses. */
  readonly notAfter: string;
  readonly renewAt: string;
  /** Of the certificate that the running process presents, where that was seen. */
  readonly presentedNotAfter?: string;
}

export interface FarewellStatus {
  /** The value of the annotation that asked. */
  readonly token: string;
  /** Until when every broker can start again without kafka-warden. */
  readonly leavesUntil: string;
}

export interface DisruptionStatus {
  readonly kind: string;
  /** Of a rebalance, its name. */
  readonly id: string;
  readonly pod?: string;
  readonly broker?: number;
  readonly since: string;
  readonly step: string;
  readonly waitingFor?: string;
}

export interface HoldStatus {
  readonly statefulSet: string;
  /** For the events of Kubernetes' controller when it is refused; constant for each reason. */
  readonly message: string;
}

export interface KafkaCluster {
  readonly apiVersion: string;
  readonly kind: 'KafkaCluster';
  readonly metadata: ObjectMeta;
  readonly status?: Partial<ClusterStatus>;
}

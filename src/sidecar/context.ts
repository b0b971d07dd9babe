import type { Kube } from '../kubernetes/client.ts';
import { type EventDetails, recordEvent } from '../kubernetes/events.ts';
import type { KubeObject, Log } from '../kubernetes/object.ts';
import type { KafkaAdmin, KafkaControllers } from '../kafka/index.ts';
import type { Launcher } from '../hardening/index.ts';
import type { ClusterSet } from './cluster-set.ts';
import type { Finding } from './conditions.ts';
import type { Metrics } from './metrics.ts';
import type { ClusterStatus } from './status/kafka-cluster.ts';
import type { World } from './world.ts';

/** What every duty is given: the cluster's names, the two systems, the clock, and what is known now. */
export interface Context {
  readonly namespace: string;
  readonly cluster: string;
  readonly kube: Kube;
  readonly kafka: KafkaAdmin;
  /** The controllers themselves; there are none to reach in ZooKeeper mode. */
  readonly controllers?: KafkaControllers;
  /**
   * Whether this process has renewed its lease so lately that no other can have it: to be asked right before what must not be
   * done twice. A process that has stood still hears of its term's end late. Absent: nobody else is there.
   */
  readonly holds?: () => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly launchers: readonly Launcher[];
  readonly now: () => Date;
  readonly world: () => World;
  /** What the other duties last reported. */
  readonly reports: Reports;
}

/** The facts that duties report for the status of the `KafkaCluster`. */
export type Facts = Partial<Omit<ClusterStatus, 'conditions'>> & {
  /** Ends of the certificates that processes presented, by `POD STORE`. */
  readonly presented?: Readonly<Record<string, string>>;
};

/** What one pass of a duty found. */
export interface Report {
  readonly conditions: readonly Finding[];
  readonly facts?: Facts;
  /** When to run again at the latest, even if nothing changes. */
  readonly againInMs?: number;
}

/** The last report of each duty. */
export interface Reports {
  all(): readonly Report[];
  facts(): Facts;
}

export type ToldEvent = Pick<EventDetails, 'type' | 'reason' | 'message' | 'action'>;

/** As `tell`, about a StatefulSet of the cluster. */
export const tellSet = (
  context: Pick<Context, 'kube'>,
  { object }: Pick<ClusterSet, 'object'>,
  event: ToldEvent,
): Promise<void> =>
  tell(context, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: object.metadata }, event);

/** Writes an event about an object of the cluster; identical ones within ten minutes are written once. */
export async function tell(
  context: Pick<Context, 'kube'>,
  regarding: KubeObject,
  event: ToldEvent,
): Promise<void> {
  await recordEvent(context.kube, { ...event, regarding, reporter: 'sidecar' });
}

import { keys } from '../../names.ts';
import type { KafkaCluster } from '../status/kafka-cluster.ts';

export const farewellOf = (cluster: KafkaCluster | undefined): string | undefined =>
  cluster?.metadata.annotations?.[keys.farewell];

/** Whether the sidecar has said until when the cluster runs; the uninstallation goes on then. */
export const isAnswered = (cluster: KafkaCluster): boolean =>
  farewellOf(cluster) !== undefined && cluster.status?.farewell?.token === farewellOf(cluster);

const leavingMs = 600_000;

/** How long ago the farewell was asked for; its token is that time. */
export function farewellAgeMs(cluster: KafkaCluster | undefined, now: Date): number | undefined {
  const token = farewellOf(cluster);
  return token === undefined ? undefined : now.getTime() - (Date.parse(token) || now.getTime());
}

/**
 * Whether kafka-warden is being uninstalled. The annotation stays when that is over: a sidecar that is there long afterwards
 * has come with another installation.
 */
export const isLeaving = (cluster: KafkaCluster | undefined, now: Date): boolean =>
  (farewellAgeMs(cluster, now) ?? Infinity) < leavingMs;

import { group } from '../../names.ts';
import type { KafkaCluster } from '../status/kafka-cluster.ts';

/** KafkaCluster annotation: kafka-warden is about to be uninstalled; its value tells one uninstallation from another. */
export const farewellAnnotation = `${group}/farewell`;

export const farewellOf = (cluster: KafkaCluster | undefined): string | undefined =>
  cluster?.metadata.annotations?.[farewellAnnotation];

import { DescribeClusterEndpointTypes, describeClusterV0, describeClusterV1 } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import { describeClusterV2 } from './describe-cluster.ts';
import { KafkaError } from './errors.ts';
import { supported } from './versions.ts';

/** One broker as the cluster describes it. */
export interface BrokerFacts {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | undefined;
  /** Unknown before Kafka 4.0, which lists brokers that are not fenced only. */
  readonly fenced: boolean | undefined;
}

export interface DescribedCluster {
  readonly clusterId: string;
  /** In ZooKeeper mode the controller, -1 where there is none; in KRaft mode some broker that forwards to it. */
  readonly controllerId: number;
  readonly brokers: readonly BrokerFacts[];
}

/** Brokers as one of them knows them, by the addresses of the listener that is asked. */
export async function describeCluster(ask: Ask): Promise<DescribedCluster> {
  const versions = await ask.versions();
  if ((versions.newest.get(describeClusterV2.key) ?? 0) >= 2) {
    const { errorCode, errorMessage, ...cluster } = await ask.any(describeClusterV2);
    if (errorCode === 0) return cluster;
    throw new KafkaError(
      'kafka-refused',
      `DescribeCluster was refused with ${errorCode}: ${errorMessage ?? ''}`,
    );
  }
  const { clusterId, controllerId, brokers } = await ask.any(
    supported(versions, [describeClusterV1.api, describeClusterV0.api]),
    false,
    DescribeClusterEndpointTypes.BROKERS,
  );
  const facts = brokers.map(({ brokerId, host, port, rack }) => ({
    id: brokerId,
    host,
    port,
    rack: rack ?? undefined,
    fenced: undefined,
  }));
  return { clusterId, controllerId, brokers: facts };
}

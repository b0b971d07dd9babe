import { type Reader, Writer, createAPI } from '@platformatic/kafka';
import type { BrokerFacts, DescribedCluster } from './cluster.ts';

interface WireCluster extends DescribedCluster {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** DescribeCluster version 2 (KIP-1073, Kafka 4.0), the first that tells fenced brokers. */
export const describeClusterV2 = createAPI<[], WireCluster>(
  60,
  2,
  () => Writer.create().appendBoolean(false).appendInt8(1).appendBoolean(true).appendTaggedFields(),
  (_correlationId, _apiKey, _apiVersion, reader) => {
    reader.readInt32();
    const errorCode = reader.readInt16();
    const errorMessage = reader.readNullableString();
    reader.readInt8();
    const clusterId = reader.readString();
    const controllerId = reader.readInt32();
    const brokers = reader.readArray(readBroker);
    return { errorCode, errorMessage, clusterId, controllerId, brokers };
  },
);

const readBroker = (reader: Reader): BrokerFacts => ({
  id: reader.readInt32(),
  host: reader.readString(),
  port: reader.readInt32(),
  rack: reader.readNullableString() ?? undefined,
  fenced: reader.readBoolean(),
});

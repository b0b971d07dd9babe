import { versionOf, type ImageReference } from '../image.ts';
import { propertyOf, variableOf, type KafkaVersion, type Profile } from './profile.ts';

/** Confluent Platform 7.x carries Kafka 3.x, 8.x Kafka 4.x; before, 5.5 is 2.5, 6.0 is 2.6. */
function kafkaOfPlatform({ tag }: ImageReference): KafkaVersion | undefined {
  const version = versionOf(tag);
  if (version === undefined) return undefined;
  const [major, minor] = version;
  if (major >= 7) return [major - 4, minor];
  if (major === 6) return [2, minor + 6];
  return [Math.max(0, major - 3), minor];
}

/** confluentinc/cp-kafka: the environment is the whole configuration. KRaft from 7.4, ZooKeeper mode up to 7.9. */
export const cpKafka: Profile = {
  family: 'cp-kafka',
  versions: [
    { version: 1, generation: 3 },
    { version: 2, generation: 4 },
  ],
  dialect: 'confluent',
  start: ['/etc/confluent/docker/run'],
  startField: 'args',
  entrypoints: ['/etc/confluent/docker/run'],
  variablesOf: (property) => [variableOf(property)],
  propertyOf,
  clusterIdVariables: ['CLUSTER_ID'],
  mountedDirectories: [],
  finalFiles: ['/etc/kafka', '/etc/kafka/kafka.properties', '/etc/kafka/log4j.properties'],
  user: 1000,
  group: 1000,
  stores: 'p12',
  controllerListener: 'CONTROLLER',
  zookeeper: true,
  kafkaOf: kafkaOfPlatform,
};

/** cp-server and its older name cp-enterprise-kafka: from 8.0 it takes `CONTROLLER:SSL` for a wish to configure TLS itself. */
export const cpServer: Profile = { ...cpKafka, family: 'cp-server', controllerListener: 'QUORUM' };

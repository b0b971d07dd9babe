import { versionOf } from '../image.ts';
import { propertyOf, variableOf, type Profile } from './profile.ts';

/** apache/kafka (docker/ in apache/kafka, the same from 3.7 to 4.x): the environment is appended to a mounted file. KRaft only. */
export const apacheKafka: Profile = {
  family: 'apache-kafka',
  versions: [
    { version: 1, generation: 1 },
    { version: 2, generation: 2 },
    { version: 3, generation: 3 },
    { version: 4, generation: 4 },
  ],
  dialect: 'apache',
  start: ['/etc/kafka/docker/run'],
  startField: 'args',
  entrypoints: ['/etc/kafka/docker/run'],
  variablesOf: (property) => [variableOf(property)],
  propertyOf,
  clusterIdVariables: ['CLUSTER_ID'],
  mountedDirectories: ['/mnt/shared/config'],
  finalFiles: ['/opt/kafka/config', '/opt/kafka/config/server.properties'],
  user: 1000,
  group: 1000,
  stores: 'p12',
  controllerListener: 'CONTROLLER',
  zookeeper: false,
  kafkaOf: ({ tag }) => versionOf(tag),
};

/** apache/kafka-native: the same scripts around a native program, in which no config provider can be loaded. */
export const apacheKafkaNative: Profile = {
  ...apacheKafka,
  family: 'apache-kafka-native',
  versions: [
    { version: 1, generation: 3 },
    { version: 2, generation: 4 },
  ],
  stores: 'pem',
};

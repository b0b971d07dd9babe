import { versionOf } from '../image.ts';
import type { Profile } from './profile.ts';

/** Any image in which the manifest starts Kafka by its own `kafka-server-start.sh FILE`. */
export const plainKafka: Profile = {
  family: 'kafka',
  versions: [
    { version: 1, generation: 3 },
    { version: 2, generation: 4 },
  ],
  dialect: 'plain',
  start: [],
  startField: 'command',
  entrypoints: [],
  variablesOf: () => [],
  propertyOf: () => undefined,
  clusterIdVariables: ['CLUSTER_ID'],
  mountedDirectories: [],
  finalFiles: [],
  stores: 'p12',
  controllerListener: 'CONTROLLER',
  zookeeper: true,
  kafkaOf: ({ tag }) => versionOf(tag),
};

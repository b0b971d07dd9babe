import { versionOf } from '../image.ts';
import type { Profile } from './profile.ts';

const scripts = '/opt/bitnami/scripts/kafka';

/** Older names without CFG_, which overwrite the newer ones (libkafka.sh); of those only what is read here. */
const aliased = new Set([
  'advertised.listeners',
  'broker.id',
  'node.id',
  'controller.quorum.voters',
  'controller.quorum.bootstrap.servers',
  'process.roles',
  'default.replication.factor',
  'inter.broker.listener.name',
  'listeners',
  'listener.security.protocol.map',
  'log.dirs',
  'offsets.topic.replication.factor',
  'ssl.endpoint.identification.algorithm',
  'transaction.state.log.min.isr',
  'transaction.state.log.replication.factor',
  'zookeeper.connect',
  'auto.create.topics.enable',
]);

const nameOf = (property: string) => property.replaceAll(/[.-]/g, '_').toUpperCase();
const byAlias = new Map([...aliased].map((property) => [`KAFKA_${nameOf(property)}`, property]));

const restored = (name: string) =>
  name
    .toLowerCase()
    .replaceAll('_', '.')
    .replaceAll('sasl.ssl', 'sasl_ssl')
    .replaceAll('sasl.plaintext', 'sasl_plaintext');

/**
 * bitnami/kafka and bitnamilegacy/kafka: KAFKA_CFG_ variables become a file at the first start, where its own scripts would also
 * write TLS and SASL; a complete file is taken as it is, and that is what the launcher gives it.
 */
export const bitnamiKafka: Profile = {
  family: 'bitnami-kafka',
  versions: [
    { version: 1, generation: 3 },
    { version: 2, generation: 4 },
  ],
  dialect: 'bitnami',
  start: [`${scripts}/entrypoint.sh`, `${scripts}/run.sh`],
  startField: 'command',
  entrypoints: [`${scripts}/entrypoint.sh`, '/entrypoint.sh', `${scripts}/run.sh`, '/run.sh'],
  variablesOf: (property) => [
    ...(aliased.has(property) ? [`KAFKA_${nameOf(property)}`] : []),
    `KAFKA_CFG_${nameOf(property)}`,
  ],
  propertyOf: (variable) =>
    variable.startsWith('KAFKA_CFG_') ? restored(variable.slice('KAFKA_CFG_'.length)) : byAlias.get(variable),
  clusterIdVariables: ['KAFKA_CLUSTER_ID', 'KAFKA_KRAFT_CLUSTER_ID'],
  mountedDirectories: ['/bitnami/kafka/config', '/opt/bitnami/kafka/config'],
  finalFiles: [],
  user: 1001,
  group: 1001,
  stores: 'p12',
  controllerListener: 'CONTROLLER',
  zookeeper: true,
  kafkaOf: ({ tag }) => versionOf(tag),
};

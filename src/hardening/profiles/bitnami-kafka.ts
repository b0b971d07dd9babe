import { versionOf } from '../image.ts';
import type { Profile } from './profile.ts';

const scripts = '/opt/bitnami/scripts/kafka';

/** Variables without CFG_ that overwrite the form with it. */
const aliases = new Map([['zookeeper.connect', 'KAFKA_ZOOKEEPER_CONNECT']]);

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
  versions: [{ version: 1, generation: 3 }],
  dialect: 'bitnami',
  start: [`${scripts}/entrypoint.sh`, `${scripts}/run.sh`],
  startField: 'command',
  entrypoints: [`${scripts}/entrypoint.sh`, '/entrypoint.sh', `${scripts}/run.sh`, '/run.sh'],
  variablesOf: (property) => {
    const name = property.replaceAll(/[.-]/g, '_').toUpperCase();
    const alias = aliases.get(property);
    return [...(alias === undefined ? [] : [alias]), `KAFKA_CFG_${name}`];
  },
  propertyOf: (variable) =>
    variable.startsWith('KAFKA_CFG_') ? restored(variable.slice('KAFKA_CFG_'.length)) : undefined,
  clusterIdVariables: ['KAFKA_CLUSTER_ID', 'KAFKA_KRAFT_CLUSTER_ID'],
  mountedDirectories: ['/bitnami/kafka/config', '/opt/bitnami/kafka/config'],
  finalDirectories: [],
  user: 1001,
  group: 1001,
  stores: 'p12',
  controllerListener: 'CONTROLLER',
  zookeeper: true,
  kafkaOf: ({ tag }) => versionOf(tag),
};

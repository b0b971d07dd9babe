import packageJson from '../../package.json' with { type: 'json' };

export const kubernetesVersion = '1.34.4';
export const helmVersion = '3.18.4';

/** Kafka's releases that the cluster has images of, by line. */
export const kafkaVersions = { '3.9': '3.9.1', '4.1': '4.1.0' } as const;
export type KafkaLine = keyof typeof kafkaVersions;

/** Names under which every node has the images. */
export const images: Readonly<Record<'kafka39' | 'kafka41' | 'warden' | 'pause', string>> = {
  kafka39: `docker.io/apache/kafka:${kafkaVersions['3.9']}`,
  kafka41: `docker.io/apache/kafka:${kafkaVersions['4.1']}`,
  warden: `localhost/kafka-warden:${packageJson.version}`,
  pause: 'localhost/pause:1',
};

/** Names of images that stand for the published ones: their entry points over the jars of a line above. */
export const emulated = {
  confluent79: {
    kafka: 'docker.io/confluentinc/cp-kafka:7.9.0',
    server: 'docker.io/confluentinc/cp-server:7.9.0',
    zookeeper: 'docker.io/confluentinc/cp-zookeeper:7.9.0',
  },
  confluent81: {
    kafka: 'docker.io/confluentinc/cp-kafka:8.1.0',
    server: 'docker.io/confluentinc/cp-server:8.1.0',
  },
  bitnami: {
    '3.9': {
      version: '3.9.0',
      names: ['docker.io/bitnamilegacy/kafka:3.9.0', 'docker.io/bitnami/kafka:3.9.0'],
    },
    '4.1': {
      version: '4.0.0',
      names: ['docker.io/bitnamilegacy/kafka:4.0.0', 'docker.io/bitnami/kafka:4.0.0'],
    },
  },
  native: `docker.io/apache/kafka-native:${kafkaVersions['4.1']}`,
  zookeeper: 'docker.io/library/zookeeper:3.9',
  private: 'registry.example.test/platform/kafka:3.9',
} as const;

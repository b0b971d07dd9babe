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

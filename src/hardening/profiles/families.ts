/** An image family: images that turn their environment into configuration in the same way. */
export interface Family {
  id: string;
  /** `apache/kafka`: the end of the image's path, registry and mirror prefixes aside. */
  repositories: readonly string[];
  supported: boolean;
  /** Why a family is left alone, and what to do. */
  why: string;
  remedy: string;
}

const leftAlone = (id: string, repositories: string[], why: string, remedy?: string): Family => ({
  id,
  repositories,
  supported: false,
  why,
  remedy: remedy ?? 'Use apache/kafka 3.7 or later, or keep securing this set by hand.',
});

const component = (id: string, repositories: string[], name: string) =>
  leftAlone(
    id,
    repositories,
    `${name} is a component beside Kafka, not a broker: this version hardens brokers only`,
    'Give it the credentials of a KafkaUser to reach the hardened brokers.',
  );

/** Every image family that is recognised. */
export const families: readonly Family[] = [
  { id: 'apache-kafka', repositories: ['apache/kafka'], supported: true, why: '', remedy: '' },
  leftAlone(
    'apache-kafka-native',
    ['apache/kafka-native'],
    'the native image carries no configuration providers, so that secrets cannot be kept out of its environment',
  ),
  leftAlone(
    'cp-kafka',
    [
      'confluentinc/cp-kafka',
      'confluentinc/cp-server',
      'confluentinc/cp-enterprise-kafka',
      'confluentinc/confluent-local',
    ],
    'this version has no profile for the Confluent images yet',
  ),
  leftAlone(
    'bitnami-kafka',
    ['bitnami/kafka', 'bitnamilegacy/kafka', 'bitnamisecure/kafka'],
    'this version has no profile for the Bitnami entrypoint yet, which writes its own TLS and SASL configuration',
  ),
  leftAlone(
    'wurstmeister-kafka',
    ['wurstmeister/kafka'],
    'this image is no longer maintained and its Kafka is older than 3.7',
  ),
  leftAlone('debezium-kafka', ['debezium/kafka'], 'the Debezium images have rules of their own'),
  leftAlone(
    'strimzi',
    ['strimzi/kafka', 'strimzi/operator'],
    'Strimzi manages this Kafka: its operator owns the configuration',
    'Nothing to do: leave it to Strimzi.',
  ),
  component(
    'cp-zookeeper',
    ['confluentinc/cp-zookeeper', 'library/zookeeper', 'bitnami/zookeeper', 'bitnamilegacy/zookeeper'],
    'ZooKeeper',
  ),
  component(
    'connect',
    [
      'confluentinc/cp-kafka-connect',
      'confluentinc/cp-kafka-connect-base',
      'confluentinc/cp-server-connect',
      'debezium/connect',
    ],
    'Kafka Connect',
  ),
  component(
    'schema-registry',
    ['confluentinc/cp-schema-registry', 'bitnami/schema-registry'],
    'Schema Registry',
  ),
  component('ksqldb', ['confluentinc/cp-ksqldb-server', 'confluentinc/ksqldb-server'], 'ksqlDB'),
  component('rest-proxy', ['confluentinc/cp-kafka-rest'], 'the REST Proxy'),
  component(
    'control-center',
    ['confluentinc/cp-enterprise-control-center', 'confluentinc/cp-enterprise-control-center-next-gen'],
    'Control Center',
  ),
  component(
    'replicator',
    ['confluentinc/cp-enterprise-replicator', 'confluentinc/cp-enterprise-replicator-executable'],
    'Replicator',
  ),
];

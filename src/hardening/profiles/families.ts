import { apacheKafka, apacheKafkaNative } from './apache-kafka.ts';
import { bitnamiKafka } from './bitnami-kafka.ts';
import { cpKafka, cpServer } from './cp-kafka.ts';
import { plainKafka } from './kafka.ts';
import type { Profile } from './profile.ts';

/** Images that turn what they are given into configuration in the same way, and what is done about them. */
export type Family = Known | LeftAlone;

interface Recognised {
  id: string;
  /** `apache/kafka`: the end of the image's path, registry and mirror prefixes aside. */
  repositories: readonly string[];
}

/** A family that is hardened. */
export interface Known extends Recognised {
  profile: Profile;
}

/** A family that is left alone, with the reason. */
export interface LeftAlone extends Recognised {
  profile?: undefined;
  why: string;
  remedy: string;
}

const known = (profile: Profile, ...repositories: string[]): Known => ({
  id: profile.family,
  repositories,
  profile,
});

const leftAlone = (id: string, repositories: string[], why: string, remedy?: string): LeftAlone => ({
  id,
  repositories,
  why,
  remedy: remedy ?? 'Use apache/kafka, or keep securing this set by hand.',
});

const component = (id: string, repositories: string[], name: string, remedy?: string) =>
  leftAlone(
    id,
    repositories,
    `${name} is a component beside Kafka, not a broker: this version hardens brokers and controllers only`,
    remedy ?? 'Give it the credentials of a KafkaUser to reach the hardened brokers.',
  );

/** Every image family that is recognised. */
export const families: readonly Family[] = [
  known(apacheKafka, 'apache/kafka'),
  known(apacheKafkaNative, 'apache/kafka-native'),
  known(cpKafka, 'confluentinc/cp-kafka'),
  known(cpServer, 'confluentinc/cp-server', 'confluentinc/cp-enterprise-kafka'),
  known(bitnamiKafka, 'bitnami/kafka', 'bitnamilegacy/kafka', 'bitnamisecure/kafka'),
  known(plainKafka),
  leftAlone(
    'confluent-local',
    ['confluentinc/confluent-local'],
    'confluent-local is an image for one developer: it makes a cluster of its own in every pod',
    'Use confluentinc/cp-kafka.',
  ),
  leftAlone(
    'wurstmeister-kafka',
    ['wurstmeister/kafka'],
    'this image is no longer maintained, and its Kafka is older than what is supported',
  ),
  leftAlone(
    'debezium-kafka',
    ['debezium/kafka'],
    'the Debezium images write their configuration by rules of their own, which lose settings with a hyphen or an underscore',
  ),
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
    "Nothing to do here: the brokers' finding zookeeper-link says what is open.",
  ),
  component(
    'connect',
    [
      'confluentinc/cp-kafka-connect',
      'confluentinc/cp-kafka-connect-base',
      'confluentinc/cp-server-connect',
      'confluentinc/cp-server-connect-base',
      'debezium/connect',
    ],
    'Kafka Connect',
  ),
  component(
    'schema-registry',
    ['confluentinc/cp-schema-registry', 'bitnami/schema-registry', 'bitnamilegacy/schema-registry'],
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

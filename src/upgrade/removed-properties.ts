/**
 * What becomes of a property in Kafka 4: `ignored`, since nothing reads it any more, or `fatal`, since the broker does not
 * start or does its work no longer.
 */
export interface Removal {
  readonly effect: 'ignored' | 'fatal';
  readonly remedy: string;
}

const ignored = (remedy = 'Remove it.'): Removal => ({ effect: 'ignored', remedy });

/**
 * Broker properties that 3.9.1 has and 4.1.0 has not, as the two jars tell (`AbstractKafkaConfig.CONFIG_DEF`), and
 * those of the JMX reporter (KIP-629); each with what takes its place (upgrade notes of 4.0).
 */
const removed: Readonly<Record<string, Removal>> = {
  'auto.include.jmx.reporter': ignored(
    'Remove it; metric.reporters has the JMX reporter unless it is set, and then name it there.',
  ),
  'broker.id.generation.enable': ignored('Remove it; every node has a node.id of its own.'),
  'control.plane.listener.name': ignored(
    'Remove it; controllers have listeners of their own (controller.listener.names).',
  ),
  'controlled.shutdown.max.retries': ignored('Remove it; the controller ends a controlled shutdown.'),
  'controlled.shutdown.retry.backoff.ms': ignored('Remove it; the controller ends a controlled shutdown.'),
  'delegation.token.master.key': {
    effect: 'fatal',
    remedy:
      'Give the same value as delegation.token.secret.key (known since 3.0), else delegation tokens are off.',
  },
  'eligible.leader.replicas.enable': ignored(
    'Remove it; they are a feature of the cluster: kafka-warden upgrade finalize --eligible-leader-replicas.',
  ),
  'group.coordinator.new.enable': ignored('Remove it; there is only the new group coordinator.'),
  'group.share.max.groups': ignored(),
  'inter.broker.protocol.version': ignored(
    'Remove it; metadata.version takes its place: kafka-warden upgrade finalize --metadata-version.',
  ),
  'leader.imbalance.per.broker.percentage': ignored(
    'Remove it; every leader that is not the preferred one counts.',
  ),
  'log.message.downconversion.enable': ignored('Remove it; there are no old message formats to convert to.'),
  'log.message.format.version': ignored('Remove it; there is one message format since 3.0.'),
  'log.message.timestamp.difference.max.ms': ignored(
    'Give the same limit as log.message.timestamp.before.max.ms and log.message.timestamp.after.max.ms (known since 3.6).',
  ),
  'metadata.log.segment.min.bytes': ignored(),
  'offsets.commit.required.acks': ignored(
    'Remove it; offsets are always committed with all acknowledgements.',
  ),
  'reserved.broker.max.id': ignored(),
  'metrics.jmx.blacklist': ignored('Call it metrics.jmx.exclude.'),
  'metrics.jmx.whitelist': ignored('Call it metrics.jmx.include.'),
};

/** Those that nothing reads any more, prefixes aside. */
export const ignoredProperties: readonly string[] = Object.keys(removed).filter(
  (name) => removed[name]?.effect === 'ignored',
);

const prefixes: readonly (readonly [RegExp, Removal])[] = [
  [/^zookeeper\./, ignored('Remove it; Kafka 4 has no ZooKeeper mode.')],
  [
    /^password\.encoder\./,
    ignored('Remove it; passwords of dynamic configurations are not encoded in KRaft.'),
  ],
];

/** What becomes of a property in Kafka 4; undefined for one that it knows, or that never was one. */
export function removalOf(property: string): Removal | undefined {
  return Object.hasOwn(removed, property)
    ? removed[property]
    : prefixes.find(([pattern]) => pattern.test(property))?.[1];
}

/** Values that 3.9 takes and 4.1 does not, as the validators of both jars tell. */
interface Narrowed {
  readonly least: number;
  readonly remedy: string;
}

const mebibyte = 1024 * 1024;

export const narrowed: Readonly<Record<string, Narrowed>> = {
  'log.segment.bytes': { least: mebibyte, remedy: 'Give at least 1048576 (KIP-1030), or leave it out.' },
  'metadata.log.segment.bytes': { least: 8 * mebibyte, remedy: 'Give at least 8388608, or leave it out.' },
  'remote.log.manager.copier.thread.pool.size': {
    least: 1,
    remedy: 'Give at least 1 (KIP-1030), or leave it out: the default is 10.',
  },
  'remote.log.manager.expiration.thread.pool.size': {
    least: 1,
    remedy: 'Give at least 1 (KIP-1030), or leave it out: the default is 10.',
  },
};

/** Classes that are gone, as values of properties: with one of these a broker does not start. */
export const removedClasses: readonly { readonly pattern: RegExp; readonly remedy: string }[] = [
  {
    pattern: /\bkafka\.security\.(authorizer\.AclAuthorizer|auth\.SimpleAclAuthorizer)\b/,
    remedy:
      'Give org.apache.kafka.metadata.authorizer.StandardAuthorizer; its entries are kept in the metadata, not in ZooKeeper.',
  },
  {
    pattern:
      /\borg\.apache\.kafka\.common\.security\.oauthbearer\.secured\.OAuthBearer(Login|Validator)CallbackHandler\b/,
    remedy: 'Give the class of the same name in org.apache.kafka.common.security.oauthbearer.',
  },
  {
    pattern: /\borg\.apache\.kafka\.log4jappender\.KafkaLog4jAppender\b/,
    remedy: "Use log4j2's own KafkaAppender.",
  },
];

/** Options of a JVM that Java 17, the oldest for Kafka 4, does not start with (JEP 363, JEP 214). */
export const removedJvmOption =
  /-XX:[+-](UseConcMarkSweepGC|UseParNewGC|CMS\w+|UseCMS\w+|PrintGCDateStamps|PrintGCTimeStamps|UseGCLogFileRotation|AggressiveOpts)\b/;

import { isGiven, literal, type Configuration, type Value } from '../hardening/configuration.ts';
import type { Container } from '../hardening/model.ts';
import type { KafkaVersion } from '../hardening/profiles/profile.ts';
import { type UpgradeFinding, problem, warning } from './finding.ts';
import { narrowed, removalOf, removedClasses, removedJvmOption } from './removed-properties.ts';

/** What one container of Kafka is configured with, as far as its manifest shows. */
export interface Configured {
  readonly configuration: Configuration;
  readonly container: Container;
}

const fromOf = (value: Value): string | undefined => ('from' in value ? value.from : undefined);

function propertyFindings({ configuration }: Configured, mode: 'zookeeper' | undefined): UpgradeFinding[] {
  return [...new Set(configuration.properties)].flatMap((name): UpgradeFinding[] => {
    const value = configuration.property(name);
    if (!isGiven(value)) return [];
    const from = fromOf(value);
    const removal = removalOf(name);
    // Where the mode itself is the problem, its properties are no further ones.
    if (removal !== undefined && !(mode === 'zookeeper' && name.startsWith('zookeeper.')))
      return removal.effect === 'fatal'
        ? [
            problem(
              name,
              `${name} is not read by Kafka 4, and what it gave is off without it`,
              removal.remedy,
              from,
            ),
          ]
        : [warning(name, `${name} is not read by Kafka 4`, removal.remedy, from)];
    const text = literal(value);
    if (text === undefined) return [];
    return [...tooSmall(name, text, from), ...goneClass(name, text, from)];
  });
}

function tooSmall(name: string, text: string, from: string | undefined): UpgradeFinding[] {
  const limit = Object.hasOwn(narrowed, name) ? narrowed[name] : undefined;
  if (limit === undefined || !/^-?\d+$/.test(text.trim()) || Number(text) >= limit.least) return [];
  return [
    problem(
      name,
      `${name}=${text.trim()} keeps Kafka 4 from starting: the least is ${limit.least}`,
      limit.remedy,
      from,
    ),
  ];
}

function goneClass(name: string, text: string, from: string | undefined): UpgradeFinding[] {
  const gone = removedClasses.find(({ pattern }) => pattern.test(text));
  const [found] = gone?.pattern.exec(text) ?? [];
  if (gone === undefined || found === undefined) return [];
  return [
    problem(
      name,
      `${name} names ${found}, which Kafka 4 has no more: the broker does not start`,
      gone.remedy,
      from,
    ),
  ];
}

const jvmVariables = ['KAFKA_OPTS', 'KAFKA_HEAP_OPTS', 'KAFKA_JVM_PERFORMANCE_OPTS', 'KAFKA_GC_LOG_OPTS'];

function javaFindings({ configuration }: Configured): UpgradeFinding[] {
  return jvmVariables.flatMap((name) => {
    const value = configuration.variable(name);
    const [option] = removedJvmOption.exec(literal(value) ?? '') ?? [];
    if (option === undefined) return [];
    return [
      problem(
        name,
        `${name} has ${option}, with which Java 17 does not start, and Kafka 4 needs at least that`,
        'Remove the option; the collector of that Java is G1.',
        fromOf(value),
      ),
    ];
  });
}

const log4jRemedy =
  'Write it anew as log4j2.yaml and name it with -Dlog4j2.configurationFile=FILE in KAFKA_LOG4J_OPTS (log4j-transform-cli converts).';

function loggingFindings({ configuration, container }: Configured): UpgradeFinding[] {
  const options = configuration.variable('KAFKA_LOG4J_OPTS');
  if (/-Dlog4j\.configuration=/.test(literal(options) ?? ''))
    return [
      warning(
        'KAFKA_LOG4J_OPTS',
        'KAFKA_LOG4J_OPTS names a configuration of log4j 1; Kafka 4 logs by log4j2, which understands part of it',
        log4jRemedy,
        fromOf(options),
      ),
    ];
  const mounts = container.volumeMounts ?? [];
  const index = mounts.findIndex(({ mountPath }) => mountPath.endsWith('/log4j.properties'));
  if (index < 0) return [];
  return [
    warning(
      'volumeMounts',
      `${mounts[index]?.mountPath ?? ''} is a configuration of log4j 1; Kafka 4 reads log4j2.yaml beside it`,
      log4jRemedy,
      `/volumeMounts/${index}`,
    ),
  ];
}

const allowedUrls = 'org.apache.kafka.sasl.oauthbearer.allowed.urls';

/** Endpoints of OAUTHBEARER that no system property allows are refused from 4.0 on. */
function oauthFindings({ configuration }: Configured): UpgradeFinding[] {
  const options = configuration.variable('KAFKA_OPTS');
  if (isGiven(options) && (literal(options)?.includes(allowedUrls) ?? true)) return [];
  const name = configuration.properties.find(
    (one) =>
      /sasl\.oauthbearer\.(token|jwks)\.endpoint\.url$/.test(one) && isGiven(configuration.property(one)),
  );
  if (name === undefined) return [];
  return [
    problem(
      name,
      `${name} is refused by Kafka 4 unless the system property ${allowedUrls} allows it`,
      `Add -D${allowedUrls}=URL to KAFKA_OPTS.`,
      fromOf(configuration.property(name)),
    ),
  ];
}

const futureLimit = 'log.message.timestamp.after.max.ms';

function changedDefaults({ configuration }: Configured): UpgradeFinding[] {
  if (configuration.property(futureLimit).state !== 'absent') return [];
  return [
    warning(
      futureLimit,
      'from Kafka 4.0 on, records with a timestamp more than an hour ahead are refused (KIP-1030)',
      `Nothing to do unless producers write such timestamps; then set ${futureLimit}.`,
    ),
  ];
}

/** What of a configuration Kafka 4 does not take as 3.x did; nothing is said of what cannot be seen. */
export function configurationFindings(
  configured: Configured,
  { to, mode }: { to: KafkaVersion; mode?: 'zookeeper' | undefined },
): UpgradeFinding[] {
  if (to[0] < 4) return [];
  return [
    ...propertyFindings(configured, mode),
    ...javaFindings(configured),
    ...loggingFindings(configured),
    ...oauthFindings(configured),
  ];
}

/** The same, and what is different from 3.x without any of it having been set. */
export const crossingFindings: typeof configurationFindings = (configured, target) =>
  target.to[0] < 4 ? [] : [...configurationFindings(configured, target), ...changedDefaults(configured)];

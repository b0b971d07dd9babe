import { clusterOf } from '../hardening/cluster.ts';
import { startOf, type Start } from '../hardening/command.ts';
import type { Configuration } from '../hardening/configuration.ts';
import { parseImage, repositoryOf, versionOf } from '../hardening/image.ts';
import type { Container, Role } from '../hardening/model.ts';
import { apacheKafka } from '../hardening/profiles/apache-kafka.ts';
import { families } from '../hardening/profiles/families.ts';
import type { KafkaVersion, Profile } from '../hardening/profiles/profile.ts';
import { recognise } from '../hardening/recognise.ts';
import { statedRoleOf, visibleRoleOf } from '../hardening/role.ts';
import { shapeOf, type Shape } from '../hardening/shape.ts';
import { keys } from '../names.ts';
import { resolvedConfiguration, type ConfigMap } from './configuration.ts';
import type { Subject } from './subject.ts';
import type { Workload } from './workload.ts';

/** A container that runs a broker or a controller, with all that the input tells of its configuration. */
export interface Broker<S extends Subject = Subject> {
  readonly workload: Workload<S>;
  readonly container: Container;
  readonly index: number;
  readonly profile: Profile;
  readonly start: Start;
  readonly configuration: Configuration;
  readonly shape: Shape;
  readonly version: KafkaVersion | undefined;
  /** `unseen` where nothing that can be seen decides. */
  readonly role: Role;
  /** Name of the cluster that it belongs to, in its namespace. */
  readonly cluster: string;
  /** kafka-warden has written it: what its manifest says of listeners no longer counts. */
  readonly hardened: boolean;
}

const { user: _user, group: _group, ...withoutUser } = apacheKafka;

/** wurstmeister and images like it: one underscore for a dot, nothing else; `2.13-2.8.1` is Kafka 2.8. Debezium's tags are its own. */
const scripted: Profile = {
  ...withoutUser,
  entrypoints: ['start-kafka.sh', '/usr/bin/start-kafka.sh', '/docker-entrypoint.sh'],
  dialect: 'plain',
  mountedDirectories: [],
  zookeeper: true,
  variablesOf: (property) => [`KAFKA_${property.replaceAll(/[.-]/g, '_').toUpperCase()}`],
  propertyOf: (variable) =>
    variable.startsWith('KAFKA_') ? variable.slice(6).toLowerCase().replaceAll('_', '.') : undefined,
  kafkaOf: ({ path, tag }) =>
    path.at(-2) === 'debezium' ? undefined : versionOf(tag?.replace(/^2\.\d+-/, '')),
};

const scriptedImages = /^(wurstmeister|debezium|spotify|ches|solsson)\/kafka$/;
const byRepository = new Map(families.flatMap((f) => f.repositories.map((r) => [r, f] as const)));

const otherPrograms =
  /connect-(mirror-maker|distributed|standalone)|mirror-maker|zookeeper-server-start|zkServer|schema-registry|ksql|kafka-rest|\bkafka-(?!server-start|storage|run-class)[a-z-]+\.sh\b|\bkafka-(console-(producer|consumer)|topics|configs|acls|consumer-groups|reassign-partitions|producer-perf-test)\b/;
const starts = /kafka-server-start|docker\/run\b|kafka\.Kafka\b|start-kafka\.sh|kafka\/run\.sh/;
const otherImages =
  /exporter|[-_/]ui\b|kafdrop|akhq|manager|connect|rest|registry|ksql|zookeeper|mirror|burrow|cruise|operator|proxy|client|cli\b|producer|consumer|control-center|replicator|mqtt/;
const brokerVariables =
  /^KAFKA_(CFG_)?(ADVERTISED_LISTENERS|LISTENERS|BROKER_ID|NODE_ID|PROCESS_ROLES|ZOOKEEPER_CONNECT)$/;

/** How the container of a known image is configured; `other` for images that are no brokers. */
function knownImage(container: Container): Profile | 'other' | undefined {
  const repository = repositoryOf(parseImage(container.image ?? ''));
  if (scriptedImages.test(repository)) return scripted;
  const family = byRepository.get(repository);
  if (family === undefined) return repository.startsWith('strimzi/') ? 'other' : undefined;
  return family.profile ?? 'other';
}

/** How a container is configured if it runs a broker; undefined where it does not. */
function profileOf(container: Container, named: Profile | undefined): Profile | undefined {
  const text = [...(container.command ?? []), ...(container.args ?? [])].join('\n');
  if (otherPrograms.test(text) && !starts.test(text)) return undefined;
  const known = knownImage(container);
  if (known !== undefined) return known === 'other' ? undefined : known;
  if (/kafka-server-start|kafka\.Kafka\b/.test(text)) return scripted;
  if (otherImages.test((container.image ?? '').split(/[:@]/, 1)[0] ?? '')) return undefined;
  const isConfigured = (container.env ?? []).some((e) => brokerVariables.test(e.name));
  return named ?? (isConfigured ? withoutUser : undefined);
}

/** True for a container that starts Kafka as far as can be told: an image of Kafka may also sleep, or run a tool. */
function startsKafka(container: Container, start: Start, kind: string): boolean {
  if (start.kind === 'image' || start.kind === 'program' || start.kind === 'shell') return true;
  const text = [...(container.command ?? []), ...(container.args ?? [])].join('\n');
  const isConfigured = (container.env ?? []).some((e) => brokerVariables.test(e.name));
  return starts.test(text) || isConfigured || (start.kind === 'file' && kind === 'StatefulSet');
}

/** The containers of a workload that run a broker or a controller; none of one that has opted out. */
export function brokersOf<S extends Subject>(
  workload: Workload<S>,
  configMaps: readonly ConfigMap[],
): Broker<S>[] {
  const { set, pod, namespace } = workload;
  const annotations = set.metadata?.annotations ?? {};
  if (set.metadata?.labels?.[keys.ignore] === 'true') return [];
  const named = families.find((f) => f.id === annotations[keys.imageProfile])?.profile;
  const seen = recognise(set);
  return pod.containers.flatMap((container, index): Broker<S>[] => {
    const known = seen.kind === 'kafka' && seen.index === index ? seen.profile : undefined;
    const profile = known ?? profileOf(container, pod.containers.length === 1 ? named : undefined);
    if (profile === undefined) return [];
    const start = startOf(container, { entrypoints: profile.entrypoints, pod });
    if (!startsKafka(container, start, workload.kind)) return [];
    const configuration = resolvedConfiguration({ workload, container, start, profile, configMaps });
    const shape = shapeOf(configuration);
    const role = statedRoleOf(set) ?? visibleRoleOf(configuration) ?? 'unseen';
    const version =
      versionOf(annotations[keys.kafkaVersion]) ?? profile.kafkaOf(parseImage(container.image ?? ''));
    const cluster = clusterOf(set, { shape, configuration, role, namespace });
    const hardened = annotations[keys.profile] !== undefined;
    return [
      { workload, container, index, profile, start, configuration, shape, version, role, cluster, hardened },
    ];
  });
}

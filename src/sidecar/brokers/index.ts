import { X509Certificate } from 'node:crypto';
import {
  type DescribedCluster,
  type Features,
  KafkaError,
  type MetadataMode,
  type Topic,
  underReplicated,
} from '../../kafka/index.ts';
import { elrFeature, metadataFeature, metadataVersionName } from '../../upgrade/index.ts';
import { type ClusterSet, addressOf, podNames, roleOf, servingSets } from '../cluster-set.ts';
import type { Finding } from '../conditions.ts';
import type { Context, Report } from '../context.ts';
import type { Pod } from '../objects.ts';
import type { BrokerStatus } from '../status/kafka-cluster.ts';
import { votes } from '../topology.ts';
import { brokersOf, controllersOf, nodeFacts } from './nodes.ts';

/** What is asked of Kafka less often than the rest, kept between passes on the monotonic clock. */
export interface Observation {
  topics?: { value: readonly Topic[]; atMs: number };
  /** End of the certificate that each process presents, by `POD STORE`. */
  presented: Map<string, string>;
  presentedAgainAtMs: number;
  /** Never changes while the cluster lives. */
  mode?: MetadataMode;
}

const periodsMs = {
  ...{ unsettled: 2_000, settled: 10_000, topics: 15_000 },
  ...{ certificates: 300_000, certificatesMissed: 30_000 },
};

/** What Kafka itself says of its brokers, beside what Kubernetes says of their pods. Changes nothing. */
export async function observeBrokers(context: Context, seen: Observation): Promise<Report> {
  const { sets, pods } = context.world();
  if (sets.length === 0) return { conditions: [] };
  const expected = servingSets(sets).reduce((sum, { replicas }) => sum + replicas, 0);
  context.metrics.brokersExpected.set(expected);
  if (servingSets(sets).length === 0) return withoutBrokers(sets, pods);
  try {
    const cluster = await context.kafka.describeCluster();
    const brokers = brokersOf(sets, pods, cluster);
    const registered = brokers.filter((broker) => broker.registered).length;
    context.metrics.brokersRegistered.set(registered);
    const facts = await factsOf(context, seen, cluster);
    seen.mode = facts.mode;
    const controllers = controllersOf(sets, pods, facts.quorum);
    const settled =
      brokers.every((broker) => broker.registered && broker.ready) &&
      controllers.every((controller) => controller.ready);
    if (settled) await observeCertificates(context, seen, facts.mode);
    const presented = Object.fromEntries(seen.presented);
    return {
      conditions: [registrationFinding(brokers)],
      facts: { ...facts, presented, ...nodeFacts(brokers, controllers) },
      againInMs: settled ? periodsMs.settled : periodsMs.unsettled,
    };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    context.metrics.brokersRegistered.set(0);
    context.log.debug({ event: 'kafka-not-reached', code: error.code }, error.message);
    const brokers = brokersOf(sets, pods, undefined);
    return {
      conditions: [
        { type: 'Registered', status: 'Unknown', reason: reasonOf(error), message: error.message },
      ],
      facts: {
        ...(seen.mode === undefined ? {} : { mode: seen.mode }),
        ...nodeFacts(brokers, controllersOf(sets, pods, undefined)),
      },
      againInMs: periodsMs.unsettled,
    };
  }
}

function withoutBrokers(sets: readonly ClusterSet[], pods: readonly Pod[]): Report {
  const message = 'No StatefulSet of brokers is there yet: its controllers wait for them.';
  return {
    conditions: [{ type: 'Registered', status: 'Unknown', reason: 'NoBrokers', message }],
    facts: nodeFacts([], controllersOf(sets, pods, undefined)),
  };
}

/** `kafka-unreachable` as a condition's reason: `KafkaUnreachable`. */
export const reasonOf = ({ code }: KafkaError): string =>
  code.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());

async function factsOf(context: Context, seen: Observation, { clusterId }: DescribedCluster) {
  const { features, mode } = await context.kafka.apiVersions();
  const now = performance.now();
  if (seen.topics === undefined || now - seen.topics.atMs >= periodsMs.topics) {
    seen.topics = { value: await context.kafka.topics(), atMs: now };
  }
  const behind = underReplicated(seen.topics.value).length;
  context.metrics.underReplicated.set(behind);
  return {
    clusterId,
    mode,
    underReplicatedPartitions: behind,
    ...(mode === 'kraft' ? await metadataFacts(context, features) : {}),
  };
}

/** What only a KRaft cluster has: a quorum of its own and finalized features. */
async function metadataFacts(context: Context, features: Features) {
  const quorum = await context.kafka.describeQuorum();
  const ids = (replicas: readonly { id: number }[]) => replicas.map(({ id }) => id).sort((a, b) => a - b);
  return {
    metadataVersion: metadataVersionName(features.get(metadataFeature) ?? 0),
    eligibleLeaderReplicas: (features.get(elrFeature) ?? 0) > 0,
    quorum: { leader: quorum.leaderId, voters: ids(quorum.voters), observers: ids(quorum.observers) },
  };
}

/** A process keeps the certificate that it started with: only a handshake tells which. */
async function observeCertificates(context: Context, seen: Observation, mode: MetadataMode): Promise<void> {
  if (performance.now() < seen.presentedAgainAtMs) return;
  let againInMs = periodsMs.certificates;
  const stores = context
    .world()
    .sets.flatMap((set) => podNames(set).flatMap((pod) => listenersOf(context, set, pod)))
    .filter(({ store }) => store === 'INTERNAL' || mode === 'kraft');
  for (const { pod, store, address } of stores) {
    const der = await context.kafka.presentedCertificate(address).catch(() => undefined);
    if (der === undefined) {
      againInMs = periodsMs.certificatesMissed;
      continue;
    }
    const { validToDate } = new X509Certificate(der);
    seen.presented.set(`${pod} ${store}`, validToDate.toISOString());
    context.metrics.presentedCertificateExpiry.set({ pod, store }, validToDate.getTime() / 1_000);
  }
  seen.presentedAgainAtMs = performance.now() + againInMs;
}

function listenersOf({ namespace }: Context, set: ClusterSet, pod: string) {
  const host = addressOf(set, pod, namespace);
  const { internalPort, controllerPort } = set.layout;
  const internal = { pod, store: 'INTERNAL', address: { host, port: internalPort } };
  const controller = { pod, store: 'CONTROLLER', address: { host, port: controllerPort } };
  return [...(roleOf(set) === 'controller' ? [] : [internal]), ...(votes(set, pod) ? [controller] : [])];
}

function registrationFinding(brokers: readonly BrokerStatus[]): Finding {
  const absent = brokers.filter(({ registered }) => !registered).map(({ pod }) => pod);
  return absent.length === 0
    ? {
        type: 'Registered',
        status: 'True',
        reason: 'AllRegistered',
        message: 'Every broker is registered and not fenced.',
      }
    : {
        type: 'Registered',
        status: 'False',
        reason: 'BrokersMissing',
        message: `Not registered with the cluster, or fenced: ${absent.join(', ')}.`,
      };
}

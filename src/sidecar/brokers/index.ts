import { X509Certificate } from 'node:crypto';
import { type DescribedCluster, KafkaError, type Topic, underReplicated } from '../../kafka/index.ts';
import { type ClusterSet, addressOf, nodeIdOf, ordinalOf, podNames } from '../cluster-set.ts';
import type { Finding } from '../conditions.ts';
import type { Context, Facts, Report } from '../context.ts';
import { type Pod, isReady } from '../objects.ts';
import type { BrokerStatus } from '../status/kafka-cluster.ts';
import { metadataVersionName } from './metadata-version.ts';

/** What is asked of Kafka less often than the rest, kept between passes on the monotonic clock. */
export interface Observation {
  topics?: { value: readonly Topic[]; atMs: number };
  /** End of the certificate that each process presents, by `POD STORE`. */
  presented: Map<string, string>;
  presentedAtMs: number;
}

const periodsMs = { unsettled: 2_000, settled: 10_000, topics: 15_000, certificates: 300_000 };

/** What Kafka itself says of its brokers, beside what Kubernetes says of their pods. Changes nothing. */
export async function observeBrokers(context: Context, seen: Observation): Promise<Report> {
  const { sets, pods } = context.world();
  if (sets.length === 0) return { conditions: [] };
  context.metrics.brokersExpected.set(sets.reduce((sum, { replicas }) => sum + replicas, 0));
  try {
    const cluster = await context.kafka.describeCluster();
    const brokers = brokersOf(sets, pods, cluster);
    const registered = brokers.filter((broker) => broker.registered).length;
    context.metrics.brokersRegistered.set(registered);
    const settled = brokers.every((broker) => broker.registered && broker.ready);
    const facts = await factsOf(context, seen, { cluster, settled });
    return {
      conditions: [registrationFinding(brokers)],
      facts: { ...facts, brokers, summary: `${registered}/${brokers.length} brokers` },
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
      facts: { brokers, summary: `0/${brokers.length} brokers` },
      againInMs: periodsMs.unsettled,
    };
  }
}

/** `kafka-unreachable` as a condition's reason: `KafkaUnreachable`. */
export const reasonOf = ({ code }: KafkaError): string =>
  code.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());

/** The pods that the StatefulSets ask for, each with what the cluster knows of its broker. */
export function brokersOf(
  sets: readonly ClusterSet[],
  pods: readonly Pod[],
  cluster: DescribedCluster | undefined,
): BrokerStatus[] {
  return sets.flatMap((set) =>
    podNames(set).map((name) => {
      const id = nodeIdOf(set, ordinalOf(set, name) ?? 0);
      const pod = pods.find(({ metadata }) => metadata.name === name);
      const broker = cluster?.brokers.find((one) => one.id === id);
      return {
        id,
        pod: name,
        set: set.name,
        ...(pod?.spec?.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
        ...(broker?.rack === undefined ? {} : { rack: broker.rack }),
        registered: broker !== undefined && broker.fenced !== true,
        ready: pod !== undefined && isReady(pod),
      };
    }),
  );
}

async function factsOf(
  context: Context,
  seen: Observation,
  { cluster, settled }: { cluster: DescribedCluster; settled: boolean },
): Promise<Facts> {
  const quorum = await context.kafka.describeQuorum();
  const features = await context.kafka.features();
  const now = performance.now();
  if (seen.topics === undefined || now - seen.topics.atMs >= periodsMs.topics) {
    seen.topics = { value: await context.kafka.topics(), atMs: now };
  }
  if (settled && now - seen.presentedAtMs >= periodsMs.certificates) {
    await observeCertificates(context, seen);
    seen.presentedAtMs = now;
  }
  const behind = underReplicated(seen.topics.value).length;
  context.metrics.underReplicated.set(behind);
  const ids = (replicas: readonly { id: number }[]) => replicas.map(({ id }) => id).sort((a, b) => a - b);
  return {
    clusterId: cluster.clusterId,
    metadataVersion: metadataVersionName(features.get('metadata.version') ?? 0),
    eligibleLeaderReplicas: (features.get('eligible.leader.replicas.version') ?? 0) > 0,
    underReplicatedPartitions: behind,
    presented: Object.fromEntries(seen.presented),
    quorum: { leader: quorum.leaderId, voters: ids(quorum.voters), observers: ids(quorum.observers) },
  };
}

/** A process keeps the certificate that it started with: only a handshake tells which. */
async function observeCertificates(context: Context, seen: Observation): Promise<void> {
  const stores = context
    .world()
    .sets.flatMap((set) => podNames(set).flatMap((pod) => listenersOf(context, set, pod)));
  for (const { pod, store, address } of stores) {
    const der = await context.kafka.presentedCertificate(address).catch(() => undefined);
    if (der === undefined) continue;
    const { validToDate } = new X509Certificate(der);
    seen.presented.set(`${pod} ${store}`, validToDate.toISOString());
    context.metrics.presentedCertificateExpiry.set({ pod, store }, validToDate.getTime() / 1_000);
  }
}

function listenersOf({ namespace }: Context, set: ClusterSet, pod: string) {
  const host = addressOf(set, pod, namespace);
  const { internalPort, controllerPort, voters } = set.layout;
  const internal = { pod, store: 'INTERNAL', address: { host, port: internalPort } };
  const votes = (ordinalOf(set, pod) ?? 0) < set.firstOrdinal + voters;
  return votes
    ? [internal, { pod, store: 'CONTROLLER', address: { host, port: controllerPort } }]
    : [internal];
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

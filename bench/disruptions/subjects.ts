import { images, type Cluster, type KafkaLine } from '../../test/cluster/index.ts';
import { podPlace } from '../../test/judge/producers/pod-place.ts';
import { type Place, workloadIn } from '../../test/judge/producers/workload.ts';
import type { Side } from '../../test/judge/report.ts';
import { deleteNamespace } from '../../test/support/brokers.ts';
import { until } from '../../test/support/until.ts';
import { vanillaManifest } from '../../test/support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../../test/support/warden.ts';

/** A Kafka that disruptions are tried on. */
export interface Subject {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Its StatefulSet. */
  readonly set: string;
  /** Where the producers run. */
  readonly place: Place;
  /** kubectl in its namespace. */
  readonly kubectl: (...args: string[]) => Promise<string>;
  /** Names of the broker's pods. */
  readonly pods: () => Promise<string[]>;
  /** Waits until all pods that the set wants are ready. */
  readonly ready: () => Promise<void>;
  /** Waits until so many brokers have joined. */
  readonly serving: (brokers: number) => Promise<void>;
  readonly end: () => Promise<void>;
}

const set = 'kafka';
const user = 'judge';
/** A scale-in waits until all replicas of the broker have moved. */
const readyMs = 900_000;
const imageOf = (line: KafkaLine) => (line === '4.1' ? images.kafka41 : images.kafka39);

/**
 * What people write without kafka-warden: fixed voters, durable defaults, spread, and a budget of one pod; a readiness probe on the
 * client port only where they are careful.
 */
function plainObjects(namespace: string, image: string, hasProbe: boolean): object[] {
  const labels = { app: set };
  const env = (name: string, value: string) => ({ name, value });
  const host = `$(POD_NAME).${set}.${namespace}.svc`;
  const voters = [0, 1, 2].map((id) => `${id}@${set}-${id}.${set}.${namespace}.svc:9093`).join(',');
  // A fourth pod is a broker only: it is not among the voters.
  const start = `case $POD_NAME in *-[012]) ;; *)
    export KAFKA_PROCESS_ROLES=broker KAFKA_LISTENERS=PLAINTEXT://:9092 ;; esac
    exec /etc/kafka/docker/run`;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: set, namespace },
      spec: {
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector: labels,
        ports: [{ name: 'kafka', port: 9092 }],
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: set, namespace },
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: set, namespace },
      spec: {
        serviceName: set,
        replicas: 3,
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            securityContext: { fsGroup: 1000 },
            affinity: {
              podAntiAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                  {
                    weight: 100,
                    podAffinityTerm: {
                      labelSelector: { matchLabels: labels },
                      topologyKey: 'kubernetes.io/hostname',
                    },
                  },
                ],
              },
            },
            containers: [
              {
                name: 'kafka',
                image: image.replace(/^docker\.io\//, ''),
                command: ['bash', '-c', start],
                env: [
                  { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                  {
                    name: 'KAFKA_NODE_ID',
                    valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } },
                  },
                  env('KAFKA_PROCESS_ROLES', 'broker,controller'),
                  env('KAFKA_CONTROLLER_QUORUM_VOTERS', voters),
                  env('KAFKA_LISTENERS', 'PLAINTEXT://:9092,CONTROLLER://:9093'),
                  env('KAFKA_ADVERTISED_LISTENERS', `PLAINTEXT://${host}:9092`),
                  env('KAFKA_CONTROLLER_LISTENER_NAMES', 'CONTROLLER'),
                  env('KAFKA_LISTENER_SECURITY_PROTOCOL_MAP', 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT'),
                  env('KAFKA_INTER_BROKER_LISTENER_NAME', 'PLAINTEXT'),
                  env('KAFKA_LOG_DIRS', '/var/lib/kafka/data/logs'),
                  env('KAFKA_DEFAULT_REPLICATION_FACTOR', '3'),
                  env('KAFKA_MIN_INSYNC_REPLICAS', '2'),
                  env('KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR', '3'),
                ],
                ports: [{ name: 'kafka', containerPort: 9092 }],
                ...(hasProbe ? { readinessProbe: { tcpSocket: { port: 9092 }, periodSeconds: 2 } } : {}),
                volumeMounts: [{ name: 'data', mountPath: '/var/lib/kafka/data' }],
              },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
  ];
}

const calls = (cluster: Cluster, namespace: string) => {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  return {
    kubectl,
    pods: async () => {
      const names = await kubectl(
        'get',
        'pods',
        '-l',
        `app=${set}`,
        '-o',
        'jsonpath={.items[*].metadata.name}',
      );
      return names.split(' ').filter((name) => name !== '');
    },
    ready: async () => {
      const fields =
        '{.spec.replicas} {.status.readyReplicas} {.status.replicas} {.metadata.generation} {.status.observedGeneration}';
      await until(
        `all pods of ${set} are ready`,
        async () => {
          const text = await kubectl('get', 'statefulset', set, '-o', `jsonpath=${fields}`);
          const [wanted, ready, made, generation, observed] = text.split(' ');
          return wanted === ready && wanted === made && generation === observed;
        },
        { timeoutMs: readyMs },
      );
    },
  };
};

async function givenUser(cluster: Cluster, namespace: string): Promise<void> {
  await cluster.apply({
    apiVersion: 'kafka-warden.io/v1alpha1',
    kind: 'KafkaUser',
    metadata: { name: user, namespace },
    spec: {
      cluster: set,
      acls: [
        {
          resource: { type: 'topic', name: 'judge-', pattern: 'prefixed' },
          operations: ['Create', 'Describe', 'Read', 'Write'],
        },
        { resource: { type: 'group', name: 'judge-', pattern: 'prefixed' }, operations: ['Read'] },
      ],
    },
  });
  await cluster.kubectl([
    '-n',
    namespace,
    'wait',
    `kafkauser/${user}`,
    '--for=condition=Ready',
    '--timeout=120s',
  ]);
}

/** The node that the producers' pod runs on; draining it leaves that pod alone. */
const clientsNode = async (cluster: Cluster): Promise<string> => (await cluster.nodes()).at(-1) ?? 'node1';

/** Starts a Kafka of one of the two kinds, with a pod for the producers. */
export async function startSubject(cluster: Cluster, side: Side, line: KafkaLine): Promise<Subject> {
  const namespace = `judge-${side}`;
  const image = imageOf(line);
  const { kubectl, pods, ready } = calls(cluster, namespace);
  const common = { namespace, image, node: await clientsNode(cluster) };
  if (side === 'warden') {
    await installWarden(cluster, ['evictionGate.enabled=true']);
    await enrolledNamespace(cluster, namespace);
    await cluster.apply(vanillaManifest({ name: set, namespace, image }));
  } else await cluster.apply(plainObjects(namespace, image, side === 'probed'));
  await ready();
  if (side === 'warden') await givenUser(cluster, namespace);
  const place = await podPlace(cluster, {
    ...common,
    ...(side === 'warden' ? { user } : { bootstrap: `${set}.${namespace}.svc:9092` }),
  });
  const end = async () => {
    await kubectl('delete', 'statefulset', set, '--wait=false');
    await deleteNamespace(cluster, namespace);
  };
  const serving = (brokers: number) => workloadIn(place, { topic: 'judge-none' }).serving(brokers);
  return { cluster, namespace, set, place, kubectl, pods, ready, serving, end };
}

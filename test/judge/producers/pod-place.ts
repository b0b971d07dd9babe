import { readFileSync } from 'node:fs';
import { images, type Cluster } from '../../cluster/index.ts';
import type { Place } from './workload.ts';

const source = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');
const name = 'judge';
const folder = '/results';
const secret = '/etc/kafka-user';

export interface PodPlaceOptions {
  readonly namespace: string;
  /** A node that stays up; draining it does not end the clients. */
  readonly node: string;
  /** Image with Kafka's tools. */
  readonly image: string;
  /** KafkaUser whose Secret is used; plaintext to `bootstrap` where absent. */
  readonly user?: string;
  readonly bootstrap?: string;
}

/**
 * One pod in the cluster with both clients. A DaemonSet makes it, because a drain leaves the pods of DaemonSets alone: what is measured is the
 * brokers, not the clients' own move.
 */
function manifest({ namespace, node, image, user }: PodPlaceOptions): object[] {
  const mounts = [
    { name: 'results', mountPath: folder },
    { name: 'script', mountPath: '/judge' },
    ...(user === undefined ? [] : [{ name: 'user', mountPath: secret }]),
  ];
  const container = (of: string, from: string) => ({
    name: of,
    image: from,
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'],
    volumeMounts: mounts,
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { 'client.ts': source('client.ts'), 'tally.ts': source('tally.ts') },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            nodeSelector: { 'kubernetes.io/hostname': node },
            terminationGracePeriodSeconds: 1,
            containers: [
              container('kafkajs', images.warden),
              container('java', image.replace(/^docker\.io\//, '')),
            ],
            volumes: [
              { name: 'results', emptyDir: {} },
              { name: 'script', configMap: { name } },
              ...(user === undefined ? [] : [{ name: 'user', secret: { secretName: `${user}-kafka-user` } }]),
            ],
          },
        },
      },
    },
  ];
}

/** Starts the clients' pod and waits until it is ready. It goes with its namespace. */
export async function podPlace(cluster: Cluster, options: PodPlaceOptions): Promise<Place> {
  const { namespace, user, bootstrap } = options;
  await cluster.apply(manifest(options));
  await cluster.kubectl(['-n', namespace, 'rollout', 'status', `daemonset/${name}`, '--timeout=120s']);
  const shell = async (client: 'kafkajs' | 'java', text: string) =>
    cluster.kubectl([
      ...['-n', namespace, 'exec', `daemonset/${name}`, '-c', client],
      ...['--', 'sh', '-c', `set -e\n${text}`],
    ]);
  return {
    folder,
    connection: {
      ...(user === undefined ? {} : { secret }),
      ...(bootstrap === undefined ? {} : { bootstrap }),
    },
    properties:
      user === undefined
        ? 'security.protocol=PLAINTEXT'
        : await shell('java', `cat ${secret}/client.properties`),
    clientCommand: `env JUDGE_MODULES=/app/package.json timeout 3600 /usr/local/bin/node --disable-warning=TimeoutNegativeWarning /judge/client.ts`,
    verifiableCommand:
      'exec env KAFKA_HEAP_OPTS=-Xmx128M timeout 3600 /opt/kafka/bin/kafka-verifiable-producer.sh',
    shell,
  };
}

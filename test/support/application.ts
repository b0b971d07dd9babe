import { readFileSync } from 'node:fs';
import type { Cluster } from '../cluster/index.ts';
import { images } from '../cluster/index.ts';

const script = readFileSync(new URL('client.ts', import.meta.url), 'utf8');

/** What a connection attempt ended in. */
export interface Attempt {
  connected: boolean;
  topics?: string[];
  error?: string;
}

/** An application's pod in the cluster, which uses kafkajs with the Secret of a KafkaUser. */
export interface Application {
  produce(topic: string, count: number): Promise<number>;
  consume(topic: string, group: string, count: number): Promise<number>;
  /** Tries to connect as the user, over TLS without credentials, or in plaintext; `bootstrap` overrides the Secret's. */
  connect(kind: 'user' | 'anonymous' | 'plain', bootstrap?: string): Promise<Attempt>;
}

/** Starts an application's pod and waits until it is ready. */
export async function startApplication(
  cluster: Cluster,
  namespace: string,
  user: string,
): Promise<Application> {
  const name = `application-${user}`;
  await cluster.apply([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { 'client.ts': script } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'application',
            image: images.warden,
            imagePullPolicy: 'IfNotPresent',
            command: ['/usr/local/bin/node', '-e', 'setInterval(() => {}, 1e9)'],
            volumeMounts: [
              { name: 'script', mountPath: '/client' },
              { name: 'user', mountPath: '/etc/kafka-user' },
            ],
          },
        ],
        volumes: [
          { name: 'script', configMap: { name } },
          { name: 'user', secret: { secretName: `${user}-kafka-user` } },
        ],
      },
    },
  ]);
  await cluster.kubectl(['-n', namespace, 'wait', `pod/${name}`, '--for=condition=Ready', '--timeout=120s']);
  const run = async (args: readonly string[], environment: readonly string[] = []) => {
    const command = ['env', ...environment, '/usr/local/bin/node', '/client/client.ts', ...args];
    const output = await cluster.kubectl(['-n', namespace, 'exec', name, '--', ...command]);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
  };
  return {
    produce: async (topic, count) => Number((await run(['produce', topic, String(count)]))['produced']),
    consume: async (topic, group, count) =>
      Number((await run(['consume', topic, group, String(count)]))['consumed']),
    connect: async (kind, bootstrap) =>
      (await run(
        ['connect', kind],
        bootstrap === undefined ? [] : [`BOOTSTRAP=${bootstrap}`],
      )) as unknown as Attempt,
  };
}

/**
 * An application with a KafkaUser of its own, which may use the topic `orders` and groups whose names begin with `group`. Waits
 * until the sidecar has given it credentials.
 */
export async function givenApplication(
  cluster: Cluster,
  { namespace, user, kafka, group }: { namespace: string; user: string; kafka: string; group: string },
): Promise<Application> {
  await cluster.apply({
    apiVersion: 'kafka-warden.io/v1alpha1',
    kind: 'KafkaUser',
    metadata: { name: user, namespace },
    spec: {
      cluster: kafka,
      acls: [
        { resource: { type: 'topic', name: 'orders' }, operations: ['Create', 'Describe', 'Read', 'Write'] },
        { resource: { type: 'group', name: group, pattern: 'prefixed' }, operations: ['Read'] },
      ],
    },
  });
  await cluster.kubectl([
    '-n',
    namespace,
    'wait',
    `kafkauser/${user}`,
    '--for=condition=Ready',
    '--timeout=90s',
  ]);
  return startApplication(cluster, namespace, user);
}

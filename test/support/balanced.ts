import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type KafkaAdmin, connectAdmin } from '../../src/kafka/index.ts';
import type { Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import type { KafkaRebalance, RebalanceStatus } from '../../src/sidecar/rebalance/kafka-rebalance.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';
import { nodesAuthorityLeaf } from './authorities.ts';
import { type Brokers, brokersOf, deleteNamespace } from './brokers.ts';
import { type KafkaTools, bulkOptions, startKafkaTools } from './kafka-tools.ts';
import { kubeOf } from './sidecar.ts';
import { until } from './until.ts';
import { vanillaObjects } from './vanilla.ts';
import { enrolledNamespace, installWarden } from './warden.ts';

const program = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const sidecarLabel = 'app.kubernetes.io/component=sidecar';

/** The name of the StatefulSet and of the Kafka cluster. */
export const kafka = 'kafka';

export interface BalancedOptions {
  namespace: string;
  /** To begin with. */
  brokers: number;
  /** Of each broker's volume. */
  storage?: string;
}

/** One hardened cluster of the test cluster, with what balancing tests ask and do. Disposing of it deletes its namespace. */
export interface Balanced extends AsyncDisposable {
  readonly namespace: string;
  readonly cluster: Cluster;
  readonly kube: Kube;
  readonly brokers: Brokers;
  readonly tools: KafkaTools;
  readonly admin: KafkaAdmin;
  readonly kubectl: (...args: string[]) => Promise<string>;
  /** Runs `kafka-warden` from this checkout in the namespace. */
  readonly cli: (...args: string[]) => Promise<string>;
  readonly create: (name: string, spec: object) => Promise<unknown>;
  /** Puts a plan in Kafka's reassignment format into a ConfigMap. */
  readonly configMap: (name: string, plan: object) => Promise<unknown>;
  readonly rebalance: (name: string) => Promise<KafkaRebalance>;
  /** Waits; a KafkaRebalance that fails meanwhile fails the test with its message. */
  readonly inPhase: (name: string, ...phases: string[]) => Promise<RebalanceStatus>;
  /** Approves by annotation what is proposed; returns the hash. */
  readonly approve: (name: string) => Promise<string>;
  /** Every dynamic setting of every topic and broker. */
  readonly settings: () => Promise<string[]>;
  /** Where every partition of the cluster lies, the preferred leader first. */
  readonly places: () => Promise<Map<string, readonly number[]>>;
  /** Bytes in each broker's log directories, without copies that are under way to another directory. */
  readonly bytesOn: () => Promise<Map<number, number>>;
  /** The one sidecar that is not ending. */
  readonly sidecar: () => Promise<string>;
  /** Kills the sidecar's process (SIGKILL) and has the next pod started at once. */
  readonly killSidecar: () => Promise<void>;
}

export async function startBalanced({
  namespace,
  brokers: count,
  storage = '1Gi',
}: BalancedOptions): Promise<Balanced> {
  const cluster = await startCluster();
  const kube = await kubeOf(cluster);
  await installWarden(cluster);
  await enrolledNamespace(cluster, namespace);
  await cluster.apply(manifestOf({ namespace, count, storage }));
  const brokers = brokersOf(cluster, namespace, kafka);
  await brokers.ready(240_000);
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  await kubectl('wait', `kafkacluster/${kafka}`, '--for=condition=Ready', '--timeout=120s');
  const tools = await startKafkaTools(cluster, { namespace, kafka });
  const { ca, cert, key } = await nodesAuthorityLeaf(cluster, namespace, kafka);
  const admin = connectAdmin({
    bootstrap: Array.from({ length: count }, (_, id) => `kafka-${id}.kafka.${namespace}.svc:9091`),
    tls: { caPem: ca, certificatePem: cert, privateKeyPem: key },
    lookup: cluster.lookup,
  });
  return {
    ...{ namespace, cluster, kube, brokers, tools, admin, kubectl },
    ...objectCalls(cluster, kube, namespace),
    ...kafkaCalls(admin),
    ...sidecarCalls(cluster, namespace),
    async [Symbol.asyncDispose]() {
      await admin.close();
      await deleteNamespace(cluster, namespace);
      await cluster[Symbol.asyncDispose]();
    },
  };
}

interface Filling {
  readonly topics: readonly string[];
  /** Of each topic. */
  readonly partitions: number;
  /** Of 1 KiB, in each topic. */
  readonly records: number;
  readonly large: { readonly partitions: number; readonly records: number };
}

/** Topics on the brokers 0 to 3: `live`, which is empty, those that are named, and `large`, of few and large partitions. */
export async function fillFour(tools: KafkaTools, { topics, partitions, records, large }: Filling) {
  const onFour = Array.from({ length: partitions }, (_, i) => [i % 4, (i + 1) % 4, (i + 2) % 4]);
  await tools.createTopic('live', onFour);
  for (const topic of topics) {
    await tools.createTopic(topic, onFour);
    await tools.fill(topic, records);
  }
  await tools.createTopic('large', onFour.slice(0, large.partitions));
  await tools.fill('large', large.records);
}

function manifestOf({
  namespace,
  count,
  storage,
}: {
  namespace: string;
  count: number;
  storage: string;
}): object[] {
  const container = { env: [{ name: 'KAFKA_JVM_PERFORMANCE_OPTS', value: bulkOptions }] };
  return vanillaObjects({ name: kafka, namespace, replicas: count, container }).map((object) => {
    if (!('kind' in object) || object.kind !== 'StatefulSet') return object;
    const set = object as unknown as { spec: { volumeClaimTemplates: { spec: object }[] } };
    const [claim] = set.spec.volumeClaimTemplates;
    const spec = { ...claim!.spec, resources: { requests: { storage } } };
    return { ...set, spec: { ...set.spec, volumeClaimTemplates: [{ ...claim, spec }] } };
  });
}

function objectCalls(cluster: Cluster, kube: Kube, namespace: string) {
  const rebalance = (name: string) => kube.get<KafkaRebalance>(paths.kafkarebalances(namespace, name));
  const inPhase = (name: string, ...phases: string[]) =>
    until(
      `${name} is ${phases.join(' or ')}`,
      async () => {
        const { status } = await rebalance(name);
        if (status?.phase === 'Failed' && !phases.includes('Failed')) throw new Failed(status.message);
        return phases.includes(status?.phase ?? '') && status;
      },
      { timeoutMs: 600_000, isFinal: (error) => error instanceof Failed },
    );
  return {
    rebalance,
    inPhase,
    create: (name: string, spec: object) =>
      cluster.apply({
        apiVersion: 'kafka-warden.io/v1alpha1',
        kind: 'KafkaRebalance',
        metadata: { name, namespace },
        spec: { cluster: kafka, searchSeconds: 2, ...spec },
      }),
    configMap: (name: string, plan: object) =>
      cluster.apply({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace },
        data: { 'plan.json': JSON.stringify(plan) },
      }),
    async approve(name: string) {
      const { plan } = await inPhase(name, 'Proposed');
      assert.ok(plan);
      const annotation = `kafka-warden.io/approve=${plan.hash}`;
      await cluster.kubectl(['-n', namespace, 'annotate', '--overwrite', 'kafkarebalance', name, annotation]);
      return plan.hash;
    },
    async cli(...args: string[]) {
      const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
      const command = [program, ...args, '-n', namespace];
      const { stdout } = await promisify(execFile)(process.execPath, command, { env });
      return stdout;
    },
  };
}

class Failed extends Error {}

function kafkaCalls(admin: KafkaAdmin) {
  return {
    async settings() {
      const names = (await admin.topics()).map(({ name }) => name).sort();
      const ids = (await admin.describeCluster()).brokers.map(({ id }) => id).sort();
      const resources = [
        ...names.map((name) => ({ type: 'topic', name }) as const),
        ...ids.map((id) => ({ type: 'broker', name: String(id) }) as const),
      ];
      const all = await admin.describeManyConfigs(resources);
      return all
        .map(({ resource, configs }) => {
          const dynamic = configs.filter(({ source }) => source === 'topic' || source === 'broker');
          const values = dynamic.map(({ name, value }) => `${name}=${value}`).sort();
          return `${resource.type} ${resource.name} ${values.join(' ')}`;
        })
        .sort();
    },
    async places() {
      const topics = await admin.topics();
      return new Map(
        topics.flatMap(({ name, partitions }) =>
          partitions.map(({ index, replicas }) => [`${name}-${index}`, replicas] as const),
        ),
      );
    },
    async bytesOn() {
      const { brokers } = await admin.describeCluster();
      const each = brokers.map(async ({ id }) => {
        const replicas = (await admin.describeLogDirs(id)).flatMap((dir) => dir.replicas);
        const own = replicas.filter(({ future }) => !future);
        return [id, own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)] as const;
      });
      return new Map(await Promise.all(each));
    },
  };
}

function sidecarCalls(cluster: Cluster, namespace: string) {
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const path =
    'jsonpath={range .items[*]}{.metadata.name} {.status.phase} {.metadata.deletionTimestamp}{"\\n"}{end}';
  const sidecar = async () => {
    const lines = (await kubectl('get', 'pods', '-l', sidecarLabel, '-o', path)).trim().split('\n');
    const running = lines
      .map((line) => line.split(' '))
      .filter(([, phase, ending]) => phase === 'Running' && !ending);
    const name = running[0]?.[0];
    if (name === undefined || running.length > 1) throw new Error(`${running.length} sidecars are running`);
    return name;
  };
  return {
    sidecar,
    async killSidecar() {
      // Between its restarts there is nothing to kill.
      const pod = await until('the sidecar is killed', async () => {
        const name = await sidecar();
        await cluster.killProcessOf(name, namespace);
        return name;
      });
      // The next one begins at once: the kubelet would wait longer after each kill.
      await kubectl('delete', 'pod', pod, '--force', '--grace-period=0');
      await until('the next one is there', sidecar);
    },
  };
}

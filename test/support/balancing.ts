import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type KafkaAdmin, connectAdmin } from '../../src/kafka/index.ts';
import type { Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import type { KafkaRebalance } from '../../src/sidecar/rebalance/kafka-rebalance.ts';
import { readPlan } from '../../src/sidecar/rebalance/plan-store.ts';
import { type Cluster, startCluster } from '../cluster/index.ts';
import { nodesAuthorityLeaf } from './authorities.ts';
import { type Brokers, brokersOf, deleteNamespace } from './brokers.ts';
import { type KafkaTools, startKafkaTools } from './kafka-tools.ts';
import { kubeOf } from './sidecar.ts';
import { until } from './until.ts';
import { vanillaManifest } from './vanilla.ts';
import { enrolledNamespace, installWarden } from './warden.ts';

const program = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const topics = ['orders', 'payments', 'clicks', 'audit', 'stock'];

/** How large the cluster is that is balanced, and how often the sidecar is killed meanwhile. */
export interface Balancing {
  namespace: string;
  /** Brokers to which one more comes. */
  brokers: number;
  /** Of each of the five topics. */
  partitions: number;
  /** Of 1 KiB, of each topic. */
  records: number;
  kills: number;
  /** Of the first plan; all copies together take tens of seconds with it. */
  throttle: string;
  /** Records that the workload beside it sends, 100 a second. */
  sent: number;
}

/** One hardened cluster to which a broker comes: proposed, approved, carried out, killed, stopped, drifted. */
export function balancing({
  namespace,
  brokers: old,
  partitions,
  records,
  kills,
  throttle,
  sent,
}: Balancing): void {
  const kafka = 'kafka';
  const ids = Array.from({ length: old }, (_, id) => id);
  /** The broker that comes. */
  const added = old;
  let cluster: Cluster;
  let kube: Kube;
  let brokers: Brokers;
  let tools: KafkaTools;
  let admin: KafkaAdmin;
  let producing: Promise<string>;

  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const rebalance = async (name: string) => kube.get<KafkaRebalance>(paths.kafkarebalances(namespace, name));
  const inPhase = (name: string, ...phases: string[]) =>
    until(
      `${name} is ${phases.join(' or ')}`,
      async () => {
        const { status } = await rebalance(name);
        if (status?.phase === 'Failed' && !phases.includes('Failed')) assert.fail(status.message);
        return phases.includes(status?.phase ?? '') && status;
      },
      { timeoutMs: 900_000 },
    );
  const cli = async (...args: string[]) => {
    const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, '-n', namespace], {
      env,
    });
    return stdout;
  };
  const create = (name: string, spec: object) =>
    cluster.apply({
      apiVersion: 'kafka-warden.io/v1alpha1',
      kind: 'KafkaRebalance',
      metadata: { name, namespace },
      spec: { cluster: kafka, searchSeconds: 2, ...spec },
    });
  const approve = async (name: string) => {
    const { plan } = await inPhase(name, 'Proposed');
    await kubectl('annotate', '--overwrite', 'kafkarebalance', name, `kafka-warden.io/approve=${plan?.hash}`);
  };
  /** Every dynamic setting of every topic and broker. */
  const settings = async () => {
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
        return `${resource.type} ${resource.name} ${dynamic
          .map(({ name, value }) => `${name}=${value}`)
          .sort()
          .join(' ')}`;
      })
      .sort();
  };
  /** Where every partition of the five topics lies, the preferred leader first. */
  const placesNow = async () =>
    new Map(
      (await admin.topics(topics)).flatMap(({ name, partitions: all }) =>
        all.map(({ index, replicas }) => [`${name}-${index}`, [...replicas]] as const),
      ),
    );
  const replicasOn = async (id: number) =>
    (await admin.topics(topics))
      .flatMap((topic) => topic.partitions)
      .filter(({ replicas }) => replicas.includes(id)).length;
  const label = 'app.kubernetes.io/component=sidecar';
  const killSidecar = async () => {
    const [pod] = (
      await kubectl('get', 'pods', '-l', label, '-o', 'jsonpath={.items[*].metadata.name}')
    ).split(' ');
    // Between its restarts there is nothing to kill.
    await until('the sidecar is killed', async () => {
      await cluster.killProcessOf(pod!, namespace);
      return true;
    });
    // The next one begins at once: the kubelet would wait longer after each kill.
    await kubectl('delete', 'pod', pod!, '--force', '--grace-period=0');
    await until('the next one is there', async () => {
      const phases = await kubectl('get', 'pods', '-l', label, '-o', 'jsonpath={.items[*].status.phase}');
      return phases === 'Running';
    });
  };

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    await installWarden(cluster);
    await enrolledNamespace(cluster, namespace);
    await cluster.apply(vanillaManifest({ name: kafka, namespace, replicas: old + 1 }));
    brokers = brokersOf(cluster, namespace, kafka);
    await brokers.ready();
    await kubectl('wait', `kafkacluster/${kafka}`, '--for=condition=Ready', '--timeout=90s');
    tools = await startKafkaTools(cluster, { namespace, kafka });
    const { ca, cert, key } = await nodesAuthorityLeaf(cluster, namespace, kafka);
    admin = connectAdmin({
      bootstrap: ids.map((id) => `kafka-${id}.kafka.${namespace}.svc:9091`),
      tls: { caPem: ca, certificatePem: cert, privateKeyPem: key },
      lookup: cluster.lookup,
    });
    // The broker that has come holds nothing.
    const onOld = Array.from({ length: partitions }, (_, i) => [0, 1, 2].map((k) => (i + k) % old));
    for (const topic of topics) {
      await tools.createTopic(topic, onOld);
      await tools.fill(topic, records);
    }
    // The tool itself never sends anything again; an application does.
    producing = tools.shell(
      '(cat $CONFIG; echo; echo retries=2147483647; echo enable.idempotence=true) > /tmp/producer.properties; ' +
        'kafka-verifiable-producer.sh $SERVER --producer.config /tmp/producer.properties --topic orders --acks -1 --throughput 100 --max-messages ' +
        String(sent),
    );
    producing.catch(() => undefined);
  });
  after(async () => {
    await admin?.close();
    if (cluster) await deleteNamespace(cluster, namespace);
    await cluster?.[Symbol.asyncDispose]();
  });

  test('a proposal tells within seconds what would move, and how near to the least that is', async (t) => {
    const from = performance.now();
    await create('fill', {
      mode: 'add-brokers',
      brokers: [added],
      throttle: { bytesPerSecond: throttle },
      concurrency: { movesPerBroker: 10 },
    });
    const { summary, plan } = await inPhase('fill', 'Proposed');
    t.diagnostic(
      `proposed after ${((performance.now() - from) / 1000).toFixed(1)} s: ${JSON.stringify(summary)}`,
    );
    assert.ok(summary && summary.bytesToMove > 0 && summary.replicaMoves > 0);
    assert.ok(summary.boundShare !== undefined);
    // A plan that cannot bring all into the band, here for the racks' sake, has nothing to be compared with.
    assert.ok((summary.ratio ?? 1) >= 0.999, `ratio ${summary.ratio}`);
    assert.match(summary.confidence ?? '', /log directories/);
    assert.equal(plan?.hash.length, 64);
    assert.match(await cli('rebalance', 'status', 'fill'), /Proposed/);
  });

  test('another hash approves nothing', async () => {
    await kubectl('annotate', 'kafkarebalance', 'fill', `kafka-warden.io/approve=${'0'.repeat(64)}`);
    await until('it is said', async () => (await rebalance('fill')).status?.reason === 'StaleApproval');
    assert.equal(await replicasOn(added), 0);
  });

  test('the approved plan is carried out, whenever the sidecar is killed; throttles are as before', async (t) => {
    const configured = await settings();
    const plan = await readPlan(kube, await rebalance('fill'));
    const before = await placesNow();
    await cli('rebalance', 'approve', 'fill', '--yes');
    await inPhase('fill', 'Executing');
    for (let kill = 1; kill <= kills; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000 + Math.random() * 4_000));
      if ((await rebalance('fill')).status?.phase !== 'Executing') break;
      await killSidecar();
      t.diagnostic(`kill ${kill} at ${JSON.stringify((await rebalance('fill')).status?.progress?.summary)}`);
    }
    const { message, progress } = await inPhase('fill', 'Done');
    t.diagnostic(`${message}: ${JSON.stringify(progress)}`);
    assert.deepEqual(await settings(), configured);
    assert.deepEqual(await admin.listReassignments(), []);
    const places = await placesNow();
    for (const move of plan.moves) before.set(`${move.topic}-${move.partition}`, [...move.to]);
    assert.deepEqual(places, before, 'exactly the approved plan, and nothing else');
    assert.ok((await replicasOn(added)) > 0);
  });

  test('a stop takes back what is under way, and leaves no throttle', async () => {
    const configured = await settings();
    await create('empty', { mode: 'remove-brokers', brokers: [added], throttle: { bytesPerSecond: '200k' } });
    await approve('empty');
    await until('copies are under way', async () => (await admin.listReassignments()).length > 0);
    await cli('rebalance', 'stop', 'empty');
    const { message } = await inPhase('empty', 'Stopped');
    assert.match(message ?? '', /taken back/);
    assert.deepEqual(await admin.listReassignments(), []);
    assert.deepEqual(await settings(), configured);
  });

  test('a plan of another cluster is proposed again, with the difference', async () => {
    await create('again', { mode: 'remove-brokers', brokers: [added] });
    const { plan } = await inPhase('again', 'Proposed');
    const [moved] = (await admin.topics(['audit'])).flatMap((topic) =>
      topic.partitions.filter(({ replicas }) => replicas.includes(added)),
    );
    assert.ok(moved);
    const [first, ...rest] = moved.replicas;
    const elsewhere = [...rest, first!];
    await admin.alterReassignments([{ topic: 'audit', partition: moved.index, replicas: elsewhere }]);
    await kubectl('annotate', 'kafkarebalance', 'again', `kafka-warden.io/approve=${plan?.hash}`);
    const drifted = await until('it is proposed again', async () => {
      const { status } = await rebalance('again');
      return status?.phase === 'Proposed' && status.plan?.hash !== plan?.hash && status;
    });
    assert.match(
      `${drifted.message} ${JSON.stringify(drifted.drift)}`,
      new RegExp(`audit-${moved.index} was on`),
    );
    await kubectl('delete', 'kafkarebalance', 'again');
  });

  test('a plan from elsewhere is executed, and a broker killed meanwhile loses nothing', async () => {
    const first = async () =>
      (await admin.topics(['stock'])).flatMap((topic) => topic.partitions).find(({ index }) => index === 0);
    const partition = await first();
    assert.ok(partition);
    const absent = [...ids, added].filter((id) => !partition.replicas.includes(id));
    const replicas = [...absent, ...partition.replicas].slice(0, 3);
    const given = { version: 1, partitions: [{ topic: 'stock', partition: 0, replicas }] };
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'given', namespace },
      data: { 'plan.json': JSON.stringify(given) },
    });
    await create('given', { plan: { configMap: 'given' }, throttle: { bytesPerSecond: '100k' } });
    await approve('given');
    await inPhase('given', 'Executing', 'Done');
    await cluster.killProcessOf('kafka-2', namespace);
    await inPhase('given', 'Done');
    assert.deepEqual((await first())?.replicas, replicas);
  });

  test('the workload beside it lost and missed nothing', async () => {
    const lines = (await producing).trim().split('\n');
    const said = lines.map((line) => JSON.parse(line) as { name: string; sent?: number; acked?: number });
    const data = said.find(({ name }) => name === 'tool_data');
    assert.equal(data?.acked, sent, JSON.stringify(data));
    assert.equal(said.filter(({ name }) => name === 'producer_send_error').length, 0);
  });
}

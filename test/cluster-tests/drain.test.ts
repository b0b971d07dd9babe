import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import type { DisruptionRecord } from '../../src/gate/record.ts';
import type { Budget, ConfigMap, Pod } from '../../src/sidecar/objects.ts';
import { type Cluster, clusterUnavailable, startCluster } from '../cluster/index.ts';
import { tryRun } from '../cluster/command.ts';
import { type Brokers, brokersOf, deleteNamespace } from '../support/brokers.ts';
import { startKafkaTools } from '../support/kafka-tools.ts';
import { kubeOf } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { vanillaManifest } from '../support/vanilla.ts';
import { enrolledNamespace, installWarden, wardenNamespace } from '../support/warden.ts';

const ids = [0, 1, 2];

void suite('draining nodes under a hardened cluster', { skip: clusterUnavailable() ?? false }, () => {
  const namespace = `drain-${process.pid}`;
  const kafka = 'kafka';
  let cluster: Cluster;
  let kube: Kube;
  let brokers: Brokers;

  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const budget = async () => {
    const { spec } = await kube.get<Budget>(paths.poddisruptionbudgets(namespace, `${kafka}-kafka-warden`));
    return { maxUnavailable: Number(spec?.maxUnavailable), policy: spec?.unhealthyPodEvictionPolicy };
  };
  const record = async (): Promise<DisruptionRecord | undefined> => {
    const stored = await kube.tryGet<ConfigMap>(paths.configmaps(namespace, `${kafka}-kafka-disruption`));
    const text = stored?.data?.['record'];
    return text === undefined ? undefined : (JSON.parse(text) as DisruptionRecord);
  };
  const open = (timeoutMs = 90_000) =>
    until(
      'the budget is open and nobody holds the record',
      async () => {
        const [{ maxUnavailable }, held] = [await budget(), (await record())?.holder];
        if (maxUnavailable === 1 && held === undefined) return true;
        const finding = await kubectl('get', 'kafkacluster', kafka, '-o', 'jsonpath={.status.conditions}');
        throw new Error(`${maxUnavailable} ${JSON.stringify(held)} ${finding}`);
      },
      { timeoutMs, everyMs: 300 },
    );
  /** As a person does it, for the brokers alone: other pods of the node are not this test's matter. */
  const drain = (node: string, { pods = '', options = [] as string[] } = {}) =>
    tryRun(cluster.programs.kubectl, [
      ...['--kubeconfig', cluster.kubeconfig, 'drain', node, '--ignore-daemonsets', '--delete-emptydir-data'],
      ...[`--pod-selector=kafka-warden.io/node=${kafka}${pods}`, ...options],
    ]);
  const uncordon = async () => {
    for (const node of await cluster.nodes()) await cluster.kubectl(['uncordon', node]);
  };

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    await installWarden(cluster, ['evictionGate.enabled=true']);
    await enrolledNamespace(cluster, namespace);
    // Thresholds follow the brokers' own settings: in-sync replicas count as stable after one and a half times this.
    const env = [{ name: 'KAFKA_REPLICA_LAG_TIME_MAX_MS', value: '6000' }];
    await cluster.apply(vanillaManifest({ name: kafka, namespace, container: { env } }));
    brokers = brokersOf(cluster, namespace, kafka);
    await brokers.ready();
    const tools = await startKafkaTools(cluster, { namespace, kafka });
    await tools.createTopic(
      'orders',
      ids.map((id) => [id, (id + 1) % 3, (id + 2) % 3]),
      ['min.insync.replicas=2'],
    );
    await open();
  });
  after(async () => {
    if (cluster === undefined) return;
    await uncordon();
    await deleteNamespace(cluster, namespace);
    await installWarden(cluster);
    await cluster[Symbol.asyncDispose]();
  });

  test('a dry run is answered and changes nothing', async () => {
    const node = await brokers.nodeOf('kafka-1');
    const before = await brokers.uids();
    const { code, stdout, stderr } = await drain(node, { options: ['--dry-run=server', '--timeout=20s'] });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /kafka-1/);
    assert.deepEqual(await brokers.uids(), before);
    assert.equal((await record())?.holder, undefined);
    assert.deepEqual(await budget(), { maxUnavailable: 1, policy: 'AlwaysAllow' });
  });

  test('a drain is held while a broker does not follow, says why, and goes on by itself', async (t) => {
    const { 'kafka-1': uid = '' } = await brokers.uids();
    const node = await brokers.nodeOf('kafka-1');
    await cluster.pause('kafka-0', namespace);
    // kubectl gives up for nobody: it asks again every five seconds.
    const drained = drain(node, { options: ['--timeout=120s'] });
    await until('the budget is closed', async () => (await budget()).maxUnavailable === 0, { everyMs: 200 });
    await until('the status tells of it', async () =>
      (await kubectl('get', 'kafkacluster', kafka, '-o', 'jsonpath={.status.disruption}')).includes('loss'),
    );
    const pod = await kube.get<Pod>(paths.pods(namespace, 'kafka-1'));
    assert.equal(pod.metadata.uid, uid);
    assert.equal(pod.metadata.deletionTimestamp, undefined);
    await cluster.resume('kafka-0', namespace);
    const { code, stderr } = await drained;
    t.diagnostic(stderr.trim().split('\n').slice(0, 4).join('\n'));
    assert.equal(code, 0, stderr);
    assert.match(stderr, /kafka-1 cannot go yet: /);
    await brokers.cameBack('kafka-1', uid);
    await uncordon();
    await open();
  });

  test('two drains at once take turns', async () => {
    const [first, second] = [await brokers.nodeOf('kafka-0'), await brokers.nodeOf('kafka-2')];
    assert.notEqual(first, second);
    const before = await brokers.uids();
    let ended = false;
    let mostAway = 0;
    const served = new Set(Object.values(before));
    const watching = (async () => {
      while (!ended) {
        const pods = await kube.list<Pod>(paths.pods(namespace), {
          labelSelector: `kafka-warden.io/node=${kafka}`,
        });
        // A pod that was ready once and is not for a moment, on a busy machine, has not been sent away by anybody.
        const present = pods.filter(({ metadata, status }) => {
          const is = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
          if (is === true) served.add(metadata.uid);
          return metadata.deletionTimestamp === undefined && served.has(metadata.uid);
        });
        mostAway = Math.max(mostAway, ids.length - present.length);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })();
    // Where kafka-1 has come to one of these nodes, it stays: two turns are enough.
    const options = { pods: ',apps.kubernetes.io/pod-index!=1', options: ['--timeout=150s'] };
    const drains = await Promise.all([drain(first, options), drain(second, options)]);
    ended = true;
    await watching;
    for (const { code, stderr } of drains) assert.equal(code, 0, stderr);
    assert.match(
      drains.map(({ stderr }) => stderr).join(''),
      /the eviction of kafka-\d is under way|cannot go yet/,
    );
    assert.equal(mostAway, 1);
    const now = await brokers.uids();
    assert.notEqual(now['kafka-0'], before['kafka-0']);
    assert.notEqual(now['kafka-2'], before['kafka-2']);
    await uncordon();
    await brokers.ready();
    await open();
  });

  test('with the webhook gone the budget alone holds the drain', async () => {
    const warden = ['-n', wardenNamespace, 'scale', 'deployment/kafka-warden'];
    const node = await brokers.nodeOf('kafka-1');
    const before = await brokers.uids();
    await cluster.kubectl([...warden, '--replicas=0']);
    await cluster.kubectl(['-n', wardenNamespace, 'wait', 'pod', '--all', '--for=delete', '--timeout=60s']);
    try {
      await cluster.pause('kafka-0', namespace);
      await until('the budget is closed', async () => (await budget()).maxUnavailable === 0, {
        everyMs: 200,
      });
      const { code, stderr } = await drain(node, { options: ['--timeout=8s'] });
      assert.notEqual(code, 0);
      assert.match(stderr, /disruption budget/);
      assert.deepEqual(await brokers.uids(), before);
    } finally {
      await cluster.resume('kafka-0', namespace);
      await cluster.kubectl([...warden, '--replicas=2']);
      await uncordon();
    }
  });
});

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { DisruptionRecord } from '../../src/gate/record.ts';
import type { Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import { type ConfigMap, type Pod, type StatefulSet, isReady } from '../../src/sidecar/objects.ts';
import { type Cluster, clusterUnavailable, startCluster } from '../cluster/index.ts';
import { tryRun } from '../cluster/command.ts';
import { type Brokers, brokersOf, deleteNamespace } from '../support/brokers.ts';
import { type KafkaTools, startKafkaTools } from '../support/kafka-tools.ts';
import { rolledOut } from '../support/health-rules.ts';
import { kubeOf } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { vanillaManifest } from '../support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../support/warden.ts';

/** By whose rules a set whose newest template has been seen is rolled out. */
function toldDone(set: StatefulSet): string[] {
  if ((set.status?.observedGeneration ?? 0) < (set.metadata.generation ?? 0)) return [];
  return Object.entries(rolledOut).flatMap(([who, isDone]) => (isDone(set) ? [who] : []));
}

void suite('rolling a hardened cluster', { skip: clusterUnavailable() ?? false }, () => {
  const namespace = `rolls-${process.pid}`;
  const kafka = 'kafka';
  let cluster: Cluster;
  let kube: Kube;
  let brokers: Brokers;
  let tools: KafkaTools;

  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const holder = async () => {
    const stored = await kube.tryGet<ConfigMap>(paths.configmaps(namespace, `${kafka}-kafka-disruption`));
    const text = stored?.data?.['record'];
    return text === undefined ? undefined : (JSON.parse(text) as DisruptionRecord).holder;
  };
  const step = async () => {
    const held = await holder();
    return held?.state === 'held' ? `${held.kind} ${held.step}` : held?.state;
  };
  const set = () => kube.get<StatefulSet>(paths.statefulsets(namespace, kafka));
  const pods = () =>
    kube.list<Pod>(paths.pods(namespace), { labelSelector: `kafka-warden.io/node=${kafka}` });
  const condition = async (type: string) =>
    kubectl(
      'get',
      'kafkacluster',
      kafka,
      '-o',
      `jsonpath={.status.conditions[?(@.type=="${type}")].message}`,
    );
  const whole = (timeoutMs = 240_000) =>
    until(
      'every pod has the newest template, and nobody holds the record',
      async () => {
        const { status, metadata, spec } = await set();
        const done =
          status?.observedGeneration === metadata.generation &&
          status?.updatedReplicas === spec?.replicas &&
          status?.readyReplicas === spec?.replicas;
        const held = await holder();
        if (done && held === undefined) return true;
        throw new Error(`${JSON.stringify(held)} ${JSON.stringify(status)} ${await condition('RollWaits')}`);
      },
      { timeoutMs, everyMs: 500 },
    );
  /** The most pods that were away at once while something went on; a pod not ready after its first start counts. */
  async function mostAway<T>(during: () => Promise<T>): Promise<{ result: T; away: number; lies: string[] }> {
    let [ended, away] = [false, 0];
    const lies = new Set<string>();
    const watching = (async () => {
      while (!ended) {
        const seen = await set();
        const there = await pods();
        away = Math.max(away, 3 - there.filter(isReady).length);
        const newest = there.filter(
          ({ metadata: { labels, deletionTimestamp } }) =>
            deletionTimestamp === undefined &&
            labels?.['controller-revision-hash'] === seen.status?.updateRevision,
        );
        if (newest.length < 3) for (const who of toldDone(seen)) lies.add(who);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })();
    try {
      return { result: await during(), away, lies: [...lies] };
    } finally {
      ended = true;
      await watching;
    }
  }
  const restart = () => kubectl('rollout', 'restart', `statefulset/${kafka}`);
  const killSidecar = () =>
    kubectl('delete', 'pod', '-l', `app.kubernetes.io/component=sidecar`, '--force', '--grace-period=0');
  const image = (name: string) => kubectl('set', 'image', `statefulset/${kafka}`, `kafka=${name}`);

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    await installWarden(cluster);
    await enrolledNamespace(cluster, namespace);
    // Thresholds follow the brokers' own settings: in-sync replicas count as stable after one and a half times this.
    const env = [{ name: 'KAFKA_REPLICA_LAG_TIME_MAX_MS', value: '6000' }];
    await cluster.apply(vanillaManifest({ name: kafka, namespace, container: { env } }));
    brokers = brokersOf(cluster, namespace, kafka);
    await brokers.ready();
    tools = await startKafkaTools(cluster, { namespace, kafka });
    await tools.createTopic(
      'orders',
      [0, 1, 2].map((id) => [id, (id + 1) % 3, (id + 2) % 3]),
      ['min.insync.replicas=2'],
    );
    await until('the set is held', async () =>
      (await kubectl('get', 'kafkacluster', kafka, '-o', 'jsonpath={.status.holds[*].statefulSet}')).includes(
        kafka,
      ),
    );
  });
  after(async () => {
    if (cluster === undefined) return;
    await deleteNamespace(cluster, namespace);
    await cluster[Symbol.asyncDispose]();
  });

  test('the StatefulSet controller may not delete a broker, and is told why; everybody else may', async () => {
    const remove = (...more: string[]) =>
      tryRun(cluster.programs.kubectl, [
        ...[
          '--kubeconfig',
          cluster.kubeconfig,
          '-n',
          namespace,
          'delete',
          'pod',
          'kafka-1',
          '--dry-run=server',
        ],
        ...more,
      ]);
    const controller = '--as=system:serviceaccount:kube-system:statefulset-controller';
    const refused = await remove(controller);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /kafka-warden deletes pods of this StatefulSet itself, one at a time/);
    assert.equal((await remove()).code, 0);
  });

  test('a restart waits while a broker does not follow, and says so', async () => {
    await cluster.pause('kafka-0', namespace);
    const before = await brokers.uids();
    await restart();
    await until('the status says what it waits for', async () => {
      const text = `${await condition('RollWaits')} ${await condition('Disrupted')}`;
      return /kafka-0|broker 0/.test(text);
    });
    assert.deepEqual(await brokers.uids(), before);
    await cluster.resume('kafka-0', namespace);
  });

  test('then it takes one broker at a time, whenever the sidecar is killed; a second change is folded in, and rollout status tells the truth all the while', async (t) => {
    const before = await brokers.uids();
    const { away, lies } = await mostAway(async () => {
      await until('the first pod has gone', async () => (await step())?.startsWith('roll') === true, {
        timeoutMs: 120_000,
      });
      await killSidecar();
      await restart();
      const status = tryRun(cluster.programs.kubectl, [
        ...['--kubeconfig', cluster.kubeconfig, '-n', namespace],
        ...['rollout', 'status', `statefulset/${kafka}`, '--timeout=360s'],
      ]);
      await until('another pod is on its way', async () => (await step()) === 'roll syncing', {
        timeoutMs: 120_000,
        everyMs: 100,
      });
      await killSidecar();
      const { code, stdout } = await status;
      t.diagnostic(stdout.trim().split('\n').join(' | '));
      assert.equal(code, 0);
      const { metadata, status: seen, spec } = await set();
      assert.deepEqual(
        [seen?.updatedReplicas, seen?.observedGeneration, spec?.updateStrategy?.rollingUpdate?.partition],
        [3, metadata.generation, 0],
      );
      await whole();
    });
    const now = await brokers.uids();
    for (const pod of Object.keys(before)) assert.notEqual(now[pod], before[pod]);
    assert.equal(away, 1);
    assert.deepEqual(lies, [], 'by the rules of kubectl, Helm, Argo CD and Flux it was never done too early');
    const events = await kubectl(
      'get',
      'events',
      '-o',
      'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
    );
    assert.match(events, /FailedDelete: .*kafka-warden deletes pods of this StatefulSet itself/);
    assert.match(events, /RollingPod: kafka-\d goes next/);
  });

  test('a broken image stops after one pod; others that are lost come back as they were; a repair goes on', async () => {
    const { spec } = await set();
    const good = spec?.template.spec?.containers[0]?.image ?? '';
    const revision = async (pod: string) =>
      (await kube.get<Pod>(paths.pods(namespace, pod))).metadata.labels?.['controller-revision-hash'];
    const old = await revision('kafka-0');
    await image('apache/kafka:4.1.99');
    await until('the roll has stopped', async () => /does not come up/.test(await condition('RollWaits')), {
      timeoutMs: 120_000,
    });
    assert.equal((await set()).spec?.updateStrategy?.rollingUpdate?.partition !== 0, true);
    const changed = (await pods()).filter(
      ({ metadata }) => metadata.labels?.['controller-revision-hash'] !== old,
    );
    assert.equal(changed.length, 1);
    const broken = changed[0]?.metadata.name;
    const other = ['kafka-0', 'kafka-1', 'kafka-2'].find((name) => name !== broken) ?? '';
    const { [other]: uid = '' } = await brokers.uids();
    await kubectl('delete', 'pod', other, '--wait=false');
    await brokers.cameBack(other, uid);
    assert.equal(await revision(other), old);
    await image(good);
    await whole();
    assert.equal((await set()).spec?.updateStrategy?.rollingUpdate?.partition, 0);
  });
});

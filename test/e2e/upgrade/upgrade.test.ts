import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Kube } from '../../../src/kubernetes/client.ts';
import { paths } from '../../../src/kubernetes/paths.ts';
import type { ConfigMap, Pod } from '../../../src/sidecar/objects.ts';
import type { ClusterStatus, KafkaCluster } from '../../../src/sidecar/status/kafka-cluster.ts';
import { tryRun } from '../../cluster/command.ts';
import { type Cluster, clusterUnavailable, images, startCluster } from '../../cluster/index.ts';
import { podPlace } from '../../judge/producers/pod-place.ts';
import { type Workload, workloadIn } from '../../judge/producers/workload.ts';
import { dumpOfPod, judgeInterval } from '../../judge/read-metadata-log.ts';
import { type Brokers, brokersOf, deleteNamespace } from '../../support/brokers.ts';
import { startKafkaTools } from '../../support/kafka-tools.ts';
import { kubeOf } from '../../support/sidecar.ts';
import { until } from '../../support/until.ts';
import { vanillaManifest } from '../../support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../../support/warden.ts';

const main = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
const short = (image: string): string => image.replace(/^docker\.io\//, '');

/** From 3.9 to 4.1 under live clients: each test goes on where the one before ended. */
void suite('an upgrade of Kafka from 3.9 to 4.1', { skip: clusterUnavailable() ?? false }, () => {
  const namespace = `upgrade-${process.pid}`;
  const kafka = 'kafka';
  const topic = 'orders';
  let cluster: Cluster;
  let kube: Kube;
  let brokers: Brokers;
  let workload: Workload;
  let fromMs = 0;
  /** What was done when, for whoever reads of a dip. */
  const steps: string[] = [];
  const mark = (step: string) => void steps.push(`${step} ${Date.now() - fromMs} ms`);

  const warden = (...args: string[]) =>
    tryRun(process.execPath, [main, ...args, '-n', namespace, '--kubeconfig', cluster.kubeconfig]);
  const status = async (): Promise<Partial<ClusterStatus>> =>
    (await kube.get<KafkaCluster>(paths.kafkaclusters(namespace, kafka))).status ?? {};
  const condition = async (type: string) => (await status()).conditions?.find((one) => one.type === type);
  const pods = () =>
    kube.list<Pod>(paths.pods(namespace), { labelSelector: `kafka-warden.io/node=${kafka}` });
  const setImage = (image: string) =>
    cluster.kubectl(['-n', namespace, 'set', 'image', `statefulset/${kafka}`, `kafka=${short(image)}`]);
  const held = async (): Promise<boolean> => {
    const stored = await kube.tryGet<ConfigMap>(paths.configmaps(namespace, `${kafka}-kafka-disruption`));
    const record = JSON.parse(stored?.data?.['record'] ?? '{}') as { holder?: unknown };
    return record.holder !== undefined;
  };
  const runs = async (image: string): Promise<boolean> => {
    const found = await pods();
    return (
      found.length === 3 &&
      found.every(
        ({ spec, status: now }) =>
          spec?.containers.some((one) => one.image === short(image)) === true &&
          now?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true,
      )
    );
  };

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    await installWarden(cluster, ['evictionGate.enabled=true']);
    await enrolledNamespace(cluster, namespace);
    // Thresholds follow the brokers' own settings: in-sync replicas count as stable after one and a half times this.
    const env = [{ name: 'KAFKA_REPLICA_LAG_TIME_MAX_MS', value: '10000' }];
    await cluster.apply(
      vanillaManifest({ name: kafka, namespace, image: images.kafka39, container: { env } }),
    );
    brokers = brokersOf(cluster, namespace, kafka);
    await brokers.ready();
    await startKafkaTools(cluster, { namespace, kafka });
    const [node = ''] = await cluster.nodes();
    const place = await podPlace(cluster, { namespace, node, image: images.kafka41, user: 'tools' });
    const configs = { 'min.insync.replicas': '2' };
    workload = workloadIn(place, { topic, partitions: 30, configs });
    await workload.create();
    await workload.start();
    fromMs = Date.now();
  });
  after(async () => {
    if (cluster === undefined) return;
    await deleteNamespace(cluster, namespace);
    await installWarden(cluster);
    await cluster[Symbol.asyncDispose]();
  });

  test('the check says that nothing is in the way, and what to look at', async () => {
    const known = await until(
      'the status tells the metadata version',
      async () => (await status()).metadataVersion,
    );
    assert.equal(known, '3.9-IV0');
    const { code, stdout, stderr } = await warden('upgrade', 'check', kafka, '--to', '4.1');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Kafka 3\.9 → 4\.1\n/);
    assert.match(stdout, /warning clients/);
  });

  test('a new image is rolled out one broker at a time, and nothing is finalized by it', async (t) => {
    const before = await brokers.uids();
    let ended = false;
    let mostAway = 0;
    const gone = new Set<string>();
    const watching = (async () => {
      while (!ended) {
        const present = (await pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
        for (const [pod, uid] of Object.entries(before))
          if (!gone.has(pod) && !present.some(({ metadata }) => metadata.uid === uid)) {
            gone.add(pod);
            mark(`${pod} goes`);
          }
        mostAway = Math.max(mostAway, 3 - present.length);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })();
    const startedMs = Date.now();
    mark('image 4.1');
    const told = await setImage(images.kafka41);
    t.diagnostic(told.trim());
    await until(
      'the preflight is told',
      async () => (await condition('UpgradeSafe'))?.reason === 'PreflightPassed',
    );
    await until('every broker runs 4.1', () => runs(images.kafka41), {
      timeoutMs: 1_200_000,
      everyMs: 1_000,
    });
    await until('nobody holds the record', async () => !(await held()), { timeoutMs: 300_000 });
    ended = true;
    mark('rolled');
    await watching;
    t.diagnostic(`3 brokers rolled in ${Math.round((Date.now() - startedMs) / 1_000)} s`);
    const now = await brokers.uids();
    for (const pod of Object.keys(before)) assert.notEqual(now[pod], before[pod], pod);
    assert.equal(mostAway, 1);
    await workload.inSync(300);
    const { metadataVersion, eligibleLeaderReplicas } = await status();
    assert.deepEqual([metadataVersion, eligibleLeaderReplicas], ['3.9-IV0', false]);
  });

  test('metadata.version is finalized when a person asks, and eligible leader replicas are not', async (t) => {
    const askedMs = Date.now();
    mark('metadata.version');
    const { code, stderr } = await warden('upgrade', 'finalize', kafka, '--metadata-version', '4.1', '-y');
    assert.equal(code, 0, stderr);
    await until('it is finalized', async () => (await status()).metadataVersion === '4.1-IV1', {
      timeoutMs: 120_000,
    });
    t.diagnostic(`metadata.version finalized ${Date.now() - askedMs} ms after it was asked for`);
    await until('the condition says so', async () => (await condition('MetadataVersion'))?.status === 'True');
    assert.equal((await status()).eligibleLeaderReplicas, false);
  });

  test('eligible leader replicas are switched on as a step of their own, and min.insync.replicas stays', async () => {
    mark('eligible leader replicas');
    const { code, stderr } = await warden('upgrade', 'finalize', kafka, '--eligible-leader-replicas', '-y');
    assert.equal(code, 0, stderr);
    await until('they are on', async () => (await status()).eligibleLeaderReplicas === true, {
      timeoutMs: 120_000,
    });
    await until(
      'the condition says so',
      async () => (await condition('EligibleLeaderReplicas'))?.status === 'True',
    );
    assert.equal((await status()).minInsyncReplicas, 2);
  });

  test('the way back is held with the reason, and opens when the image is put right', async () => {
    const before = await brokers.uids();
    mark('image 3.9');
    await setImage(images.kafka39);
    const found = await until('it is told', async () => {
      const one = await condition('UpgradeSafe');
      return one?.status === 'False' && one;
    });
    assert.match(found.message, /metadata\.version is finalized at 4\.1-IV1, which Kafka 3\.9 does not have/);
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    assert.deepEqual(await brokers.uids(), before);
    await setImage(images.kafka41);
    await until('it is taken back', async () => (await condition('UpgradeSafe')) === undefined);
    assert.deepEqual(await brokers.uids(), before);
  });

  test('no acknowledged message is lost, no send rejected, no partition under its minimum', async (t) => {
    await workload.inSync(300);
    const toMs = Date.now();
    const { loss } = await workload.stop();
    const dumps = (await brokers.pods()).map((pod) => dumpOfPod(cluster, namespace, pod));
    const includes = (name: string) => name === topic;
    const verdict = await judgeInterval(dumps, { fromMs, toMs, staticMinIsr: 2, includes });
    t.diagnostic(JSON.stringify({ ...loss, ...verdict, seconds: Math.round((toMs - fromMs) / 1_000) }));
    assert.deepEqual([loss.lost, loss.rejected], [0, 0]);
    const dips = verdict.dips.map(
      ({ kind, partition, fromMs: from, toMs: to }) =>
        `${kind} ${topic}-${partition} ${from - fromMs}–${to - fromMs} ms`,
    );
    assert.deepEqual(dips, [], `steps: ${steps.join(', ')}`);
  });
});

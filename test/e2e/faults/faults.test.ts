import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, suite, test, type TestContext } from 'node:test';
import { type Cluster, clusterUnavailable, images, startCluster } from '../../cluster/index.ts';
import { episodesOf, told } from '../../judge/episodes.ts';
import { podPlace } from '../../judge/producers/pod-place.ts';
import { type Workload, workloadIn } from '../../judge/producers/workload.ts';
import { dumpOfPod, judgeInterval } from '../../judge/read-metadata-log.ts';
import { type Brokers, brokersOf, deleteNamespace } from '../../support/brokers.ts';
import { type GateView, gateView } from '../../support/gate-view.ts';
import { type KafkaTools, startKafkaTools } from '../../support/kafka-tools.ts';
import { kubeOf, startSidecar } from '../../support/sidecar.ts';
import { until } from '../../support/until.ts';
import { vanillaManifest } from '../../support/vanilla.ts';
import { enrolledNamespace, installWarden, uninstallWarden, wardenNamespace } from '../../support/warden.ts';

const kafka = 'kafka';
const topic = 'judge-faults';
/** From the sidecar's API, or where it does not answer, from the budget. */
const refusal = /cannot go yet|under way|budget|does not answer|not answer/;

void suite('faults around a hardened cluster', { skip: clusterUnavailable() ?? false }, () => {
  const namespace = `faults-${process.pid}`;
  let cluster: Cluster;
  let brokers: Brokers;
  let gate: GateView;
  let workload: Workload;
  let tools: KafkaTools;
  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);

  const sidecar = async (): Promise<string> =>
    kubectl(
      ...['get', 'pods', '-l', 'app.kubernetes.io/component=sidecar', '-o'],
      'jsonpath={.items[0].metadata.name}',
    );
  /** SIGKILL; the pod goes too, so that the next one does not wait for the kubelet's patience with crashes. */
  const killSidecar = async () => {
    // One that was put in the place of the one before may not have come up yet.
    const pod = await until('a sidecar runs and is killed', async () => {
      const name = await sidecar();
      await cluster.killProcessOf(name, namespace);
      return name;
    });
    await kubectl('delete', 'pod', pod, '--force', '--grace-period=0');
  };
  const sidecarsNode = async () => kubectl('get', 'pod', await sidecar(), '-o', 'jsonpath={.spec.nodeName}');
  /** Has the sidecar run on another node. Lost with it, nobody is left who could close the budget (README, Limits). */
  const keepSidecarOff = async (node: string) => {
    if ((await sidecarsNode()) !== node) return;
    await cluster.kubectl(['cordon', node]);
    await kubectl('delete', 'pod', await sidecar());
    await until('the sidecar runs elsewhere', async () => (await sidecarsNode()) !== node);
    await cluster.kubectl(['uncordon', node]);
    await whole();
  };
  const nodesOf = async () =>
    new Map(
      await Promise.all((await brokers.pods()).map(async (pod) => [pod, await brokers.nodeOf(pod)] as const)),
    );
  const clientsNode = async () => (await cluster.nodes()).at(-1) ?? '';
  /** A broker alone on a node that has neither the clients nor, where asked, the sidecar. */
  const lonely = async ({ but }: { but?: string } = {}): Promise<{ pod: string; node: string }> => {
    const nodes = await nodesOf();
    const avoided = [await clientsNode(), await sidecarsNode()];
    const alone = [...nodes]
      .filter(([pod]) => pod !== but)
      .filter(([, at]) => [...nodes.values()].filter((one) => one === at).length === 1);
    const [pod, node] =
      alone.find(([, at]) => !avoided.includes(at)) ??
      alone.find(([, at]) => at !== avoided[0]) ??
      assert.fail('no broker is alone on a node without the clients');
    return { pod, node };
  };
  /** Where it loses its network, Kafka itself takes more than a session to find the next one, and fences who waits for the old one. */
  const activeController = async (): Promise<string> => `${kafka}-${await tools.quorumLeader()}`;
  const whole = async () => {
    await brokers.ready(420_000);
    await gate.open(420_000);
  };

  /** A fault between two moments at which all is well; no partition may be under its minimum or without a leader in between. */
  const during = async (t: TestContext, fault: () => Promise<void>) => {
    await whole();
    const fromMs = Date.now();
    await fault();
    await whole();
    const toMs = Date.now();
    const verdict = await judgeInterval(
      (await brokers.pods()).map((pod) => dumpOfPod(cluster, namespace, pod)),
      { fromMs, toMs, staticMinIsr: 2, includes: (name) => name === topic },
    );
    t.diagnostic(`${((toMs - fromMs) / 1000).toFixed(0)} s`);
    assert.deepEqual(
      episodesOf(verdict.dips).map((episode) => told(episode, fromMs)),
      [],
    );
  };
  /** Asks for it again and again; each time it has to be refused. */
  const refusedFor = async (ms: number, pod: string): Promise<string[]> => {
    const said: string[] = [];
    for (const end = Date.now() + ms; Date.now() < end; await sleep(300)) {
      const answer = await gate.evict(pod);
      if (answer.allowed)
        assert.fail(`${pod} was allowed to go; before: ${said.at(-1) ?? 'nothing was said'}`);
      said.push(answer.message);
    }
    return said;
  };

  before(async () => {
    cluster = await startCluster();
    await installWarden(cluster, ['evictionGate.enabled=true']);
    await enrolledNamespace(cluster, namespace);
    // Thresholds follow the brokers' own settings: in-sync replicas count as stable after one and a half times this.
    const env = [{ name: 'KAFKA_REPLICA_LAG_TIME_MAX_MS', value: '6000' }];
    await cluster.apply(vanillaManifest({ name: kafka, namespace, container: { env } }));
    brokers = brokersOf(cluster, namespace, kafka);
    gate = gateView({ cluster, kube: await kubeOf(cluster), namespace, kafka });
    await brokers.ready();
    tools = await startKafkaTools(cluster, { namespace, kafka, user: 'judge' });
    const place = await podPlace(cluster, {
      ...{ namespace, image: images.kafka41, user: 'judge', node: await clientsNode() },
    });
    workload = workloadIn(place, { topic, partitions: 12 });
    await workload.create();
    await workload.start();
  });
  after(async () => {
    if (cluster === undefined) return;
    for (const node of await cluster.nodes())
      await cluster.kubectl(['taint', 'node', node, 'test-']).catch(() => undefined);
    await deleteNamespace(cluster, namespace);
    await installWarden(cluster);
    await cluster[Symbol.asyncDispose]();
  });

  test('a broker that stands still is noticed before another may go', (t) =>
    during(t, async () => {
      await cluster.pause('kafka-0', namespace);
      try {
        const said = await refusedFor(8_000, 'kafka-1');
        for (const message of said) assert.match(message, refusal);
        t.diagnostic(said.at(-1)?.split('\n', 2).join(' ') ?? '');
      } finally {
        await cluster.resume('kafka-0', namespace);
      }
      await gate.evicted('kafka-1');
    }));

  test('with the webhook away the budget lets one broker go, and no other before that one is back', (t) =>
    during(t, async () => {
      const warden = ['-n', wardenNamespace, 'scale', 'deployment/kafka-warden'];
      await cluster.kubectl([...warden, '--replicas=0']);
      await cluster.kubectl(['-n', wardenNamespace, 'wait', 'pod', '--all', '--for=delete', '--timeout=90s']);
      try {
        const uid = (await brokers.uids())['kafka-2'] ?? '';
        await gate.evicted('kafka-2');
        await refusedFor(5_000, 'kafka-0');
        await brokers.cameBack('kafka-2', uid);
      } finally {
        await cluster.kubectl([...warden, '--replicas=2']);
        await cluster.kubectl([
          '-n',
          wardenNamespace,
          'rollout',
          'status',
          'deployment/kafka-warden',
          '--timeout=120s',
        ]);
      }
    }));

  test('a taint that evicts past the gate takes the record, and nobody else may go until the broker is back', (t) =>
    during(t, async () => {
      const { pod, node } = await lonely();
      const other = (await brokers.pods()).find((one) => one !== pod) ?? '';
      const uid = (await brokers.uids())[pod] ?? '';
      await cluster.kubectl(['taint', 'node', node, 'test=away:NoExecute']);
      try {
        await until(`${pod} takes the record`, async () => (await gate.holder())?.pod === pod, {
          everyMs: 100,
        });
        await refusedFor(3_000, other);
        await brokers.cameBack(pod, uid);
      } finally {
        await cluster.kubectl(['taint', 'node', node, 'test-']);
      }
      // Back to the node that is empty now.
      await whole();
      await gate.evicted(pod);
    }));

  test('with the API server away for a minute brokers and clients go on, and the gate opens again afterwards', (t) =>
    during(t, async () => {
      const uids = await brokers.uids();
      await cluster.stopApiServer();
      await sleep(60_000);
      await cluster.startApiServer();
      await whole();
      assert.deepEqual(await brokers.uids(), uids);
      await gate.evicted('kafka-0');
    }));

  test('a node that is cut off is waited for, and taken back when it is healed', (t) =>
    during(t, async () => {
      const { pod, node } = await lonely({ but: await activeController() });
      await keepSidecarOff(node);
      const other = (await brokers.pods()).find((one) => one !== pod) ?? '';
      const uids = await brokers.uids();
      await cluster.cutOff(node);
      try {
        await refusedFor(45_000, other);
        assert.equal(await gate.maxUnavailable(), 0);
      } finally {
        await cluster.heal(node);
      }
      await whole();
      assert.equal((await brokers.uids())[other], uids[other]);
    }));

  test('a broker whose disk is lost holds the others until a person has said so and its replicas are copied', (t) =>
    during(t, async () => {
      const uid = (await brokers.uids())['kafka-2'] ?? '';
      await kubectl('delete', 'pvc', 'data-kafka-2', '--wait=false');
      await kubectl('delete', 'pod', 'kafka-2');
      await until('the launcher waits for a person', async () =>
        (await cluster.logs('kafka-2', namespace)).includes('the volume of kafka-2 is empty'),
      );
      await refusedFor(5_000, 'kafka-1');
      await kubectl('annotate', 'statefulset', kafka, 'kafka-warden.io/confirm-empty-disk=kafka-2');
      await brokers.cameBack('kafka-2', uid);
      await kubectl('annotate', 'statefulset', kafka, 'kafka-warden.io/confirm-empty-disk-');
    }));

  test('of two sidecars one acts; one that stood still while the other took over gives nothing away', (t) =>
    during(t, async () => {
      const first = await sidecar();
      const second = await startSidecar(cluster, {
        namespace,
        name: kafka,
        port: 18_080,
        evictionGate: true,
      });
      const name = `test-${process.pid}-18080`;
      try {
        await gate.evicted('kafka-2');
        await gate.at('starting', { pod: 'kafka-2' });
        assert.equal((await gate.holder())?.by, first);
        await cluster.pause(first, namespace);
        await until('the second carries it on', async () => (await gate.holder())?.by === name, {
          timeoutMs: 60_000,
          everyMs: 200,
        });
        await cluster.resume(first, namespace);
        await refusedFor(3_000, 'kafka-0');
        await gate.open();
      } finally {
        await cluster.resume(first, namespace).catch(() => undefined);
        await second.stop();
      }
    }));

  for (const step of ['going', 'starting', 'syncing', 'leaders'] as const)
    test(`a sidecar that is killed while an eviction is at "${step}" goes on where it stood`, (t) =>
      during(t, async () => {
        const pod = await gate.leastEvicted(await brokers.pods());
        const uid = (await brokers.uids())[pod] ?? '';
        await gate.evicted(pod);
        await gate.at(step, { pod });
        await killSidecar();
        await brokers.cameBack(pod, uid, 420_000);
      }));

  for (const step of ['away', 'starting'] as const)
    test(`a sidecar that is killed while a loss is at "${step}" goes on where it stood`, (t) =>
      during(t, async () => {
        const uid = (await brokers.uids())['kafka-2'] ?? '';
        await kubectl('delete', 'pod', 'kafka-2', '--wait=false');
        await gate.at(step, { pod: 'kafka-2' });
        await killSidecar();
        await brokers.cameBack('kafka-2', uid, 420_000);
      }));

  test('a roll whose sidecar is killed at every step ends with all brokers new, one after the other', (t) =>
    during(t, async () => {
      const uids = await brokers.uids();
      await kubectl('rollout', 'restart', `statefulset/${kafka}`);
      for (const step of ['checking', 'deleting', 'starting', 'syncing', 'leaders']) {
        await gate.at(step, { timeoutMs: 420_000 });
        await killSidecar();
      }
      await kubectl('rollout', 'status', `statefulset/${kafka}`, '--timeout=900s');
      const now = await brokers.uids();
      for (const [pod, uid] of Object.entries(uids)) assert.notEqual(now[pod], uid);
    }));

  test('uninstalled in mid-roll, the roll goes on as Kubernetes does it; installed again, the cluster is taken up', async () => {
    await whole();
    const uids = await brokers.uids();
    await kubectl('rollout', 'restart', `statefulset/${kafka}`);
    await gate.at('starting', { timeoutMs: 420_000 });
    await uninstallWarden(cluster);
    await kubectl('rollout', 'status', `statefulset/${kafka}`, '--timeout=600s');
    const now = await brokers.uids();
    for (const [pod, uid] of Object.entries(uids)) assert.notEqual(now[pod], uid);
    await installWarden(cluster, ['evictionGate.enabled=true']);
    await whole();
    assert.deepEqual(await brokers.uids(), now);
  });

  test('through all of it no acknowledged message was lost, and no send refused', async (t) => {
    const { loss } = await workload.stop();
    t.diagnostic(JSON.stringify(loss));
    assert.deepEqual([loss.lost, loss.unread, loss.rejected], [0, 0, 0]);
  });
});

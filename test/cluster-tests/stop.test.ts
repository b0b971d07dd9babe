import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Kube } from '../../src/kubernetes/client.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import type { Pod } from '../../src/sidecar/objects.ts';
import { type Cluster, clusterUnavailable, startCluster } from '../cluster/index.ts';
import { tryRun } from '../cluster/command.ts';
import { type Brokers, brokersOf, deleteNamespace } from '../support/brokers.ts';
import { type KafkaTools, startKafkaTools } from '../support/kafka-tools.ts';
import { kubeOf } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { vanillaManifest } from '../support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../support/warden.ts';

/** A pod that ends, as far as its log tells of the hook. */
interface Ending {
  /** All that the container said until it ended. */
  readonly log: Promise<string>;
  /** Seconds from the deletion to the first line of the manifest's own hook. */
  hookAfter(): Promise<number>;
  readonly uid: string;
}

void suite('pods that end without asking the gate', { skip: clusterUnavailable() ?? false }, () => {
  const namespace = `stop-${process.pid}`;
  const kafka = 'kafka';
  let cluster: Cluster;
  let kube: Kube;
  let brokers: Brokers;
  let tools: KafkaTools;

  /** Deletes a pod as anybody may, and listens to what its hook says. */
  async function end(pod: string): Promise<Ending> {
    const { [pod]: uid = '' } = await brokers.uids();
    const kubectl = ['--kubeconfig', cluster.kubeconfig, '-n', namespace];
    const log = tryRun(cluster.programs.kubectl, [...kubectl, 'logs', '-f', pod, '--timestamps']).then(
      ({ stdout }) => stdout,
    );
    const atMs = Date.now();
    await cluster.kubectl(['-n', namespace, 'delete', 'pod', pod, '--wait=false']);
    return {
      log,
      uid,
      async hookAfter() {
        const line = (await log).split('\n').find((one) => one.includes('own hook'));
        assert.ok(line !== undefined, 'the manifest’s own hook did not run');
        return (Date.parse(line.split(' ', 1)[0] ?? '') - atMs) / 1_000;
      },
    };
  }
  /** What its hook said, but that it was being found out. */
  const said = async ({ log }: Ending) =>
    (await log)
      .split('\n')
      .filter((line) => line.includes('stopping') && !line.includes('is being looked at'));
  const inSync = () =>
    until(
      'all replicas are in sync',
      async () =>
        (
          await tools.shell(
            'kafka-topics.sh $SERVER --command-config $CONFIG --describe --under-replicated-partitions',
          )
        ).trim() === '',
      { timeoutMs: 120_000, everyMs: 500 },
    );

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    // The gate is off: the hook is answered all the same.
    await installWarden(cluster);
    await enrolledNamespace(cluster, namespace);
    const command = ['sh', '-c', 'echo own hook >/proc/1/fd/1'];
    const container = {
      env: [{ name: 'KAFKA_REPLICA_LAG_TIME_MAX_MS', value: '6000' }],
      lifecycle: { preStop: { exec: { command } } },
    };
    await cluster.apply(vanillaManifest({ name: kafka, namespace, container }));
    brokers = brokersOf(cluster, namespace, kafka);
    await brokers.ready();
    tools = await startKafkaTools(cluster, { namespace, kafka });
    await tools.createTopic('orders', [[0, 1, 2]], ['min.insync.replicas=2']);
    await inSync();
  });
  after(async () => {
    if (cluster === undefined) return;
    await deleteNamespace(cluster, namespace);
    await installWarden(cluster);
    await cluster[Symbol.asyncDispose]();
  });

  test('go at once while the others can spare them, after the manifest’s own hook', async (t) => {
    const ending = await end('kafka-1');
    const seconds = await ending.hookAfter();
    t.diagnostic(`the hook took ${seconds} s`);
    assert.deepEqual(await said(ending), []);
    assert.ok(seconds < 8, `${seconds} s`);
    await brokers.cameBack('kafka-1', ending.uid);
    await inSync();
  });

  test('wait for half a minute while another broker does not follow, and go then', async (t) => {
    // While the leader of the quorum stands still, nobody can tell for some seconds who follows.
    const leader = await tools.quorumLeader();
    const silent = `kafka-${leader}`;
    const pod = `kafka-${(leader + 1) % 3}`;
    await cluster.pause(silent, namespace);
    const ending = await end(pod);
    // Without a quorum its controlled shutdown would take minutes: it goes on once the hook has let it go.
    setTimeout(() => void cluster.resume(silent, namespace), 33_000);
    const seconds = await ending.hookAfter();
    t.diagnostic(`the hook took ${seconds} s`);
    const lines = await said(ending);
    assert.match(lines[0] ?? '', /waiting for up to 30 seconds before stopping: .*(broker \d|orders-0|min)/);
    assert.match(lines.at(-1) ?? '', /stopping all the same after 30 seconds/);
    assert.ok(seconds > 25 && seconds < 33, `${seconds} s`);
    await brokers.cameBack(pod, ending.uid);
    await brokers.ready();
    await inSync();
  });

  test('go as soon as that broker is back, with the gate on as well', async (t) => {
    await installWarden(cluster, ['evictionGate.enabled=true']);
    const sidecar = () =>
      cluster.kubectl(['-n', namespace, 'rollout', 'status', `deployment/${kafka}-kafka-warden`]);
    await until('the sidecar has the gate', async () =>
      (
        await cluster.kubectl(['-n', namespace, 'get', `deployment/${kafka}-kafka-warden`, '-o', 'yaml'])
      ).includes('WARDEN_EVICTION_GATE'),
    );
    await sidecar();
    await until('it acts for the cluster', async () => {
      const found = await cluster.kubectl(['-n', namespace, 'get', 'kafkacluster', kafka, '-o', 'yaml']);
      return found.includes('type: Disrupted');
    });
    await cluster.pause('kafka-0', namespace);
    const ending = await end('kafka-2');
    setTimeout(() => void cluster.resume('kafka-0', namespace), 6_000);
    const seconds = await ending.hookAfter();
    t.diagnostic(`the hook took ${seconds} s`);
    assert.doesNotMatch((await said(ending)).join('\n'), /all the same/);
    assert.ok(seconds > 5 && seconds < 28, `${seconds} s`);
    await brokers.cameBack('kafka-2', ending.uid);
    await inSync();
  });

  test('go after two seconds where the sidecar does not answer', async (t) => {
    const [pod] = await kube.list<Pod>(paths.pods(namespace), {
      labelSelector: 'app.kubernetes.io/component=sidecar',
    });
    assert.ok(pod !== undefined);
    await cluster.pause(pod.metadata.name, namespace);
    try {
      const ending = await end('kafka-1');
      const seconds = await ending.hookAfter();
      t.diagnostic(`the hook took ${seconds} s`);
      assert.match(
        (await said(ending)).join('\n'),
        /does not say whether the other brokers can spare this one/,
      );
      assert.ok(seconds < 8, `${seconds} s`);
      await brokers.cameBack('kafka-1', ending.uid);
    } finally {
      await cluster.resume(pod.metadata.name, namespace);
    }
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { type KafkaAdmin, connectAdmin } from '../../../src/kafka/index.ts';
import type { Kube } from '../../../src/kubernetes/client.ts';
import { paths } from '../../../src/kubernetes/paths.ts';
import type { KafkaCluster } from '../../../src/sidecar/status/kafka-cluster.ts';
import type { KafkaRebalance } from '../../../src/sidecar/rebalance/kafka-rebalance.ts';
import { tryRun } from '../../cluster/command.ts';
import { type Cluster, clusterUnavailable, startCluster } from '../../cluster/index.ts';
import { nodesAuthorityLeaf } from '../../support/authorities.ts';
import { type Brokers, brokersOf, deleteNamespace } from '../../support/brokers.ts';
import { type KafkaTools, startKafkaTools } from '../../support/kafka-tools.ts';
import { kubeOf } from '../../support/sidecar.ts';
import { until } from '../../support/until.ts';
import { vanillaManifest } from '../../support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../../support/warden.ts';

const program = new URL('../../../src/cli/main.ts', import.meta.url).pathname;
const kafka = 'kafka';
const pod = 'kafka-3';
const partitions = 12;

void suite('scaling a hardened cluster', { skip: clusterUnavailable() ?? false }, () => {
  const namespace = `scale-${process.pid}`;
  let cluster: Cluster;
  let kube: Kube;
  let brokers: Brokers;
  let tools: KafkaTools;
  let admin: KafkaAdmin;
  let producing: Promise<string>;

  const kubectl = (...args: string[]) => cluster.kubectl(['-n', namespace, ...args]);
  const tryKubectl = (...args: string[]) =>
    tryRun(cluster.programs.kubectl, ['--kubeconfig', cluster.kubeconfig, '-n', namespace, ...args]);
  const scale = (to: number) => kubectl('scale', 'statefulset', kafka, `--replicas=${to}`);
  const rebalance = (name: string) =>
    kube.tryGet<KafkaRebalance>(paths.kafkarebalances(namespace, `${kafka}-${name}`));
  const inPhase = (name: string, ...phases: string[]) =>
    until(
      `${name} is ${phases.join(' or ')}`,
      async () => {
        const status = (await rebalance(name))?.status;
        if (status?.phase === 'Failed') assert.fail(status.message);
        return phases.includes(status?.phase ?? '') && status;
      },
      { timeoutMs: 240_000, everyMs: 200 },
    );
  const approve = async () => {
    const env = { ...process.env, KUBECONFIG: cluster.kubeconfig };
    const args = [program, 'rebalance', 'approve', 'kafka-scale-out', '--yes', '-n', namespace];
    await promisify(execFile)(process.execPath, args, { env });
  };
  /** Without its disk a broker waits for a person's word, and never comes up. */
  const loseDisk = async () => {
    await kubectl('annotate', 'pvc', `data-${pod}`, `kafka-warden.io/confirm-delete=data-${pod}`);
    await kubectl('delete', 'pvc', `data-${pod}`, '--wait=false');
    await kubectl('delete', 'pod', pod);
  };
  const condition = async (type: string) => {
    const { status } = await kube.get<KafkaCluster>(paths.kafkaclusters(namespace, kafka));
    return status?.conditions?.find((one) => one.type === type);
  };
  const conditionIs = (type: string, status: string) =>
    until(`${type} is ${status}`, async () => {
      const found = await condition(type);
      if (found?.status === status) return found;
      throw new Error(JSON.stringify(found));
    });
  const events = (reason: string) =>
    kubectl('get', 'events', `--field-selector=reason=${reason}`, '-o', 'jsonpath={.items[*].message}');
  const registered = async () => (await admin.describeCluster()).brokers.map(({ id }) => id).sort();
  const replicasOn = async (id: number) =>
    (await admin.topics()).flatMap((topic) => topic.partitions).filter((one) => one.replicas.includes(id))
      .length;
  const sidecar = 'app.kubernetes.io/component=sidecar';
  const killSidecar = async () => {
    const name = await kubectl('get', 'pods', '-l', sidecar, '-o', 'jsonpath={.items[0].metadata.name}');
    await cluster.killProcessOf(name, namespace).catch(() => undefined);
    await kubectl('delete', 'pod', name, '--force', '--grace-period=0');
  };
  const holder = async () => {
    const found = await kubectl(
      'get',
      'configmap',
      `${kafka}-kafka-disruption`,
      '-o',
      'jsonpath={.data.record}',
    );
    return (JSON.parse(found) as { holder?: { kind: string; step?: string } }).holder;
  };
  const gone = async (t: TestContext) => {
    const from = performance.now();
    await until(
      `${pod} is gone, and its broker forgotten`,
      async () => {
        const uids = await brokers.uids();
        const ids = await registered();
        const held = await holder();
        if (uids[pod] === undefined && !ids.includes(3) && held === undefined) return true;
        throw new Error(
          `${uids[pod]} ${ids.join()} ${JSON.stringify(held)} ${JSON.stringify(await condition('ScalingIn'))}`,
        );
      },
      { timeoutMs: 240_000 },
    );
    t.diagnostic(`gone after ${((performance.now() - from) / 1000).toFixed(1)} s`);
  };

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    await installWarden(cluster, ['evictionGate.enabled=true', 'deletionGuards.enabled=true']);
    await enrolledNamespace(cluster, namespace);
    const env = [{ name: 'KAFKA_REPLICA_LAG_TIME_MAX_MS', value: '6000' }];
    await cluster.apply(vanillaManifest({ name: kafka, namespace, container: { env } }));
    brokers = brokersOf(cluster, namespace, kafka);
    await brokers.ready();
    await kubectl('wait', `kafkacluster/${kafka}`, '--for=condition=Ready', '--timeout=90s');
    tools = await startKafkaTools(cluster, { namespace, kafka });
    const { ca, cert, key } = await nodesAuthorityLeaf(cluster, namespace, kafka);
    admin = connectAdmin({
      bootstrap: [0, 1, 2].map((id) => `kafka-${id}.kafka.${namespace}.svc:9091`),
      tls: { caPem: ca, certificatePem: cert, privateKeyPem: key },
      lookup: cluster.lookup,
    });
    const spread = Array.from({ length: partitions }, (_, i) => [0, 1, 2].map((k) => (i + k) % 3));
    for (const topic of ['orders', 'clicks']) {
      await tools.createTopic(topic, spread, ['min.insync.replicas=2']);
    }
    await tools.fill('clicks', 120_000);
    producing = tools.shell(
      '(cat $CONFIG; echo; echo retries=2147483647; echo enable.idempotence=true) > /tmp/producer.properties; ' +
        'kafka-verifiable-producer.sh $SERVER --producer.config /tmp/producer.properties --topic orders --acks -1 --throughput 100 & ' +
        'echo $! > /tmp/producer.pid; wait',
    );
    producing.catch(() => undefined);
  });
  after(async () => {
    await admin?.close();
    if (cluster) await deleteNamespace(cluster, namespace);
    if (cluster) await installWarden(cluster);
    await cluster?.[Symbol.asyncDispose]();
  });

  test('a broker that comes is proposed its share, and nothing moves before that is approved', async (t) => {
    await scale(4);
    await brokers.ready();
    const { summary } = await inPhase('scale-out', 'Proposed');
    t.diagnostic(`proposed: ${summary?.move}`);
    // The condition is written a moment after the object's own status.
    await until('the condition says how to approve it', async () =>
      /brokers 3 are empty.*rebalance approve kafka-scale-out/.test(
        (await conditionIs('ScalingOut', 'True')).message,
      ),
    );
    assert.match(await events('WaitingForApproval'), /waits for approval: kafka-warden rebalance approve/);
    assert.equal(await replicasOn(3), 0);
  });

  test('approved, it is carried out; topics then need as many brokers as they have replicas', async () => {
    await approve();
    await inPhase('scale-out', 'Done');
    assert.ok((await replicasOn(3)) > 0);
    const { status } = await kube.get<KafkaCluster>(paths.kafkaclusters(namespace, kafka));
    assert.equal(status?.largestReplication?.replicas, 3);
  });

  test('what kubectl scale may not do is refused with the reason', async () => {
    for (const [to, why] of [
      [2, /first 3 pods are voters/],
      [0, /annotate the StatefulSet kafka-warden\.io\/confirm-scale=0/],
      [200, /keystores of more than 96 pods/],
    ] as const) {
      const { code, stderr } = await tryKubectl('scale', 'statefulset', kafka, `--replicas=${to}`);
      assert.notEqual(code, 0);
      assert.match(stderr, why);
    }
  });

  test('scaled in and back again, nothing has changed', async (t) => {
    const { [pod]: uid } = await brokers.uids();
    await scale(3);
    await inPhase('scale-in', 'Executing');
    await scale(4);
    await until('what was under way is taken back', async () => (await rebalance('scale-in')) === undefined);
    assert.deepEqual(await admin.listReassignments(), []);
    assert.equal((await brokers.uids())[pod], uid);
    assert.ok((await registered()).includes(3));
    t.diagnostic(`replicas on broker 3 then: ${await replicasOn(3)}`);
    await brokers.ready();
    await conditionIs('ScalingIn', 'False');
  });

  test('scaled in, its replicas move and it goes, whenever the sidecar is killed; its volume stays', async (t) => {
    // A setting that a later broker of that id would inherit.
    await admin.incrementalAlterConfigs(
      { type: 'broker', name: '3' },
      [{ name: 'log.cleaner.backoff.ms', set: '16000' }],
      { broker: 3 },
    );
    const { [pod]: uid } = await brokers.uids();
    await scale(3);
    await inPhase('scale-in', 'Executing');
    assert.equal((await brokers.uids())[pod], uid, 'it is held while its replicas move');
    assert.match(
      await events('Moving'),
      /stay until their replicas have moved: see KafkaRebalance kafka-scale-in/,
    );
    await killSidecar();
    const step = await until(
      'the lease is held for it',
      async () => {
        const held = await holder();
        return held?.kind === 'scale-in' && (held.step ?? '');
      },
      { timeoutMs: 240_000, everyMs: 100 },
    );
    await killSidecar();
    t.diagnostic(`killed while it executed, and at ${step}`);
    await gone(t);
    assert.match(await kubectl('get', 'pvc', `data-${pod}`, '-o', 'jsonpath={.status.phase}'), /Bound/);
    await until('nothing is left of it', async () => (await rebalance('scale-in')) === undefined);
    await conditionIs('ScalingIn', 'False');
    assert.match(await events('ScaledIn'), /kafka-3 is gone and its broker has left the cluster/);
    await brokers.ready();
  });

  test('a broker of the same id that comes later is a new one', async (t) => {
    await scale(4);
    await brokers.ready();
    await until('it is registered', async () => (await registered()).includes(3));
    const configs = await admin.describeConfigs({ type: 'broker', name: '3' });
    assert.deepEqual(
      configs.filter(({ source }) => source === 'broker').map(({ name }) => name),
      [],
    );
    await inPhase('scale-out', 'Proposed');
    // Empty as it is, it goes at once, and takes the proposal along.
    await scale(3);
    await gone(t);
    await until('the proposal is gone', async () => (await rebalance('scale-out')) === undefined);
  });

  test('a broker that is away for good, with replicas on it, can be scaled away', async (t) => {
    await scale(4);
    await brokers.ready();
    await inPhase('scale-out', 'Proposed');
    await approve();
    await inPhase('scale-out', 'Done');
    assert.ok((await replicasOn(3)) > 0);
    // As many replicas as their minimum: without broker 3 they cannot be written to before they are moved.
    await tools.createTopic(
      'pairs',
      [
        [3, 0],
        [1, 3],
      ],
      ['min.insync.replicas=2'],
    );
    await until('nothing is under way', async () => (await holder()) === undefined);
    await loseDisk();
    await until('its loss waits for it to start', async () => {
      const held = await holder();
      return held?.kind === 'loss' && held.step === 'starting';
    });
    await conditionIs('LostDisk', 'True');
    await scale(3);
    await gone(t);
    await conditionIs('ScalingIn', 'False');
    await until('its replicas are elsewhere', async () => (await replicasOn(3)) === 0);
  });

  test('a share that is carried out ends when its broker is lost and scaled away', async (t) => {
    await kubectl('delete', 'pvc', `data-${pod}`, '--ignore-not-found');
    await scale(4);
    await brokers.ready();
    await inPhase('scale-out', 'Proposed');
    await approve();
    await inPhase('scale-out', 'Executing');
    await loseDisk();
    await until(
      'it is away',
      async () =>
        !(await admin.describeCluster()).brokers.some(({ id, fenced }) => id === 3 && fenced !== true),
    );
    t.diagnostic(`replicas on broker 3 then: ${await replicasOn(3)}`);
    await scale(3);
    await gone(t);
    await until('nothing is left of it', async () => (await rebalance('scale-out')) === undefined);
    assert.equal(await replicasOn(3), 0);
    assert.deepEqual(await admin.listReassignments(), []);
  });

  test('the producer beside it lost nothing and was refused nothing', async (t) => {
    await tools.shell('kill -TERM $(cat /tmp/producer.pid)');
    const lines = (await producing).trim().split('\n');
    const said = lines.flatMap((line) => {
      if (!line.startsWith('{')) return [];
      return [JSON.parse(line) as { name: string; sent?: number; acked?: number }];
    });
    const acked = said.filter(({ name }) => name === 'producer_send_success').length;
    const refused = said.filter(({ name }) => name === 'producer_send_error').length;
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic: 'orders', partition }));
    const offsets = await admin.listOffsets('latest', all);
    const stored = offsets.reduce((sum, { offset }) => sum + Number(offset), 0);
    t.diagnostic(`acknowledged ${acked}, stored ${stored}, refused ${refused}`);
    assert.ok(acked > 1_000);
    assert.equal(refused, 0);
    assert.ok(stored >= acked, 'every acknowledged message is there');
  });

  test('what live brokers need is deleted only where that is confirmed', async () => {
    const refused = async (kind: string, name: string, why: RegExp) => {
      const { code, stderr } = await tryKubectl('delete', kind, name, '--dry-run=server');
      assert.notEqual(code, 0, `${kind} ${name}`);
      assert.match(stderr, why);
      assert.match(stderr, new RegExp(`annotate \\S+ ${name} kafka-warden.io/confirm-delete=${name}`));
      await kubectl('annotate', kind, name, `kafka-warden.io/confirm-delete=${name}`);
      const again = await tryKubectl('delete', kind, name, '--dry-run=server');
      assert.equal(again.code, 0, again.stderr);
      await kubectl('annotate', kind, name, 'kafka-warden.io/confirm-delete-');
    };
    await refused('statefulset', kafka, /3 brokers or controllers of kafka would stop/);
    await refused('pvc', 'data-kafka-1', /holds the data of a pod of StatefulSet kafka/);
    await refused('secret', 'kafka-kafka-keys', /no broker of kafka starts again without the Secret/);
    await refused('secret', 'kafka-kafka-authority', /no broker of kafka starts again without the Secret/);
    const spare = await tryKubectl('delete', 'pvc', `data-${pod}`, '--dry-run=server');
    assert.equal(spare.code, 0, 'the volume of a pod that was scaled away may go');
    const orphan = await tryKubectl('delete', 'statefulset', kafka, '--cascade=orphan', '--dry-run=server');
    assert.equal(orphan.code, 0, orphan.stderr);
    const real = await tryKubectl('delete', 'statefulset', kafka);
    assert.notEqual(real.code, 0);
  });

  test('a namespace can be deleted with all that is in it', async () => {
    await deleteNamespace(cluster, namespace);
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { Kube } from '../../src/kubernetes/client.ts';
import type { KubeObject } from '../../src/kubernetes/object.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import { keys } from '../../src/names.ts';
import type { KafkaCluster } from '../../src/sidecar/status/kafka-cluster.ts';
import { zoneLabel } from '../../src/webhook/trimmed.ts';
import { type Cluster, clusterUnavailable, images, startCluster } from '../cluster/index.ts';
import { brokersOf, deleteNamespace } from '../support/brokers.ts';
import { kubeOf } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { vanillaObjects } from '../support/vanilla.ts';
import { enrolledNamespace, installWarden, wardenNamespace } from '../support/warden.ts';

type Pod = KubeObject & {
  spec: { nodeName?: string };
  status?: { conditions?: { type: string; status: string }[] };
};

suite('broker.rack', { skip: clusterUnavailable() ?? false, timeout: 300_000 }, () => {
  const run = randomUUID().slice(0, 8);
  const namespace = `rack-${run}`;
  const nodeWithoutZone = `no-zone-${run}`;
  let cluster: Cluster;
  let kube: Kube;

  const podNow = (name: string) => kube.get<Pod>(paths.pods(namespace, name));
  const rackOf = async (name: string) => (await podNow(name)).metadata?.annotations?.[keys.rack];
  const bound = (name: string) =>
    until(`${name} has a node`, async () => (await podNow(name)).spec.nodeName, { timeoutMs: 30_000 });
  /** A pod of a name that the set may use, but not the set's: its controller leaves it alone. */
  const create = (name: string, spec: object = {}) =>
    kube.create(paths.pods(namespace), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'quiet', image: images.kafka41, command: ['sleep', '600'] }],
        ...spec,
      },
    });

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    await installWarden(cluster);
    await enrolledNamespace(cluster, namespace);
    await cluster.apply(vanillaObjects({ name: 'kafka', namespace, replicas: 1 }));
  });
  after(async () => {
    await kube.remove(paths.nodes(nodeWithoutZone));
    await deleteNamespace(cluster, namespace);
    await cluster[Symbol.asyncDispose]();
  });

  test('is the zone of the node, as the broker itself tells', async () => {
    await brokersOf(cluster, namespace, 'kafka').ready();
    const { spec } = await podNow('kafka-0');
    const node = await kube.get<KubeObject>(paths.nodes(spec.nodeName));
    const zone = node.metadata?.labels?.[zoneLabel];
    const broker = await until('the broker is registered', async () => {
      const seen = await kube.get<KafkaCluster>(paths.kafkaclusters(namespace, 'kafka'));
      return seen.status?.brokers?.find(({ registered }) => registered);
    });
    assert.equal(broker.node, spec.nodeName);
    assert.equal(broker.rack, zone);
  });

  test('is nothing that pods of other workloads get', async () => {
    await create('other-0');
    await bound('other-0');
    assert.equal(await rackOf('other-0'), undefined);
  });

  test('is not known on a node without a zone', async (t) => {
    if (cluster.name === 'external') return t.skip('registers a node');
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeWithoutZone } };
    await kube.create(paths.nodes(), { ...node, spec: { unschedulable: true } });
    await create('kafka-9', { schedulerName: 'none' });
    await kube.create(`${paths.pods(namespace, 'kafka-9')}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'kafka-9' },
      target: { apiVersion: 'v1', kind: 'Node', name: nodeWithoutZone },
    });
    assert.equal((await podNow('kafka-9')).spec.nodeName, nodeWithoutZone);
    assert.equal(await rackOf('kafka-9'), undefined);
    // No kubelet will ever end it.
    await cluster.kubectl([
      'delete',
      'pod',
      'kafka-9',
      '--namespace',
      namespace,
      '--force',
      '--grace-period=0',
    ]);
  });

  test('is not worth waiting for: pods are bound while the webhook is down', async () => {
    const webhook = ['--namespace', wardenNamespace];
    const replicas = ['get', 'deployment/kafka-warden', ...webhook, '--output=jsonpath={.spec.replicas}'];
    const before = await cluster.kubectl(replicas);
    await cluster.kubectl(['scale', 'deployment/kafka-warden', '--replicas=0', ...webhook]);
    try {
      const selector = ['--selector=app.kubernetes.io/component=webhook', ...webhook];
      await cluster.kubectl(['wait', 'pod', '--for=delete', '--timeout=60s', ...selector]);
      await create('kafka-8');
      await bound('kafka-8');
      assert.equal(await rackOf('kafka-8'), undefined);
    } finally {
      await cluster.kubectl(['scale', 'deployment/kafka-warden', `--replicas=${before}`, ...webhook]);
      await cluster.kubectl(['rollout', 'status', 'deployment/kafka-warden', '--timeout=60s', ...webhook]);
    }
  });
});

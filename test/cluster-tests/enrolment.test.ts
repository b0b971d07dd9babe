import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { Kube } from '../../src/kubernetes/client.ts';
import type { KubeObject } from '../../src/kubernetes/object.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import { keys } from '../../src/names.ts';
import { sidecarSelector } from '../../src/webhook/sidecar-manifests.ts';
import { type Cluster, clusterUnavailable, images, startCluster } from '../cluster/index.ts';
import { deleteNamespace } from '../support/brokers.ts';
import { kubeOf } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { vanillaObjects } from '../support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../support/warden.ts';

type Event = KubeObject & { reason: string; note: string; regarding: { name?: string } };
type Service = KubeObject & { spec: { publishNotReadyAddresses?: boolean } };

suite('enrolment', { skip: clusterUnavailable() ?? false, timeout: 300_000 }, () => {
  const run = randomUUID().slice(0, 8);
  const namespaces = { running: `running-${run}`, several: `several-${run}` };
  let cluster: Cluster;
  let kube: Kube;

  /** Without pods: what is looked at here are objects. */
  const kafka = (name: string, namespace: string) => vanillaObjects({ name, namespace, replicas: 0 });
  const reports = async (set: string) =>
    (await kube.list<Event>(paths.events(namespaces.running))).filter(
      ({ reason, regarding }) => reason === 'NotHardened' && regarding.name === set,
    );
  const reported = (set: string) =>
    until(`${set} is reported`, async () => (await reports(set))[0], { timeoutMs: 30_000, everyMs: 200 });

  before(async () => {
    cluster = await startCluster();
    kube = await kubeOf(cluster);
    await installWarden(cluster);
    await enrolledNamespace(cluster, namespaces.several);
    await cluster.kubectl(['create', 'namespace', namespaces.running]);
  });
  after(async () => {
    for (const namespace of Object.values(namespaces)) await deleteNamespace(cluster, namespace);
    await cluster[Symbol.asyncDispose]();
  });

  test('reports what runs already, once, and touches nothing', async () => {
    const namespace = namespaces.running;
    const label = (value: string) =>
      cluster.kubectl(['label', 'namespace', namespace, `${keys.enroll}${value}`]);
    await cluster.apply([...kafka('first', namespace), ...kafka('second', namespace)]);
    const set = () => kube.get<KubeObject>(paths.statefulsets(namespace, 'first'));
    const before = await set();
    await label('=true');
    const { note } = await reported('first');
    assert.match(note, /is not hardened, and is not touched/);
    assert.ok(note.endsWith(`kafka-warden adopt --plan statefulset/first -n ${namespace}`), note);
    await reported('second');
    const { metadata } = await set();
    assert.equal(metadata?.generation, before.metadata?.generation);
    assert.deepEqual(metadata?.annotations, before.metadata?.annotations);
    await label('-');
    await cluster.apply(kafka('third', namespace));
    await label('=true');
    await reported('third');
    assert.equal((await reports('first')).length, 1);
  });

  test('warns of a broker in a Deployment, and refuses none', async () => {
    const labels = { app: 'broker' };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'broker', namespace: namespaces.several },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'kafka', image: images.kafka41 }] },
        },
      },
    };
    const create = (...flags: string[]) =>
      cluster.kubectl(['create', '--filename=-', ...flags], { input: JSON.stringify(deployment) });
    await assert.rejects(
      create('--dry-run=server', '--warnings-as-errors'),
      /\[workload-kind\].*StatefulSet/,
    );
    await create();
  });

  /** The cluster is named by the StatefulSet that the first voter belongs to. */
  const sidecar = 'controllers-kafka-warden';
  const ownersOf = async (namespace: string) => {
    const made = [
      paths.deployments(namespace, sidecar),
      paths.serviceaccounts(namespace, sidecar),
      paths.rolebindings(namespace, sidecar),
      paths.networkpolicies(namespace, sidecar),
    ];
    const objects = await Promise.all(made.map((path) => kube.tryGet<KubeObject>(path)));
    const owners = objects.map((object) =>
      (object?.metadata?.ownerReferences ?? []).map(({ name }) => name).join(','),
    );
    return new Set(owners).size === 1 ? owners[0] : undefined;
  };
  const owned = (by: string) =>
    until(`the sidecar is owned by ${by}`, async () => (await ownersOf(namespaces.several)) === by, {
      timeoutMs: 30_000,
      everyMs: 200,
    });

  test('gives the sets of one cluster one sidecar, whichever came first, and all own it', async () => {
    const namespace = namespaces.several;
    const voters = [0, 1, 2].map((id) => `${id}@controllers-${id}.controllers:9093`).join(',');
    const member = (name: string, role: string, listeners: string) => {
      const env = {
        KAFKA_PROCESS_ROLES: role,
        KAFKA_CONTROLLER_QUORUM_VOTERS: voters,
        KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
        KAFKA_LISTENERS: listeners,
      };
      const container = { env: Object.entries(env).map(([key, value]) => ({ name: key, value })) };
      const [service, set] = vanillaObjects({ name, namespace, replicas: 0, container });
      return { service, set };
    };
    const brokers = member('brokers', 'broker', 'PLAINTEXT://:9092');
    const controllers = member('controllers', 'controller', 'CONTROLLER://:9093');
    await cluster.apply([brokers.set]);
    await owned('brokers');
    await cluster.apply([controllers.set]);
    await owned('brokers,controllers');
    const sidecars = await kube.list<KubeObject>(paths.deployments(namespace), {
      labelSelector: sidecarSelector,
    });
    assert.deepEqual(
      sidecars.map(({ metadata }) => metadata?.name),
      [sidecar],
    );
    for (const [name, { service }] of Object.entries({ brokers, controllers })) {
      await cluster.apply([service]);
      const { spec } = await kube.get<Service>(paths.services(namespace, name));
      assert.equal(spec.publishNotReadyAddresses, true, `Service ${name}`);
    }
    await cluster.kubectl(['delete', 'statefulset', 'brokers', '--namespace', namespace]);
    await owned('controllers');
  });
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { StatefulSet } from '../../src/hardening/index.ts';
import type { Kube } from '../../src/kubernetes/client.ts';
import type { KubeObject } from '../../src/kubernetes/object.ts';
import { paths } from '../../src/kubernetes/paths.ts';
import { type Cluster, clusterUnavailable, startCluster } from '../cluster/index.ts';
import { brokersOf, deleteNamespace } from '../support/brokers.ts';
import { kubeOf } from '../support/sidecar.ts';
import { vanillaObjects } from '../support/vanilla.ts';
import { enrolledNamespace, installWarden } from '../support/warden.ts';

type Service = KubeObject & { spec: { clusterIP: string; publishNotReadyAddresses?: boolean } };

const address = /^\d+\.\d+\.\d+\.\d+$/;

suite(
  'a Kafka whose only Service has an address',
  { skip: clusterUnavailable() ?? false, timeout: 480_000 },
  () => {
    const run = randomUUID().slice(0, 8);
    const namespaces = { serviceFirst: `service-first-${run}`, setFirst: `set-first-${run}` };
    let cluster: Cluster;
    let kube: Kube;

    /** A Service as most first write it, and the set that names it. */
    function manifest(namespace: string): { service: object; set: object } {
      const [, set = {}] = vanillaObjects({ name: 'kafka', namespace, replicas: 1 });
      const service = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'kafka', namespace },
        spec: { selector: { app: 'kafka' }, ports: [{ port: 9092 }] },
      };
      return { service, set };
    }
    const serviceNameOf = async (namespace: string) =>
      (await kube.get<StatefulSet>(paths.statefulsets(namespace, 'kafka'))).spec?.serviceName;
    const serviceOf = async (namespace: string, name: string) =>
      (await kube.get<Service>(paths.services(namespace, name))).spec;

    before(async () => {
      cluster = await startCluster();
      kube = await kubeOf(cluster);
      await installWarden(cluster);
      for (const namespace of Object.values(namespaces)) await enrolledNamespace(cluster, namespace);
    });
    after(async () => {
      await Promise.all(Object.values(namespaces).map((namespace) => deleteNamespace(cluster, namespace)));
      await cluster[Symbol.asyncDispose]();
    });

    test('becomes ready where the Service is applied first, and clients keep it', async () => {
      const namespace = namespaces.serviceFirst;
      const { service, set } = manifest(namespace);
      await cluster.apply([service, set]);
      assert.equal(await serviceNameOf(namespace), 'kafka-nodes');
      await brokersOf(cluster, namespace, 'kafka').ready();
      assert.match((await serviceOf(namespace, 'kafka')).clusterIP, address);
      assert.equal((await serviceOf(namespace, 'kafka-nodes')).clusterIP, 'None');
      await cluster.apply([service, set]);
      assert.equal(await serviceNameOf(namespace), 'kafka-nodes');
    });

    test('becomes ready where the set is applied first, and the Service is created headless', async () => {
      const namespace = namespaces.setFirst;
      const { service, set } = manifest(namespace);
      await cluster.apply([set, service]);
      assert.equal(await serviceNameOf(namespace), 'kafka');
      const { clusterIP, publishNotReadyAddresses } = await serviceOf(namespace, 'kafka');
      assert.deepEqual([clusterIP, publishNotReadyAddresses], ['None', true]);
      await brokersOf(cluster, namespace, 'kafka').ready();
      await cluster.apply([set, service]);
      assert.equal((await serviceOf(namespace, 'kafka')).clusterIP, 'None');
    });
  },
);

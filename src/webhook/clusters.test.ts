import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harden } from '../hardening/index.ts';
import type { StatefulSet } from '../hardening/model.ts';
import { keys } from '../names.ts';
import { clustersOf } from './clusters.ts';
import { sidecarObjects, type SidecarSettings } from './sidecar-manifests.ts';
import { trimStatefulSet } from './trimmed.ts';

const settings: SidecarSettings = {
  image: 'kafka-warden:1',
  imagePullSecrets: ['registry'],
  logLevel: 'info',
  wardenNamespace: 'kafka-warden',
  apiServerPorts: [443],
};

/** A hardened set; by default a cluster of its own. */
function hardened(name: string, cluster = name): StatefulSet {
  const vanilla = {
    metadata: { name, namespace: 'shop', uid: `uid-of-${name}` },
    spec: {
      serviceName: name,
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'kafka', image: 'apache/kafka:4.1.0' }] },
      },
    },
  } as unknown as StatefulSet;
  const { workload, decision } = harden(vanilla, { namespace: 'shop' });
  assert.equal(decision, 'hardened');
  const annotations = { ...workload.metadata?.annotations };
  const layout = JSON.parse(annotations[keys.layout] ?? '') as object;
  annotations[keys.layout] = JSON.stringify({ ...layout, cluster });
  return { ...workload, metadata: { ...workload.metadata, annotations } };
}

const namespace = (name: string, more: object = {}) => ({ metadata: { name, ...more } });

test('StatefulSets of one cluster share one sidecar, and all of them own it', () => {
  const sets = [hardened('brokers', 'events'), hardened('controllers', 'events'), hardened('other')];
  const clusters = clustersOf([namespace('shop')], sets);
  assert.deepEqual([...clusters.keys()], ['shop/events', 'shop/other']);
  const place = clusters.get('shop/events')!;
  for (const object of sidecarObjects(place, settings)) {
    assert.equal(object.metadata?.name, 'events-kafka-warden');
    const owners = object.metadata?.ownerReferences ?? [];
    assert.deepEqual(
      owners.map(({ uid }) => uid),
      ['uid-of-brokers', 'uid-of-controllers'],
    );
    for (const owner of owners) assert.equal(owner.blockOwnerDeletion, undefined);
  }
});

test('no sidecar without enrolment, in a dying namespace, for an unhardened set, or for one that is going', () => {
  const set = hardened('kafka');
  const deletionTimestamp = '2030-01-01T00:00:00Z';
  assert.equal(clustersOf([], [set]).size, 0);
  assert.equal(clustersOf([namespace('elsewhere')], [set]).size, 0);
  assert.equal(clustersOf([namespace('shop', { deletionTimestamp })], [set]).size, 0);
  assert.equal(
    clustersOf([namespace('shop')], [{ ...set, metadata: { ...set.metadata, annotations: {} } }]).size,
    0,
  );
  const going = { ...set, metadata: { ...set.metadata, deletionTimestamp } } as unknown as StatefulSet;
  assert.equal(clustersOf([namespace('shop')], [going]).size, 0);
});

test('a set is kept small in memory, and what loops and reviews ask of it is still there', () => {
  const set = hardened('kafka');
  const trimmed = trimStatefulSet(set);
  assert.deepEqual([...clustersOf([namespace('shop')], [trimmed]).keys()], ['shop/kafka']);
  assert.ok(JSON.stringify(trimmed).length < JSON.stringify(set).length);
  const foreign = { metadata: { name: 'db', namespace: 'shop', annotations: { big: 'x' } }, spec: {} };
  assert.equal(trimStatefulSet(foreign as unknown as StatefulSet).spec, undefined);
});

test('the sidecar fits Pod Security restricted and sets requests and limits', () => {
  const [, , , deployment] = sidecarObjects({ namespace: 'shop', cluster: 'kafka', owners: [] }, settings);
  const { template, strategy } = (
    deployment as unknown as { spec: { template: { spec: Pod }; strategy: object } }
  ).spec;
  const [container] = template.spec.containers;
  assert.deepEqual(strategy, { type: 'Recreate' });
  assert.equal(template.spec.securityContext['runAsNonRoot'], true);
  assert.deepEqual(template.spec.securityContext['seccompProfile'], { type: 'RuntimeDefault' });
  assert.equal(container?.securityContext['allowPrivilegeEscalation'], false);
  assert.deepEqual(container?.securityContext['capabilities'], { drop: ['ALL'] });
  assert.deepEqual(Object.keys(container?.resources ?? {}), ['requests', 'limits']);
});

interface Pod {
  securityContext: Record<string, unknown>;
  containers: { securityContext: Record<string, unknown>; resources: object }[];
}

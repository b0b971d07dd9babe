import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatefulSet } from '../hardening/model.ts';
import { clustersOf } from './clusters.ts';
import { sidecarObjects, type SidecarSettings } from './sidecar-manifests.ts';
import { hardened } from './test/sets.ts';

const settings: SidecarSettings = {
  image: 'kafka-warden:1',
  imagePullSecrets: ['registry'],
  logLevel: 'info',
  wardenNamespace: 'kafka-warden',
  apiServerPorts: [443],
  webhookAuthorities: 'PEM',
};

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

test('the order in which the sets of a cluster came changes nothing, so that nothing is written again', () => {
  const sets = [hardened('controllers', 'events'), hardened('brokers', 'events')];
  const objects = (given: StatefulSet[]) =>
    sidecarObjects(clustersOf([namespace('shop')], given).get('shop/events')!, settings);
  assert.deepEqual(objects(sets), objects(sets.toReversed()));
});

test('a set that is gone owns no longer; one that is going still does, but keeps no sidecar alone', () => {
  const controllers = hardened('controllers', 'events');
  const brokers = hardened('brokers', 'events');
  const going = (set: StatefulSet): StatefulSet => ({
    ...set,
    metadata: { ...set.metadata, deletionTimestamp: new Date() },
  });
  const owners = (...sets: StatefulSet[]) =>
    clustersOf([namespace('shop')], sets)
      .get('shop/events')
      ?.owners.map(({ name }) => name);
  assert.deepEqual(owners(brokers), ['brokers']);
  assert.deepEqual(owners(going(controllers), brokers), ['controllers', 'brokers']);
  assert.equal(owners(going(controllers), going(brokers)), undefined);
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

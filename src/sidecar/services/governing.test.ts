import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Layout } from '../../hardening/index.ts';
import type { ClusterSet } from '../cluster-set.ts';
import type { Service } from '../objects.ts';
import { controllers, member } from '../test/sets.ts';
import { governingAction, governingService } from './governing.ts';

const set = (service: string): ClusterSet => ({
  name: 'kafka',
  object: {
    metadata: { name: 'kafka', uid: 'u' },
    spec: { serviceName: service, selector: { matchLabels: { app: 'kafka' } }, template: {} },
  },
  layout: { cluster: 'kafka', service, clientPort: 9092, internalPort: 9091, controllerPort: 9093 } as Layout,
  replicas: 3,
  firstOrdinal: 0,
});
const service = (spec: Service['spec']): Service => ({
  metadata: { name: 'kafka', uid: 's' },
  ...(spec === undefined ? {} : { spec }),
});

test('a missing Service of the person’s own gets ten seconds to arrive', () => {
  assert.deepEqual(governingAction(set('kafka'), undefined, 4_000), { action: 'wait', forMs: 6_000 });
  assert.deepEqual(governingAction(set('kafka'), undefined, 10_000), { action: 'create' });
});

test('a Service whose name kafka-warden made up is created at once', () => {
  assert.deepEqual(governingAction(set('kafka-nodes'), undefined, 0), { action: 'create' });
});

test('a headless Service learns to publish pods that are not ready; a right one is left alone', () => {
  const headless = service({ clusterIP: 'None' });
  assert.deepEqual(governingAction(set('kafka'), headless, 0), { action: 'publish-not-ready' });
  const right = service({ clusterIP: 'None', publishNotReadyAddresses: true });
  assert.deepEqual(governingAction(set('kafka'), right, 0), { action: 'none' });
});

test('a Service with an address of its own is reported, never replaced', () => {
  assert.equal(governingAction(set('kafka'), service({ clusterIP: '10.0.0.1' }), 60_000).action, 'report');
});

test('the Service that is made selects what the set selects and names every listener', () => {
  const { spec, metadata } = governingService(set('kafka-nodes'), [set('kafka-nodes')], 'shop');
  assert.deepEqual(spec.selector, { app: 'kafka' });
  assert.equal(spec.publishNotReadyAddresses, true);
  assert.deepEqual(
    spec.ports.map(({ port }) => port),
    [9092, 9091, 9093],
  );
  assert.equal(metadata.labels['app.kubernetes.io/managed-by'], 'kafka-warden');
});

test('a Service that governs several sets selects all of the cluster’s pods, with the ports of each role', () => {
  const [one, two] = [member(0), member(1)].map((set) => ({
    ...set,
    layout: { ...set.layout, service: 'kafka' },
  }));
  assert.ok(one && two);
  const { spec, metadata } = governingService(one, [one, two, controllers], 'team');
  assert.deepEqual(spec.selector, { 'kafka-warden.io/node': 'shop' });
  assert.equal(metadata.ownerReferences.length, 2);
  assert.equal(spec.ports.length, 3);
  const { spec: own } = governingService(controllers, [one, two, controllers], 'team');
  assert.deepEqual(
    own.ports.map(({ name, port }) => [name, port]),
    [['controller', 9093]],
  );
});

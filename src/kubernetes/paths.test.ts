import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contains } from './apply.ts';
import { pathOf, paths } from './paths.ts';

test('paths name group, namespace and object', () => {
  assert.equal(paths.pods('shop', 'kafka-0'), '/api/v1/namespaces/shop/pods/kafka-0');
  assert.equal(paths.statefulsets('shop'), '/apis/apps/v1/namespaces/shop/statefulsets');
  assert.equal(paths.statefulsets(), '/apis/apps/v1/statefulsets');
  assert.equal(paths.nodes('one'), '/api/v1/nodes/one');
  assert.equal(
    paths.kafkausers('shop', 'app'),
    '/apis/kafka-warden.io/v1alpha1/namespaces/shop/kafkausers/app',
  );
});

test('a name cannot lead to another path', () => {
  assert.equal(paths.secrets('a', '../../b?c'), '/api/v1/namespaces/a/secrets/..%2F..%2Fb%3Fc');
});

test('an object of an unknown kind has no path', () => {
  assert.throws(() => pathOf({ apiVersion: 'v1', kind: 'Unheard', metadata: { name: 'x' } }), TypeError);
});

test('a live object contains a wanted one whatever defaults it has besides', () => {
  const live = { spec: { ports: [{ port: 1, protocol: 'TCP' }], type: 'ClusterIP' }, status: {} };
  assert.ok(contains(live, { spec: { ports: [{ port: 1 }] } }));
  assert.ok(!contains(live, { spec: { ports: [{ port: 2 }] } }));
  assert.ok(!contains(live, { spec: { ports: [] } }));
  assert.ok(!contains(live, { spec: { ports: [{ port: 1 }, { port: 2 }] } }));
  assert.ok(!contains(live, { metadata: { labels: {} } }));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distinguishedName, nodeNames, nodeSubject, wardenSubject } from './index.ts';

test('all nodes of all clusters share one principal, the warden has another', () => {
  assert.equal(distinguishedName(nodeSubject), 'CN=kafka-node,O=kafka-warden');
  assert.equal(distinguishedName(wardenSubject), 'CN=kafka-warden,O=kafka-warden');
});

test('a name is printed common name first, with what RFC 2253 escapes escaped', () => {
  const subject = { organization: 'Acme, Inc.', commonName: ' a+b=c ', organizationalUnit: '#1 <"\\;">' };
  const printed = 'CN=\\ a\\+b\\=c\\ ,OU=\\#1 \\<\\"\\\\\\;\\"\\>,O=Acme\\, Inc.';
  assert.equal(distinguishedName(subject), printed);
});

test('a node is known by every name under which it may be reached', () => {
  const place = {
    pod: 'kafka-0',
    service: 'kafka-headless',
    namespace: 'demo',
    bootstrap: 'kafka-bootstrap',
  };
  assert.deepEqual(nodeNames(place), [
    'kafka-0',
    'kafka-0.kafka-headless',
    'kafka-0.kafka-headless.demo',
    'kafka-0.kafka-headless.demo.svc',
    'kafka-0.kafka-headless.demo.svc.cluster.local',
    'kafka-headless',
    'kafka-headless.demo',
    'kafka-headless.demo.svc',
    'kafka-headless.demo.svc.cluster.local',
    'kafka-bootstrap',
    'kafka-bootstrap.demo',
    'kafka-bootstrap.demo.svc',
    'kafka-bootstrap.demo.svc.cluster.local',
    'localhost',
  ]);
});

test('a cluster domain of one’s own is used, and no name stands twice', () => {
  const names = nodeNames({
    pod: 'kafka-0',
    service: 'kafka',
    namespace: 'demo',
    clusterDomain: 'k8s.example',
    bootstrap: ['kafka', 'entry'],
  });
  assert.ok(names.includes('kafka-0.kafka.demo.svc.k8s.example'));
  assert.ok(names.includes('entry.demo.svc.k8s.example'));
  assert.ok(!names.some((name) => name.includes('cluster.local')));
  assert.equal(new Set(names).size, names.length);
});

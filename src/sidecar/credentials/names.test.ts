import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterSet } from '../test/sets.ts';
import { namedPods } from './names.ts';

test('every pod of the set has the names and addresses by which it is advertised outside', () => {
  const hosts = ['kafka.example.com', '*.kafka.example.com', '192.0.2.7', '2001:db8::7', 'not a host'];
  const pods = namedPods(clusterSet('kafka', { hosts }), { namespace: 'team', services: [] });
  assert.equal(pods.length, 6);
  for (const { dnsNames, ipAddresses } of pods) {
    assert.deepEqual(dnsNames.slice(-2), ['kafka.example.com', '*.kafka.example.com']);
    assert.deepEqual(ipAddresses, ['192.0.2.7', '2001:db8::7']);
  }
});

test('a host that is made from the name of the pod is each pod’s own', () => {
  const set = clusterSet('kafka', { hosts: ['@pod.kafka.example.com'] });
  const [first, second] = namedPods(set, { namespace: 'team', services: [] });
  assert.ok(first?.dnsNames.includes('kafka-0.kafka.example.com'));
  assert.ok(second?.dnsNames.includes('kafka-1.kafka.example.com'));
  assert.ok(!second?.dnsNames.includes('kafka-0.kafka.example.com'));
});

test('pods of the next ordinals have certificates before they are there, and keep them when they are scaled away', () => {
  const names = (replicas: number, firstOrdinal = 0) =>
    namedPods({ ...clusterSet('kafka', {}, replicas), firstOrdinal }, { namespace: 'team', services: [] });
  assert.deepEqual(
    names(3).map(({ pod }) => pod),
    [0, 1, 2, 3, 4, 5].map((ordinal) => `kafka-${ordinal}`),
  );
  assert.ok(names(3)[3]?.dnsNames.includes('kafka-3.kafka.team.svc'));
  assert.equal(names(3, 2).at(-1)?.pod, 'kafka-7');
});

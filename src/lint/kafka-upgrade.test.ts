import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from './subject.ts';
import { configMap, findingsOf, set } from './test/objects.ts';

const found = (...values: Parameters<typeof findingsOf>) =>
  findingsOf(...values)
    .filter(({ rule }) => rule === 'kafka-upgrade')
    .map(({ severity, subject, path, message }) => ({ severity, at: `${nameOf(subject)} ${path}`, message }));

const old = { KAFKA_INTER_BROKER_PROTOCOL_VERSION: '3.9' };

test('a setting that Kafka 4 does not read is named where it stands, and only of Kafka 4', () => {
  const [one, ...others] = found(set({ image: 'apache/kafka:4.1.0', env: old }));
  assert.deepEqual(others, []);
  assert.equal(one?.severity, 'warning');
  assert.match(one.at, /^kafka \/spec\/template\/spec\/containers\/0\/env\/\d+$/);
  assert.match(one.message, /^inter\.broker\.protocol\.version is not read by Kafka 4$/);
  assert.deepEqual(found(set({ image: 'apache/kafka:3.9.1', env: old })), []);
  assert.deepEqual(found(set({ image: 'apache/kafka:4.1.0' })), []);
});

test('what lies in a ConfigMap is named there, and what Kafka does not start with is an error', () => {
  const container = { envFrom: [{ configMapRef: { name: 'settings' } }] };
  const settings = configMap('settings', { KAFKA_LOG_SEGMENT_BYTES: '1024' });
  const findings = found(set({ image: 'apache/kafka:4.1.0', container }), settings);
  assert.deepEqual(
    findings.map(({ severity, at }) => [severity, at]),
    [['error', 'settings /data/KAFKA_LOG_SEGMENT_BYTES']],
  );
});

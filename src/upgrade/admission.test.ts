import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafka } from '../hardening/test/manifest.ts';
import type { Mode, StatefulSet } from '../hardening/model.ts';
import { hardenAndCheck } from './admission.ts';

const set = (image: string, env: Record<string, string> = {}): StatefulSet => {
  const made = kafka();
  const container = made.spec!.template.spec!.containers[0]!;
  container.image = image;
  container.env = [
    ...(container.env ?? []),
    ...Object.entries(env).map(([name, value]) => ({ name, value })),
  ];
  return made;
};

const context = (mode: Mode, old?: StatefulSet) => ({ namespace: 'shop', mode, old });
const admitted = (workload: StatefulSet) => {
  const { decision, workload: hardened } = hardenAndCheck(workload, context('harden'));
  assert.equal(decision, 'hardened');
  return hardened;
};
const said = (...given: Parameters<typeof hardenAndCheck>) =>
  hardenAndCheck(...given).findings.filter(({ rule }) => rule === 'kafka-upgrade');

const version = { KAFKA_INTER_BROKER_PROTOCOL_VERSION: '3.9' };

test('an image of 4.1 over one of 3.9 warns of what is not read any more, and of clients', () => {
  const old = admitted(set('apache/kafka:3.9.1', version));
  const { decision } = hardenAndCheck(set('apache/kafka:4.1.0', version), context('harden', old));
  assert.equal(decision, 'hardened');
  const found = said(set('apache/kafka:4.1.0', version), context('harden', old));
  assert.deepEqual(
    found.map(({ severity, action }) => [severity, action]),
    found.map(() => ['warning', 'reported']),
  );
  const text = found.map(({ message }) => message).join('\n');
  assert.match(text, /inter\.broker\.protocol\.version is not read by Kafka 4/);
  assert.match(text, /clients older than Kafka 2\.1/);
  assert.match(
    found.find(({ message }) => message.startsWith('inter'))?.path ?? '',
    /\/containers\/0\/env\/\d+$/,
  );
});

test('strict refuses the settings, and not what is only to be known', () => {
  const old = admitted(set('apache/kafka:3.9.1', version));
  const refused = hardenAndCheck(set('apache/kafka:4.1.0', version), context('strict', old));
  assert.equal(refused.decision, 'refused');
  assert.deepEqual(
    refused.findings.filter(({ action }) => action === 'refused').map(({ rule }) => rule),
    ['kafka-upgrade'],
  );
  const clean = admitted(set('apache/kafka:3.9.1'));
  assert.notEqual(hardenAndCheck(set('apache/kafka:4.1.0'), context('strict', clean)).decision, 'refused');
});

test('a set that stays as it is hears nothing again, strict or not', () => {
  const old = admitted(set('apache/kafka:4.1.0', version));
  assert.deepEqual(said(old, context('harden', old)), []);
  assert.deepEqual(said(set('apache/kafka:4.1.1', version), context('strict', old)), []);
  assert.notEqual(hardenAndCheck(old, context('strict', old)).decision, 'refused');
});

test('a new set of 4.x is told of settings that nothing reads', () => {
  assert.equal(said(set('apache/kafka:4.1.0', version), context('harden')).length, 1);
  assert.deepEqual(said(set('apache/kafka:4.1.0'), context('harden')), []);
  assert.deepEqual(said(set('apache/kafka:3.9.1', version), context('harden')), []);
});

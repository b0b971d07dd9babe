import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createAuthority } from '../../../certs/index.ts';
import { base64, entryOf } from '../objects.ts';
import type { KafkaUser } from './kafka-user.ts';
import { belongsTo, credentialAnnotation, credentialDigest, passwordOf, userSecret } from './secret.ts';

const user: KafkaUser = {
  apiVersion: 'kafka-warden.io/v1alpha1',
  kind: 'KafkaUser',
  metadata: { name: 'alice', namespace: 'shop', uid: 'u-1' },
  spec: { cluster: 'kafka' },
};
let caPem = '';
before(() => {
  const subject = { commonName: 'nodes' };
  caPem = createAuthority({ subject, now: new Date(), lifetimeMs: 86_400_000 }).certificatePem;
});
const request = () => ({ user, cluster: 'kafka', bootstrap: 'kafka-kafka-bootstrap.shop.svc:9092', caPem });

test('the Secret has everything a Java client needs, and belongs to its KafkaUser', () => {
  const secret = userSecret(request(), 'Passw0rd123', undefined);
  const text = (key: string) => entryOf(secret, key)?.toString('utf8') ?? '';
  assert.equal(text('username'), 'alice');
  assert.match(text('client.properties'), /^security\.protocol=SASL_SSL$/m);
  assert.match(text('client.properties'), /^ssl\.truststore\.location=\/etc\/kafka-user\/ca\.crt$/m);
  assert.match(text('client.properties'), /username="alice" password="Passw0rd123";$/m);
  assert.equal(text('ca.crt'), caPem);
  assert.ok(belongsTo(secret, user));
  assert.ok(!belongsTo(secret, { ...user, metadata: { ...user.metadata, uid: 'u-2' } }));
  assert.equal(secret.metadata.annotations?.[credentialAnnotation], credentialDigest('Passw0rd123'));
  assert.ok(!JSON.stringify(secret.metadata).includes('Passw0rd123'));
});

test('the same content is the same object, so that nothing is written', () => {
  const secret = userSecret(request(), 'Passw0rd123', undefined);
  assert.equal(userSecret(request(), 'Passw0rd123', secret), secret);
});

test('an edited entry is put right, and an edited password is taken over', () => {
  const secret = userSecret(request(), 'Passw0rd123', undefined);
  const broken = { ...secret, data: { ...secret.data, 'truststore.p12': base64('junk') } };
  const repaired = userSecret(request(), passwordOf(broken), broken);
  assert.notEqual(repaired, broken);
  assert.notEqual(repaired.data?.['truststore.p12'], base64('junk'));
  assert.equal(repaired.data?.['password'], secret.data?.['password']);
  const edited = { ...secret, data: { ...secret.data, password: base64('another-one-9') } };
  assert.equal(passwordOf(edited), 'another-one-9');
});

test('a password that no JAAS line could hold is replaced', () => {
  for (const bad of [
    'short',
    'with"quote12',
    'back\\slash12',
    'späteres12',
    'two words 12',
    'line\nbreak12',
  ]) {
    const secret = { ...userSecret(request(), 'Passw0rd123', undefined), data: { password: base64(bad) } };
    assert.match(passwordOf(secret), /^[A-Za-z0-9]{32}$/, bad);
  }
  assert.match(passwordOf(undefined), /^[A-Za-z0-9]{32}$/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAuthorities, clientCertificate, isTold } from './client-identity.ts';
import { advance, authoritiesOf, purposes } from './serving-certificate.ts';
import { secretOf } from './serving-secret.ts';
import { installation } from './settings.ts';
import { sidecarObjects } from './sidecar-manifests.ts';

const now = new Date('2030-01-01T00:00:00Z');
const step = advance(undefined, { now, dnsNames: [], injectedSince: undefined, purpose: purposes.client });
const identity = step!.serving;
const secret = secretOf(identity, 'kafka-warden', undefined, installation.clientSecret);
const secrets = (...held: (typeof secret)[]) => ({ list: () => held });

const deploymentOf = (webhookAuthorities: string, more: object = {}) => {
  const settings = {
    image: 'kafka-warden:1',
    imagePullSecrets: [],
    logLevel: 'info',
    wardenNamespace: 'kafka-warden',
    apiServerPorts: [443],
    webhookAuthorities,
  };
  const deployment = sidecarObjects({ namespace: 'shop', cluster: 'kafka', owners: [] }, settings).at(-1)!;
  return { ...deployment, metadata: { ...deployment.metadata, ...more } };
};

test('a webhook that starts again tells sidecars what it told them before: nothing is rolled', () => {
  const told = clientAuthorities(secrets(secret));
  assert.equal(told, authoritiesOf(identity));
  assert.deepEqual(
    deploymentOf(told ?? ''),
    deploymentOf(clientAuthorities(secrets(structuredClone(secret))) ?? ''),
  );
  assert.deepEqual(clientCertificate(secrets(secret)), identity.leaf);
});

test('without an identity sidecars are told nothing, so that none is made that would start twice', () => {
  assert.equal(clientAuthorities(secrets()), undefined);
  assert.equal(clientAuthorities(secrets({ ...secret, data: {} })), undefined);
  assert.equal(clientCertificate(secrets()), undefined);
});

test('a new authority signs only when every sidecar that stays is told of it', () => {
  const told = authoritiesOf(identity);
  assert.ok(isTold([], told));
  assert.ok(isTold([deploymentOf(told), deploymentOf(told)], told));
  assert.ok(!isTold([deploymentOf(told), deploymentOf('another')], told));
  assert.ok(isTold([deploymentOf(told), deploymentOf('another', { deletionTimestamp: now })], told));
  assert.ok(!isTold([{}], told), 'one from before there was an identity');
});

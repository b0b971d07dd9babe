import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kube } from '../kubernetes/client.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { KubeObject, Log } from '../kubernetes/object.ts';
import { webhookMetrics } from './metrics.ts';
import { provision } from './provisioning.ts';
import { advance, authoritiesOf, purposes } from './serving-certificate.ts';
import { secretOf, type Secret } from './serving-secret.ts';
import { installation } from './settings.ts';
import { hardened } from './test/sets.ts';

const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const now = new Date();
const identity = advance(undefined, {
  now,
  dnsNames: [],
  injectedSince: undefined,
  purpose: purposes.client,
})!.serving;

function watched<T>(...objects: T[]) {
  const listeners = new Set<() => void>();
  const informer = {
    list: () => objects,
    get: () => undefined,
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  } as unknown as Informer<T>;
  const add = (object: T) => {
    objects.push(object);
    for (const listener of listeners) listener();
  };
  return { informer, add };
}

test('no sidecar is made before the webhook has the certificate that it is told of', async () => {
  const applied: KubeObject[] = [];
  const end = new AbortController();
  const kube = {
    tryGet: async () => undefined,
    patch: async (_path: string, body: KubeObject) => {
      applied.push(body);
      if (body.kind === 'Deployment') end.abort();
      return body;
    },
  } as unknown as Kube;
  const secrets = watched<Secret>();
  const namespaces = watched<KubeObject>({ metadata: { name: 'shop' } });
  const sources = {
    namespaces: namespaces.informer,
    sets: watched(hardened('kafka')).informer,
    made: [],
    identity: secrets.informer,
  };
  const settings = {
    image: 'kafka-warden:1',
    imagePullSecrets: [],
    logLevel: 'info',
    wardenNamespace: 'kafka-warden',
    apiServerPorts: [443],
  };
  const metrics = webhookMetrics();
  const ended = provision(kube, sources, { settings, metrics, log, signal: end.signal });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(applied, []);
  secrets.add(secretOf(identity, 'kafka-warden', undefined, installation.clientSecret));
  await ended;
  const kinds = applied.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['ServiceAccount', 'RoleBinding', 'NetworkPolicy', 'Deployment']);
  assert.ok(JSON.stringify(applied.at(-1)).includes(JSON.stringify(authoritiesOf(identity))));
});

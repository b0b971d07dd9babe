import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment } from '../sidecar/environment.ts';
import { readSettings } from './settings.ts';
import { sidecarObjects } from './sidecar-manifests.ts';

/** The environment that a sidecar gets from a webhook with these variables. */
function environmentOf(env: Record<string, string>): Record<string, string | undefined> {
  const base = { WARDEN_NAMESPACE: 'kafka-warden', WARDEN_POD: 'p', WARDEN_IMAGE: 'i' };
  const settings = readSettings({ ...base, ...env });
  const place = { namespace: 'shop', cluster: 'kafka', owners: [] };
  const made = { ...settings, wardenNamespace: settings.namespace, webhookAuthorities: 'PEM' };
  const deployment = sidecarObjects(place, made).at(-1) as unknown as {
    spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } };
  };
  const [container] = deployment.spec.template.spec.containers;
  const told = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  return { ...told, WARDEN_NAMESPACE: 'shop', WARDEN_POD: 'pod' };
}

test('a sidecar keeps the gate where its webhook asks of evictions', () => {
  const on = environmentOf({ WARDEN_EVICTION_GATE: 'true' });
  assert.equal(readEnvironment(on).evictionGate, true);
  const off = environmentOf({ WARDEN_EVICTION_GATE: 'false' });
  assert.equal(readEnvironment(off).evictionGate, false);
  assert.equal('WARDEN_EVICTION_GATE' in off, false, 'no Deployment changes for a gate that is off');
  assert.throws(() => environmentOf({ WARDEN_EVICTION_GATE: 'yes' }), /WARDEN_EVICTION_GATE/);
});

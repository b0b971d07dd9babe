import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyPatch } from './diff.ts';
import { harden, hardenService, type Service } from './index.ts';
import { kafka } from './test/manifest.ts';

const container = { ports: [{ name: 'clients', containerPort: 9092 }] };
const sets = [harden(kafka({ container }), { namespace: 'demo' }).workload];

/** A Service as most first write it. */
const serviceOf = (spec: Service['spec'] = {}): Service => ({
  metadata: { name: 'kafka' },
  spec: { selector: { app: 'kafka' }, ports: [{ port: 9092 }], ...spec },
});
const created = (spec?: Service['spec']) => hardenService(serviceOf(spec), { sets, isNew: true });

describe('a new Service that governs a set and would get an address', () => {
  test('is created headless where clients notice nothing of it', () => {
    const same: Service['spec'][] = [
      {},
      { type: 'ClusterIP', clusterIP: '' },
      { ports: [{ port: 9092, targetPort: 9092 }] },
      { ports: [{ port: 9092, targetPort: 'clients' }] },
      { publishNotReadyAddresses: false },
    ];
    for (const spec of same) {
      const { patch, findings } = created(spec);
      const after = applyPatch(serviceOf(spec), patch);
      assert.equal(after.spec?.clusterIP, 'None');
      assert.equal(after.spec?.publishNotReadyAddresses, true);
      assert.deepEqual(
        findings.map(({ action, path }) => [action, path]),
        [['fixed', '/spec/clusterIP']],
      );
      assert.deepEqual(hardenService(after, { sets, isNew: true }), { patch: [], findings: [] });
    }
  });

  test('is left as it is where somebody asked for more, with the place and a way out', () => {
    const others: [Service['spec'], string][] = [
      [{ type: 'LoadBalancer' }, '/spec/type'],
      [{ type: 'NodePort', ports: [{ port: 9092, nodePort: 30092 }] }, '/spec/type'],
      [{ clusterIP: '10.0.0.7' }, '/spec/clusterIP'],
      [{ externalIPs: ['198.51.100.1'] }, '/spec/externalIPs'],
      [{ selector: {} }, '/spec'],
      [{ ports: [{ port: 9092 }, { port: 80, targetPort: 8080 }] }, '/spec/ports/1'],
      [{ ports: [{ port: 80, targetPort: 'clients' }] }, '/spec/ports/0'],
      [{ ports: [{ port: 9092, targetPort: 'other' }] }, '/spec/ports/0'],
    ];
    for (const [spec, place] of others) {
      const { patch, findings } = created(spec);
      assert.deepEqual(patch, [], place);
      const [{ path, severity, message, remedy } = assert.fail('a finding is missing')] = findings;
      assert.deepEqual([path, severity], [place, 'error']);
      assert.match(message, /is not headless.* it cannot be made headless: /);
      assert.match(remedy, /another name/);
    }
  });

  test('keeps its address for ever: once it stands nothing of it is touched', () => {
    const { patch, findings } = hardenService(serviceOf({ clusterIP: '10.0.0.7' }), { sets });
    assert.deepEqual(patch, []);
    assert.equal(findings[0]?.severity, 'error');
  });

  test('is left alone where it governs no set', () => {
    const clients = { ...serviceOf(), metadata: { name: 'kafka-clients' } };
    assert.deepEqual(hardenService(clients, { sets, isNew: true }), { patch: [], findings: [] });
  });
});

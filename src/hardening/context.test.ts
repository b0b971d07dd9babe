import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { harden, layoutOf, unharden, type Service, type StatefulSet } from './index.ts';
import { applyApiDefaults } from './test/api-defaults.ts';
import { kafka, variable } from './test/manifest.ts';
import { specOf, writes } from './test/writes.ts';

const namespace = 'demo';
const serviceOf = (clusterIP: string | undefined): Service => ({
  metadata: { name: 'kafka', namespace },
  spec: { ...(clusterIP === undefined ? {} : { clusterIP }), selector: { app: 'kafka' } },
});

describe('a governing Service that is known not to be headless', () => {
  const services = [serviceOf(undefined)];
  const { workload, findings } = harden(kafka(), { namespace, services });

  test('is left to clients, and the set is created under one that gives names', () => {
    assert.equal(workload.spec?.serviceName, 'kafka-nodes');
    assert.equal(layoutOf(workload)?.service, 'kafka-nodes');
    assert.equal(variable(workload, 'WARDEN_SERVICE'), 'kafka-nodes.demo.svc');
    assert.match(findings.find((f) => f.rule === 'service')?.message ?? '', /kafka is not headless/);
  });

  test('comes out the same whether or not Services are known later', () => {
    const live = applyApiDefaults(workload);
    for (const known of [undefined, services, []])
      assert.deepEqual(harden(live, { namespace, services: known }).patch, []);
    for (const [name, write] of Object.entries(writes)) {
      const after = harden(write(kafka(), live, kafka()), { namespace, old: live });
      assert.deepEqual(specOf(after.workload), specOf(live), name);
    }
    assert.deepEqual(specOf(unharden(live)), specOf(kafka()));
  });

  test('another serviceName in an update is left for the API server to refuse', () => {
    const next = kafka({ spec: { serviceName: 'other' } });
    assert.equal(harden(next, { namespace, old: workload }).workload.spec?.serviceName, 'other');
  });

  test('a headless one, an unknown one, and none at all leave serviceName as it is', () => {
    for (const known of [[serviceOf('None')], [], undefined])
      assert.equal(harden(kafka(), { namespace, services: known }).workload.spec?.serviceName, 'kafka');
  });
});

describe('node ids that another set of the cluster has', () => {
  const brokers = (name: string, annotations: Record<string, string> = {}): StatefulSet =>
    kafka({
      name,
      labels: { 'kafka-warden.io/cluster': 'kafka' },
      env: { KAFKA_PROCESS_ROLES: 'broker' },
      annotations,
    });
  const first = harden(kafka(), { namespace }).workload;

  test('are refused when the second set is created, with an offset that is free', () => {
    const { decision, findings } = harden(brokers('more'), { namespace, siblings: [first] });
    assert.equal(decision, 'refused');
    assert.match(
      findings[0]?.message ?? '',
      /StatefulSet kafka of the cluster kafka has the node ids 0 to 2/,
    );
    assert.match(findings[0]?.remedy ?? '', /id-offset: "100"/);
  });

  test('are no matter with an offset, in another cluster, or for a set that stands', () => {
    const offset = brokers('more', { 'kafka-warden.io/id-offset': '100' });
    const second = harden(offset, { namespace, siblings: [first] });
    assert.equal(second.decision, 'hardened');
    assert.equal(harden(kafka({ name: 'other' }), { namespace, siblings: [first] }).decision, 'hardened');
    assert.equal(harden(first, { namespace, old: first, siblings: [first] }).decision, 'hardened');
    const old = harden(brokers('more'), { namespace }).workload;
    assert.equal(harden(old, { namespace, old, siblings: [first] }).decision, 'hardened');
  });
});

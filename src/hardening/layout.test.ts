import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { harden, hardenService, layoutOf, launchers, type Service } from './index.ts';
import { clusterIdFor } from './layout.ts';
import { votersFor } from './quorum.ts';
import { kafka, type Parts } from './test/manifest.ts';

const namespace = 'demo';
const layout = (parts: Parts = {}) => {
  const found = layoutOf(harden(kafka(parts), { namespace }).workload);
  assert.ok(found);
  return found;
};
const env = (listeners: string, more: Record<string, string> = {}): Parts => ({
  env: { KAFKA_LISTENERS: listeners, ...more },
});

test('voters are the replicas at creation, odd and at most five', () => {
  const expected = { 0: 3, 1: 1, 2: 1, 3: 3, 4: 3, 5: 5, 6: 5, 7: 5 };
  for (const [replicas, voters] of Object.entries(expected)) {
    assert.equal(votersFor(Number(replicas)), voters);
    assert.equal(layout({ spec: { replicas: Number(replicas) } }).voters, voters);
  }
});

test('copies are three where there are brokers for them, and one may always be missing', () => {
  const of = (replicas: number) => {
    const { replicationFactor, minInsyncReplicas } = layout({ spec: { replicas } });
    return [replicationFactor, minInsyncReplicas];
  };
  assert.deepEqual([0, 1, 2, 3, 6].map(of), [
    [3, 2],
    [1, 1],
    [2, 1],
    [3, 2],
    [3, 2],
  ]);
});

describe('ports', () => {
  const ports = (parts: Parts = {}) => {
    const { clientPort, internalPort, controllerPort } = layout(parts);
    return [clientPort, internalPort, controllerPort];
  };
  const declared = (...containerPorts: number[]): Parts => ({
    container: { ports: containerPorts.map((containerPort) => ({ containerPort })) },
  });
  const cases: [string, Parts, number[]][] = [
    ['of the minimal manifest', {}, [9092, 9091, 9093]],
    ['of the usual listeners', env('PLAINTEXT://:9092,CONTROLLER://:9093'), [9092, 9091, 9093]],
    [
      "of a client listener on the controllers' usual port",
      env('PLAINTEXT://:9093,CONTROLLER://:9094'),
      [9093, 9091, 9094],
    ],
    ['of a client listener on 9093 alone', env('PLAINTEXT://:9093'), [9093, 9091, 9094]],
    ['of a controller listener on 9091', env('PLAINTEXT://:9092,CONTROLLER://:9091'), [9092, 9093, 9091]],
    [
      'of a controller listener by another name',
      env('APPS://:19092,QUORUM://:19093', { KAFKA_CONTROLLER_LISTENER_NAMES: 'QUORUM' }),
      [19092, 9091, 19093],
    ],
    [
      'of a listener for brokers beside the one for clients, which stays open for whoever uses it',
      env('BROKERS://:9091,APPS://:9095,CONTROLLER://:9093', { KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKERS' }),
      [9095, 9094, 9093],
    ],
    ['of voters', { env: { KAFKA_CONTROLLER_QUORUM_VOTERS: '0@kafka-0.kafka:29093' } }, [9092, 9091, 29093]],
    ['that are declared', declared(9092, 9091), [9092, 9094, 9093]],
    ['of JMX', { env: { KAFKA_JMX_PORT: '9091' } }, [9092, 9094, 9093]],
    [
      'of a sidecar',
      { after: [{ name: 'side', image: 'x', ports: [{ containerPort: 9093 }, { containerPort: 9091 }] }] },
      [9092, 9095, 9094],
    ],
  ];
  for (const [name, parts, expected] of cases)
    test(name, () => {
      const found = ports(parts);
      assert.equal(new Set(found).size, 3, 'three different ports');
      assert.deepEqual(found, expected);
    });
});

test('a cluster id is stable, has 22 characters and never begins with a dash', () => {
  assert.equal(clusterIdFor('demo', 'kafka'), clusterIdFor('demo', 'kafka'));
  assert.equal(layout().clusterId, clusterIdFor('demo', 'kafka'));
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      assert.match(clusterIdFor(a, b), /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
    }),
    { numRuns: 2_000 },
  );
  assert.notEqual(clusterIdFor('a', 'b'), clusterIdFor('a/b', ''));
});

test('the claim that holds the data is named', () => {
  assert.deepEqual([layout().storage, layout().claim], ['claim', 'data']);
  const ephemeral = layout({ claim: false });
  assert.deepEqual([ephemeral.storage, ephemeral.claim], ['ephemeral', undefined]);
});

test('a hardened manifest under another name is planned anew', () => {
  const copy = structuredClone(harden(kafka(), { namespace }).workload);
  copy.metadata!.name = 'other';
  const { workload } = harden(copy, { namespace });
  assert.equal(layoutOf(workload)?.cluster, 'other');
  assert.equal(workload.spec?.template.metadata?.labels?.['kafka-warden.io/node'], 'other');
});

test('a layout that cannot be right is none', () => {
  const good = layout();
  const read = (value: unknown) =>
    layoutOf(
      kafka({
        annotations: { 'kafka-warden.io/layout': typeof value === 'string' ? value : JSON.stringify(value) },
      }),
    );
  assert.deepEqual(read(good), good);
  for (const bad of [
    { ...good, schema: 2 },
    { ...good, voters: 0 },
    { ...good, clientPort: 70_000 },
    { ...good, internalPort: '9091' },
    { ...good, minInsyncReplicas: 4 },
    { ...good, storage: 'disk' },
    null,
    [],
    '{',
    '',
  ])
    assert.equal(read(bad), undefined, JSON.stringify(bad));
});

describe('the governing Service', () => {
  const sets = [harden(kafka(), { namespace }).workload];
  const service = (spec: Service['spec']): Service => ({ metadata: { name: 'kafka' }, spec: spec ?? {} });

  test('publishes addresses that are not ready', () => {
    const { patch, findings } = hardenService(service({ clusterIP: 'None' }), { sets });
    assert.deepEqual(patch, [
      { op: 'add', path: '/spec/publishNotReadyAddresses', value: true, rule: 'service' },
    ]);
    assert.equal(findings[0]?.action, 'fixed');
    const explicit = hardenService(service({ clusterIP: 'None', publishNotReadyAddresses: false }), { sets });
    assert.equal(explicit.patch[0]?.op, 'replace');
  });
  test('is left alone once it does', () => {
    const done = service({ clusterIP: 'None', publishNotReadyAddresses: true });
    assert.deepEqual(hardenService(done, { sets }), { patch: [], findings: [] });
  });
  test('that is not headless is reported', () => {
    const { patch, findings } = hardenService(service({ clusterIP: '10.0.0.1' }), { sets });
    assert.deepEqual(patch, []);
    assert.match(findings[0]?.message ?? '', /is not headless/);
  });
  test('of nobody is left alone', () => {
    const other = { metadata: { name: 'web' }, spec: {} };
    assert.deepEqual(hardenService(other, { sets }), { patch: [], findings: [] });
    assert.deepEqual(hardenService(service({ clusterIP: 'None' }), { sets: [kafka()] }), {
      patch: [],
      findings: [],
    });
    assert.deepEqual(hardenService({}, { sets }), { patch: [], findings: [] });
  });
});

test('the launcher that a template names is one that is published', () => {
  const volume = harden(kafka(), { namespace }).workload.spec?.template.spec?.volumes?.find(
    (v) => v.configMap,
  );
  assert.ok(launchers().some((l) => l.name === volume?.configMap?.name));
  for (const { name } of launchers()) assert.match(name, /^kafka-warden-launcher-[0-9a-f]{10}$/);
});

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { suite, test } from 'node:test';
import type { KafkaCluster } from '../../sidecar/status/kafka-cluster.ts';
import { file, kafkaWarden } from '../test/session.ts';
import { details, overview, until } from './status.ts';

const now = Date.parse('2026-11-23T00:00:00Z');

const cluster: KafkaCluster = {
  apiVersion: 'kafka-warden.io/v1alpha1',
  kind: 'KafkaCluster',
  metadata: { name: 'orders', namespace: 'shop' },
  status: {
    bootstrap: 'orders-kafka-bootstrap.shop.svc:9092',
    kafkaVersion: '4.1',
    summary: '2/3 brokers',
    brokers: [
      { id: 0, pod: 'orders-0', set: 'orders', node: 'n1', registered: true, ready: true },
      { id: 1, pod: 'orders-1', set: 'orders', registered: false, ready: false },
    ],
    certificates: [
      {
        pod: 'orders-0',
        store: 'INTERNAL',
        notAfter: '2027-11-20T00:00:00Z',
        renewAt: '2027-07-20T00:00:00Z',
      },
      {
        pod: 'orders-0',
        store: 'CONTROLLER',
        notAfter: '2027-01-01T00:00:00Z',
        renewAt: '2026-12-01T00:00:00Z',
      },
    ],
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'PodsNotReady',
        message: 'Not ready: orders-1.',
        lastTransitionTime: '2026-11-22T00:00:00Z',
      },
    ],
  },
};

suite('status', () => {
  test('shows one cluster in full', () => {
    const terminal = { out: () => {}, err: () => {}, paint: (_: unknown, __: unknown, text: string) => text };
    const text = details(cluster, { ...terminal, colour: { out: false, err: false } }, now);
    assert.match(text, /^shop\/orders\n {2}bootstrap +orders-kafka-bootstrap\.shop\.svc:9092\n/);
    assert.match(text, / 1 +orders-1 +- +- +no +no\n/);
    assert.match(text, /orders-0 +CONTROLLER +2027-01-01 \(39 days\)/);
    assert.match(text, /False +Ready \(PodsNotReady\): Not ready: orders-1\./);
  });

  test('shows several clusters as a table, one without a status too', () => {
    const fresh: KafkaCluster = { ...cluster, metadata: { name: 'new', namespace: 'shop' }, status: {} };
    const [head, first, second] = overview([cluster, fresh], now).split('\n');
    assert.match(head ?? '', /^NAMESPACE +CLUSTER +READY +BROKERS/);
    assert.match(first ?? '', /^shop +orders +False +2\/3 brokers +4\.1 +\S+ +2027-01-01 \(39 days\)$/);
    assert.match(second ?? '', /^shop +new +Unknown +-/);
  });

  test('words the time that is left', () => {
    assert.equal(until('2026-11-24T01:00:00Z', now), '2026-11-24 (1 day)');
    assert.equal(until('2026-11-22T00:00:00Z', now), '2026-11-22 (expired)');
  });

  test('says what to check where no API server answers', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    await new Promise((resolve) => server.close(resolve));
    const kubeconfig = file(
      'kubeconfig',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${address.port}` } }],
        users: [{ name: 'u', user: { token: 't' } }],
      }),
    );
    const { code, out, err } = await kafkaWarden('status', '--kubeconfig', kubeconfig);
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, /^error: The API server does not answer: /);
  });

  test('says what to check where there is no kubeconfig', async () => {
    const { code, err } = await kafkaWarden('status', '--kubeconfig', '/no/such/kubeconfig');
    assert.equal(code, 2);
    assert.match(err, /^error: No access to a cluster: .*Check --kubeconfig/);
  });
});

suite('profile upgrade', () => {
  test('refuses what it cannot do, with the reason', async () => {
    const cases: [string[], RegExp][] = [
      [[], /either statefulset\/NAME or a manifest/],
      [['deployment/x'], /as statefulset\/NAME, not deployment\/x/],
      [['-f', file('none.yaml', '# nothing\n')], /holds no hardened StatefulSet/],
      [['statefulset/x', '--to', '99'], /There is no profile 99\. Known: apache-kafka\/1/],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await kafkaWarden('profile', 'upgrade', ...args);
      assert.equal(code, 2);
      assert.match(err, message);
    }
  });
});

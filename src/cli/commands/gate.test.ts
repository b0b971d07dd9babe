import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, suite, test } from 'node:test';
import { file, kafkaWarden } from '../test/session.ts';
import { disruptionIn, gateText, span } from './gate-status.ts';
import { kubeconfigFor } from '../../kubernetes/test/memory-api.ts';

interface Seen {
  method: string;
  url: string;
  body: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString('utf8');
  return text;
}

const status = (code: number, reason: string, message: string) => ({
  apiVersion: 'v1',
  kind: 'Status',
  code,
  reason,
  message,
});

void suite('gate', () => {
  let server: Server;
  let kubeconfig: string;
  let answers: Record<string, [number, object]>;
  const seen: Seen[] = [];

  before(async () => {
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const { method = '', url = '' } = request;
        seen.push({ method, url, body });
        const [code, answer] = answers[url.split('?')[0] ?? ''] ?? [
          404,
          status(404, 'NotFound', 'not found'),
        ];
        response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    kubeconfig = file('gate-kubeconfig', kubeconfigFor(port));
  });
  beforeEach(() => void seen.splice(0));
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const gate = (...args: string[]) => kafkaWarden('gate', ...args, '--kubeconfig', kubeconfig);
  const eviction = '/api/v1/namespaces/shop/pods/kafka-1/eviction';

  test('check asks by a dry run in both places, and says that the pod may go', async () => {
    answers = { [eviction]: [201, status(201, '', '')] };
    const { code, out } = await gate('check', 'kafka-1');
    assert.deepEqual([code, out], [0, 'shop/kafka-1 may be evicted now\n']);
    assert.equal(seen[0]?.method, 'POST');
    assert.match(seen[0]?.url ?? '', /\?dryRun=All$/);
    assert.deepEqual(JSON.parse(seen[0]?.body ?? ''), {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'kafka-1', namespace: 'shop' },
      deleteOptions: { dryRun: ['All'] },
    });
  });

  test('check prints the gate’s own words where the pod may not go, and ends with 3', async () => {
    const message =
      'admission webhook "evictions.validate.kafka-warden.io" denied the request: kafka-1 cannot go yet: 3 partitions (orders-0: ISR 0,2)';
    answers = { [eviction]: [429, status(429, 'TooManyRequests', message)] };
    const { code, out } = await gate('check', 'kafka-1');
    assert.equal(code, 3);
    assert.equal(
      out,
      'shop/kafka-1 may not be evicted now (429)\nkafka-1 cannot go yet: 3 partitions (orders-0: ISR 0,2)\n',
    );
    const json = await gate('check', 'kafka-1', '--json');
    assert.equal(json.code, 3);
    const { allowed, code: http, message: said } = JSON.parse(json.out) as Record<string, unknown>;
    assert.deepEqual(
      [allowed, http, said],
      [false, 429, 'kafka-1 cannot go yet: 3 partitions (orders-0: ISR 0,2)'],
    );
  });

  test('check says what else stands in the way', async () => {
    answers = {};
    const absent = await gate('check', 'kafka-1');
    assert.deepEqual([absent.code, absent.out], [2, '']);
    assert.match(absent.err, /There is no pod kafka-1 in the namespace shop/);
    answers = { [eviction]: [403, status(403, 'Forbidden', 'cannot create pods/eviction')] };
    assert.match((await gate('check', 'kafka-1')).err, /Not allowed to evict pods in the namespace shop/);
    answers = {
      [eviction]: [500, status(500, 'InternalError', 'This pod has more than one PodDisruptionBudget')],
    };
    const two = await gate('check', 'kafka-1');
    assert.equal(two.code, 3);
    assert.match(two.out, /more than one PodDisruptionBudget\n$/);
  });

  const clusters = '/apis/kafka-warden.io/v1alpha1/namespaces/shop/kafkaclusters';
  const list = (...items: object[]) => ({
    apiVersion: 'kafka-warden.io/v1alpha1',
    kind: 'KafkaClusterList',
    metadata: { resourceVersion: '1' },
    items,
  });
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'AllBrokersReady',
    message: 'Every broker is ready.',
  };
  const kafka = { metadata: { name: 'kafka', namespace: 'shop' }, status: { conditions: [condition] } };
  const sinceMs = Date.now() - 125_000;
  const holder = {
    state: 'held',
    kind: 'eviction',
    id: 'x',
    by: 'y',
    pod: 'kafka-1',
    broker: 1,
    sinceMs,
    step: 'syncing',
    stepSinceMs: sinceMs + 60_000,
    progress: { bytesLeft: 1.2 * 1024 ** 3, atMs: sinceMs },
  };
  const record = { schemaVersion: 1, holder, evictions: [{ pod: 'kafka-0', atMs: sinceMs }] };
  const budget = {
    spec: { maxUnavailable: 0 },
    status: { disruptionsAllowed: 0, currentHealthy: 2, expectedPods: 3 },
  };

  test('status shows who is away, since when, what is left, the budget and the conditions', async () => {
    answers = {
      [clusters]: [200, list(kafka)],
      '/api/v1/namespaces/shop/configmaps/kafka-kafka-disruption': [
        200,
        { data: { record: JSON.stringify(record) } },
      ],
      '/apis/policy/v1/namespaces/shop/poddisruptionbudgets/kafka-kafka-warden': [200, budget],
    };
    const { code, out } = await gate('status');
    assert.equal(code, 0);
    assert.match(
      out,
      /^shop\/kafka\n {2}disruption +eviction of kafka-1, held since 2 min, syncing since 1 min, 1\.2 GiB left\n/,
    );
    assert.match(out, /evictions +kafka-0 2 min ago\n/);
    assert.match(out, /budget +maxUnavailable 0, 0 may go, 2 of 3 pods healthy\n/);
    assert.match(out, /Ready +True \(AllBrokersReady\): Every broker is ready\.\n/);
    const json = JSON.parse((await gate('status', '--json')).out) as { schema: number; clusters: object[] };
    assert.deepEqual([json.schema, json.clusters.length], [1, 1]);
  });

  test('status says what is not there', async () => {
    answers = { [clusters]: [200, list(kafka)] };
    assert.match((await gate('status')).out, /disruption +no record yet\n +budget +none/);
    answers = { [clusters]: [200, list(kafka)] };
    const other = await gate('status', '--cluster', 'other');
    assert.equal(other.code, 2);
    assert.match(other.err, /There is no Kafka cluster other in the namespace shop\. Known: kafka\./);
    answers = {};
    assert.match((await gate('status')).err, /kafka-warden is not installed/);
  });
});

test('a record that cannot be read is said to be so', () => {
  const stored = (record: string) =>
    disruptionIn({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { record } });
  assert.match(JSON.stringify(stored('{')), /^"unreadable: it holds no JSON/);
  assert.match(JSON.stringify(stored('{"holder": {"kind": 7}}')), /^"unreadable: holder\.kind/);
  const read = stored('{"evictions": []}');
  assert.deepEqual(read, { evictions: [] });
  const text = gateText(
    { namespace: 'shop', cluster: 'kafka', disruption: read, budget: undefined, conditions: [] },
    0,
  );
  assert.match(text, /disruption +none: the next that asks is judged\n/);
});

test('spans are told in their largest unit', () => {
  assert.deepEqual([0, 999, 61_000, 7_200_000, 2 * 86_400_000].map(span), [
    '0 s',
    '0 s',
    '1 min',
    '2 h',
    '2 d',
  ]);
});

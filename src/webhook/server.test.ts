import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import request from 'supertest';
import type { Finding } from '../hardening/model.ts';
import type { Log } from '../kubernetes/object.ts';
import { maxBodyBytes } from './body.ts';
import type { ClusterView } from './cluster-view.ts';
import { webhookMetrics } from './metrics.ts';
import { judgeWith, type Judge } from './outcomes.ts';
import { questions } from './questions.ts';
import { reviewApp } from './server.ts';

interface Reviewed {
  apiVersion: string;
  kind: string;
  response: {
    uid: string;
    allowed: boolean;
    patchType?: string;
    patch?: string;
    warnings?: string[];
    status?: { code: number; reason: string; message: string };
    auditAnnotations?: Record<string, string>;
  };
}
interface Refused {
  code: string;
  message: string;
  remedy: string;
  uid?: string;
}

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const unknown: ClusterView = {
  setsOf: () => [],
  hardenedSet: () => undefined,
  largestReplication: () => undefined,
  zoneOf: () => undefined,
};

function app(judge: Judge = judgeWith('harden'), view: ClusterView = unknown) {
  return reviewApp(questions(judge, { view }), { log: silent, metrics: webhookMetrics() });
}

const set = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'kafka', namespace: 'shop' },
  spec: {
    serviceName: 'kafka',
    replicas: 3,
    selector: { matchLabels: { app: 'kafka' } },
    template: {
      metadata: { labels: { app: 'kafka' } },
      spec: { containers: [{ name: 'kafka', image: 'apache/kafka:4.1.0' }] },
    },
  },
};

const reviewOf = (more: object = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'the-uid',
    kind: { group: 'apps', version: 'v1', kind: 'StatefulSet' },
    operation: 'CREATE',
    namespace: 'shop',
    name: 'kafka',
    object: set,
    ...more,
  },
});

const post = (body: string | object, path = '/mutate/statefulsets', judge?: Judge) =>
  request(app(judge))
    .post(path)
    .set('content-type', 'application/json')
    .send(typeof body === 'string' ? body : JSON.stringify(body));

suite('what is no review gets a clear error', () => {
  const cases: [string, string | object, number, string][] = [
    ['an empty body', '', 400, 'json-malformed'],
    ['malformed JSON', '{"kind": "AdmissionReview", ', 400, 'json-malformed'],
    ['bytes that are no JSON', '\u0000\u0001', 400, 'json-malformed'],
    ['a list', '[]', 400, 'review-malformed'],
    ['null', 'null', 400, 'review-malformed'],
    ['a number', '7', 400, 'review-malformed'],
    [
      'an older version',
      { ...reviewOf(), apiVersion: 'admission.k8s.io/v1beta1' },
      422,
      'version-unsupported',
    ],
    ['another kind', { ...reviewOf(), kind: 'Pod' }, 422, 'version-unsupported'],
    ['no request', { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }, 400, 'uid-missing'],
    ['no UID', reviewOf({ uid: undefined }), 400, 'uid-missing'],
    ['an empty UID', reviewOf({ uid: '' }), 400, 'uid-missing'],
    ['a UID that is no text', reviewOf({ uid: 7 }), 400, 'uid-missing'],
    ['an unknown operation', reviewOf({ operation: 'PEEK' }), 400, 'review-malformed'],
    ['an object that is none', reviewOf({ object: 'kafka' }), 400, 'review-malformed'],
    ['an object that is a list', reviewOf({ object: [] }), 400, 'review-malformed'],
    ['no kind of object', reviewOf({ kind: undefined }), 400, 'review-malformed'],
  ];
  for (const [what, body, status, code] of cases)
    test(`${what}: ${status} ${code}`, async () => {
      const response = await post(body);
      const refused = response.body as Refused;
      assert.equal(response.status, status);
      assert.equal(refused.code, code);
      assert.ok(refused.message.length > 10 && refused.remedy.length > 10);
    });

  test('the UID is repeated wherever it could be read', async () => {
    for (const body of [{ ...reviewOf(), kind: 'Pod' }, reviewOf({ operation: 'PEEK' })])
      assert.equal(((await post(body)).body as Refused).uid, 'the-uid');
  });

  test('a body of more than 8 MiB: 413, and the server goes on', async () => {
    const agent = request(app());
    const long = 'x'.repeat(maxBodyBytes + 1);
    const send = agent.post('/mutate/statefulsets').set('content-type', 'application/json').send(long);
    const response = await send.catch((error: NodeJS.ErrnoException) => error);
    // The connection is closed while the body is still on its way: some clients see that before the answer.
    if (response instanceof Error) assert.match(response.code ?? '', /EPIPE|ECONNRESET/);
    else assert.equal(response.status, 413);
    assert.equal((await post(reviewOf())).status, 200);
  });

  test('a body of nearly 8 MiB is a review', async () => {
    const big = { ...set, metadata: { ...set.metadata, annotations: { big: 'x'.repeat(7_900_000) } } };
    const response = await post(reviewOf({ object: big }));
    assert.equal(response.status, 200);
    assert.equal((response.body as Reviewed).response.uid, 'the-uid');
  });

  test('another content type, or an encoded body: 415', async () => {
    const text = JSON.stringify(reviewOf());
    const typed = (type: string) =>
      request(app()).post('/mutate/statefulsets').set('content-type', type).send(text);
    for (const type of ['text/plain', 'application/yaml', 'application/json-patch+json'])
      assert.equal((await typed(type)).status, 415, type);
    assert.equal((await typed('application/json; charset=utf-8')).status, 200);
    assert.equal((await typed('application/json').set('content-encoding', 'gzip')).status, 415);
  });

  test('another path: 404; another method: 405', async () => {
    assert.equal((await request(app()).get('/')).status, 404);
    assert.equal((await request(app()).get('/mutate/statefulsets')).status, 405);
  });

  test('any JSON is answered, with a status below 500', async () => {
    const wellFormed = fc.oneof(
      fc.json(),
      fc.jsonValue().map((object) => JSON.stringify(reviewOf({ object }))),
      fc.jsonValue().map((more) => JSON.stringify(reviewOf({ oldObject: { spec: more, metadata: more } }))),
    );
    await fc.assert(
      fc.asyncProperty(wellFormed, async (body) => {
        const response = await post(body, '/validate/statefulsets');
        assert.ok(response.status < 500, body);
      }),
      { numRuns: 100 },
    );
  });
});

suite('a review is always answered with its UID', () => {
  const broken: Judge = () => {
    throw new RangeError('a rule failed');
  };

  test('a rule that throws fails the mutation, so that the failurePolicy decides', async () => {
    const response = await post(reviewOf(), '/mutate/statefulsets', broken);
    assert.equal(response.status, 500);
    assert.equal((response.body as Reviewed).response.uid, 'the-uid');
  });

  test('a rule that throws denies the validation, and says where to look', async () => {
    const response = await post(reviewOf(), '/validate/statefulsets', broken);
    const { uid, allowed, status } = (response.body as Reviewed).response;
    assert.deepEqual([response.status, uid, allowed, status?.code], [200, 'the-uid', false, 500]);
    assert.match(status?.message ?? '', /log .* the-uid/);
  });

  test('objects nested a hundred thousand deep are answered', async () => {
    const deep = `{"metadata":{"name":"a"},"spec":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`;
    const body = JSON.stringify(reviewOf({ object: 0 })).replace('"object":0', `"object":${deep}`);
    const response = await post(body, '/validate/statefulsets');
    assert.equal((response.body as Reviewed).response.uid, 'the-uid');
  });

  test('a kind as large as the body is not sent back', async () => {
    for (const kind of [JSON.stringify('x'.repeat(1_000_000)), '['.repeat(100_000) + ']'.repeat(100_000)]) {
      const text = JSON.stringify(reviewOf()).replace('"kind":"AdmissionReview"', `"kind":${kind}`);
      const response = await post(text, '/validate/statefulsets');
      assert.equal(response.status, 422);
      assert.ok(response.text.length < 1_000);
    }
  });

  test('an object of another kind is let through unchanged', async () => {
    const kind = { group: '', version: 'v1', kind: 'Pod' };
    for (const { path } of questions(judgeWith('harden'), { view: unknown })) {
      const { response } = (await post(reviewOf({ kind }), path)).body as Reviewed;
      assert.deepEqual(response, { uid: 'the-uid', allowed: true });
    }
  });
});

suite('a StatefulSet', () => {
  const finding = (more: Partial<Finding>): Finding => ({
    rule: 'durability',
    severity: 'error',
    path: '/spec',
    message: 'min.insync.replicas is 1',
    remedy: 'Leave it out.',
    action: 'refused',
    ...more,
  });

  test('is patched on mutation, with the rules in warnings and audit log', async () => {
    const { response } = (await post(reviewOf())).body as Reviewed;
    assert.equal(response.allowed, true);
    assert.equal(response.patchType, 'JSONPatch');
    const patch = JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString()) as object[];
    assert.ok(patch.length > 3);
    for (const operation of patch) assert.equal('rule' in operation, false);
    assert.match(response.warnings?.[0] ?? '', /^kafka-warden hardened this StatefulSet: /);
    assert.match(response.auditAnnotations?.['patch'] ?? '', /launcher: add \/spec/);
  });

  test('that came out unhardened is denied, with the paths', async () => {
    const { response } = (await post(reviewOf(), '/validate/statefulsets')).body as Reviewed;
    assert.equal(response.allowed, false);
    assert.equal(response.status?.code, 403);
    assert.match(response.status?.message ?? '', /refuses StatefulSet shop\/kafka.*\/spec\//s);
  });

  test('that the core refuses is denied on both paths, with rule, place and remedy', async () => {
    const refusing: Judge = () => ({ decision: 'refused', patch: [], findings: [finding({})] });
    for (const path of ['/mutate/statefulsets', '/validate/statefulsets']) {
      const { response } = (await post(reviewOf(), path, refusing)).body as Reviewed;
      assert.equal(response.allowed, false);
      assert.equal(response.status?.code, 422);
      assert.match(
        response.status?.message ?? '',
        /\[durability\] min\.insync\.replicas is 1 \(\/spec\)\. Leave it out\./,
      );
    }
  });

  test('gets warnings for what a person should look at, none for mere information', async () => {
    const judge: Judge = () => ({
      decision: 'hardened',
      patch: [],
      findings: [
        finding({ severity: 'info', action: 'fixed', message: 'quiet' }),
        finding({ severity: 'warning', action: 'reported', message: 'loud' }),
      ],
    });
    const { response } = (await post(reviewOf(), '/mutate/statefulsets', judge)).body as Reviewed;
    assert.deepEqual(response.warnings, ['kafka-warden [durability] loud. Leave it out.']);
  });

  test('that is left alone says so first, then why', async () => {
    const judge: Judge = () => ({
      decision: 'reported',
      patch: [],
      findings: [finding({ severity: 'warning', action: 'reported', message: 'too old' })],
    });
    const { response } = (await post(reviewOf(), '/mutate/statefulsets', judge)).body as Reviewed;
    assert.equal(response.allowed, true);
    assert.deepEqual(response.warnings, [
      'kafka-warden did not harden this StatefulSet, and leaves it as it is:',
      'kafka-warden [durability] too old. Leave it out.',
    ]);
  });
});

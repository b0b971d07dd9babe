import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import request from 'supertest';
import { type Kube, ApiError } from '../kubernetes/client.ts';
import type { Log } from '../kubernetes/object.ts';
import { keys, objectsOf } from '../names.ts';
import type { EvictionAnswer, EvictionQuestion } from '../sidecar/api/eviction.ts';
import { questionServer, type QuestionServer } from '../sidecar/api/server.ts';
import { evictionGate, type EvictionSources } from './eviction-gate.ts';
import { webhookMetrics } from './metrics.ts';
import { judgeWith } from './outcomes.ts';
import { questions } from './questions.ts';
import { reviewApp } from './server.ts';
import { advance, purposes, type Serving } from './serving-certificate.ts';
import { secretOf } from './serving-secret.ts';
import { installation } from './settings.ts';
import type { SidecarService } from './sidecar-client.ts';
import { authority, leafOf, servingKeyOf } from './test/identities.ts';
import type { Pod } from './trimmed.ts';

interface Reviewed {
  response: {
    uid: string;
    allowed: boolean;
    warnings?: string[];
    status?: { code: number; reason: string; message: string; details?: object };
    auditAnnotations?: Record<string, string>;
  };
}

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const identityAt = (now: Date): Serving =>
  advance(undefined, { now, dnsNames: [], injectedSince: undefined, purpose: purposes.client })!.serving;
const client = identityAt(new Date());
const serving = leafOf(authority('kafka nodes'), ['server'], ['kafka-kafka-warden.shop.svc']);
const warden = objectsOf('kafka').warden;

const pod = (more: object = {}): Pod => ({
  metadata: { name: 'kafka-1', namespace: 'shop', uid: 'uid-1', labels: { [keys.node]: 'kafka' }, ...more },
  spec: { nodeName: 'n1' },
  status: { phase: 'Running' },
});

/** The webhook's side as it runs, over a cluster of one pod and one sidecar. */
function around(
  port: number,
  more: { pods?: Partial<EvictionSources['pods']>; live?: () => Pod; pin?: string; identity?: Serving } = {},
) {
  const events: { reason?: string }[] = [];
  const kube = {
    tryGet: async () => more.live?.(),
    create: async (_path: string, body: { reason?: string }) => void events.push(body),
  } as unknown as Kube;
  const service: SidecarService = {
    metadata: {
      name: warden,
      namespace: 'shop',
      annotations: { [keys.servingKey]: more.pin ?? servingKeyOf(serving) },
    },
    spec: { clusterIP: '127.0.0.1', ports: [{ name: 'questions', port }] },
  };
  const secret = secretOf(more.identity ?? client, 'kafka-warden', undefined, installation.clientSecret);
  const sources: EvictionSources = {
    pods: { get: () => pod(), ageMs: () => 0, onChange: () => () => undefined, ...more.pods },
    nodes: { get: () => ({ spec: { unschedulable: true } }) },
    namespaces: { get: () => ({ metadata: { name: 'shop' } }) },
    deployments: { get: () => ({ metadata: { name: warden } }) },
    services: { get: () => service },
    clientSecret: { list: () => [secret] },
  };
  const metrics = webhookMetrics();
  const view = {
    setsOf: () => [],
    hardenedSet: () => undefined,
    largestReplication: () => undefined,
    zoneOf: () => undefined,
  };
  const gate = evictionGate(kube, sources, { metrics, log: silent });
  const app = reviewApp(questions(judgeWith('harden'), { view, gate }), { log: silent, metrics });
  const evict = async (asked: object = {}, eviction: object = {}) => {
    const answer = await request(app)
      .post('/validate/evictions')
      .set('content-type', 'application/json')
      .send(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          request: {
            uid: 'the-uid',
            kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
            operation: 'CREATE',
            namespace: 'shop',
            name: 'kafka-1',
            userInfo: { username: 'drainer' },
            object: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'kafka-1' }, ...eviction },
            ...asked,
          },
        }),
      );
    assert.equal(answer.status, 200);
    const { response } = answer.body as Reviewed;
    assert.equal(response.uid, 'the-uid');
    assert.equal(response.status?.details, undefined, 'never a time to come back');
    return response;
  };
  return { evict, events, metrics };
}

void suite('from the API server to the sidecar and back, an eviction', () => {
  let server: QuestionServer;
  let port: number;
  let decide: (question: EvictionQuestion) => Promise<EvictionAnswer>;

  before(async () => {
    const clientAuthorities = client.authority.certificatePem;
    server = questionServer({ decide: (one) => decide(one), clientAuthorities, log: silent }, serving);
    port = await server.listen(0);
  });
  after(() => server.close());

  test('is allowed, or denied with 429, the reason and no time to come back', async () => {
    const { evict, metrics } = around(port);
    decide = async () => ({ verdict: 'allow' });
    assert.equal((await evict()).allowed, true);
    decide = async () => ({ verdict: 'deny', reason: 'under-min-isr', message: 'orders-0 would fall below' });
    const denied = await evict();
    assert.deepEqual(denied.status, {
      status: 'Failure',
      code: 429,
      reason: 'TooManyRequests',
      message: 'orders-0 would fall below',
    });
    assert.match(
      await metrics.registry.metrics(),
      /kafka_warden_sidecar_answer_seconds_count\{result="deny"\} 1/,
    );
  });

  test('reaches the sidecar as a dry run from both places', async () => {
    const { evict } = around(port);
    const seen: boolean[] = [];
    decide = async ({ dryRun }) => {
      seen.push(dryRun);
      return { verdict: 'allow' };
    };
    await evict({ dryRun: true });
    await evict({}, { deleteOptions: { dryRun: ['All'] } });
    await evict();
    assert.deepEqual(seen, [true, true, false]);
  });

  test('is denied while another key is shown, or the webhook is not known', async () => {
    decide = async () => ({ verdict: 'allow' });
    const pinned = around(port, { pin: servingKeyOf(leafOf(authority('other'), ['server'])) });
    assert.match((await pinned.evict()).status?.message ?? '', /another key than its Service names/);
    const unknown = around(port, { identity: identityAt(new Date(Date.now() - 1_000)) });
    const denied = await unknown.evict();
    assert.equal(denied.status?.code, 429);
    assert.match(denied.status?.message ?? '', /does not know the certificate of the webhook/);
  });

  test('is denied within the time of a review while the sidecar says nothing', async () => {
    const { evict } = around(port);
    const never = Promise.withResolvers<EvictionAnswer>();
    decide = () => never.promise;
    const fromMs = performance.now();
    const denied = await evict();
    assert.ok(performance.now() - fromMs < 3_500);
    assert.equal(denied.auditAnnotations?.['decision'], 'sidecar-slow');
    never.resolve({ verdict: 'allow' });
  });

  test('of a pod that no watch knows is looked up', async () => {
    decide = async () => ({ verdict: 'allow' });
    const pods = { get: () => undefined };
    assert.equal(
      (await around(port, { pods, live: () => pod() }).evict()).auditAnnotations?.['decision'],
      'allowed',
    );
    assert.equal((await around(port, { pods }).evict()).auditAnnotations?.['decision'], 'no-broker');
    const quiet = { ageMs: () => 100_000 };
    const other = () => pod({ labels: {} });
    assert.equal(
      (await around(port, { pods: quiet, live: other }).evict()).auditAnnotations?.['decision'],
      'no-broker',
    );
    const broken = () => {
      throw new ApiError({ status: 500, reason: 'InternalError', message: 'etcd', path: '/' });
    };
    assert.equal(
      (await around(port, { pods, live: broken }).evict()).auditAnnotations?.['decision'],
      'unknown',
    );
  });

  test('that a person has allowed goes, with an Event and a metric, and a dry run of it with neither', async () => {
    decide = async () => ({ verdict: 'deny', reason: 'held', message: 'no' });
    const named = () => pod({ annotations: { [keys.allowEviction]: 'uid-1' } });
    const { evict, events, metrics } = around(port, { pods: { get: named }, live: named });
    assert.equal((await evict({ dryRun: true })).allowed, true);
    assert.deepEqual(events, []);
    assert.equal((await evict()).allowed, true);
    assert.deepEqual(
      events.map(({ reason }) => reason),
      ['EvictionOverridden'],
    );
    assert.match(
      await metrics.registry.metrics(),
      /kafka_warden_eviction_overrides_total\{namespace="shop",cluster="kafka"\} 1/,
    );
  });

  test('on which a handler fails is a 429: drains try again, and say where to look', async () => {
    const pods = {
      get: () => {
        throw new RangeError('a rule failed');
      },
    };
    const node = { get: pods.get };
    const failing = around(port, { pods });
    // What fails while the pod is looked up is a pod that is not known; anything later is a failure.
    assert.equal((await failing.evict()).allowed, true);
    const metrics = webhookMetrics();
    const view = {
      setsOf: () => [],
      hardenedSet: () => undefined,
      largestReplication: () => undefined,
      zoneOf: () => undefined,
    };
    const gate = { namespaceEnds: node.get } as unknown as ReturnType<typeof evictionGate>;
    const app = reviewApp(questions(judgeWith('harden'), { view, gate }), { log: silent, metrics });
    const answer = await request(app)
      .post('/validate/evictions')
      .set('content-type', 'application/json')
      .send(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          request: {
            uid: 'the-uid',
            kind: { kind: 'Eviction' },
            operation: 'CREATE',
            namespace: 'shop',
            object: {},
          },
        }),
      );
    const { response } = answer.body as Reviewed;
    assert.deepEqual(
      [answer.status, response.uid, response.allowed, response.status?.code, response.status?.reason],
      [200, 'the-uid', false, 429, 'TooManyRequests'],
    );
    assert.match(response.status?.message ?? '', /log .* the-uid/);
  });
});

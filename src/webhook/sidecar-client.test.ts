import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, suite, test } from 'node:test';
import https from 'node:https';
import type { Log } from '../kubernetes/object.ts';
import { keys } from '../names.ts';
import type { EvictionAnswer, EvictionQuestion } from '../sidecar/api/eviction.ts';
import { questionServer, type QuestionServer } from '../sidecar/api/server.ts';
import { addressOf, answerBudgetMs, askSidecar, type SidecarAddress } from './sidecar-client.ts';
import { authority, leafOf, servingKeyOf } from './test/identities.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const webhook = authority('kafka-warden-webhook-client');
const identity = leafOf(webhook, ['client']);
const serving = leafOf(authority('kafka nodes'), ['server'], ['kafka-kafka-warden.shop.svc']);
const question: EvictionQuestion = { pod: 'kafka-1', podUid: 'uid', dryRun: false, user: 'drainer' };

void suite('a sidecar that is asked', () => {
  let server: QuestionServer;
  let address: SidecarAddress;
  let answer: () => Promise<EvictionAnswer>;
  let asked = 0;

  before(async () => {
    const decide = () => {
      asked += 1;
      return answer();
    };
    server = questionServer({ decide, clientAuthorities: webhook.certificatePem, log: silent }, serving);
    const port = await server.listen(0);
    const servername = 'kafka-kafka-warden.shop.svc';
    address = { host: '127.0.0.1', port, servername, servingKey: servingKeyOf(serving) };
  });
  after(() => server.close());

  test('is heard', async () => {
    for (const one of [
      { verdict: 'allow', note: 'reserved' },
      { verdict: 'deny', reason: 'held', message: 'kafka-0 is away' },
    ] as const) {
      answer = async () => one;
      assert.deepEqual(await askSidecar(address, question, { identity }), one);
    }
  });

  test('is told nothing where it shows another key than its Service names', async () => {
    const before = asked;
    const pinned = { ...address, servingKey: servingKeyOf(leafOf(webhook, ['server'])) };
    await assert.rejects(askSidecar(pinned, question, { identity }), { code: 'sidecar-unknown' });
    assert.equal(asked, before);
  });

  test('does not hear a stranger', async () => {
    const before = asked;
    const stranger = leafOf(authority('kafka-warden-webhook-client'), ['client']);
    await assert.rejects(askSidecar(address, question, { identity: stranger }), { code: 'sidecar-refuses' });
    assert.equal(asked, before);
  });

  test('that takes longer than the budget is not waited for', async () => {
    const late = Promise.withResolvers<EvictionAnswer>();
    answer = () => late.promise;
    const fromMs = performance.now();
    await assert.rejects(askSidecar(address, question, { identity }), {
      code: 'sidecar-slow',
      message: /more than 2000 ms/,
    });
    const tookMs = performance.now() - fromMs;
    assert.ok(tookMs >= answerBudgetMs - 50 && tookMs < answerBudgetMs + 700, `${tookMs} ms`);
    late.resolve({ verdict: 'allow' });
  });

  test('whose decision fails gives no answer', async () => {
    answer = () => Promise.reject(new Error('no evidence'));
    await assert.rejects(askSidecar(address, question, { identity }), { code: 'sidecar-failed' });
  });
});

test('a sidecar that is not there, or never speaks, is away or slow', async () => {
  const mute = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as net.AddressInfo;
  const address = { host: '127.0.0.1', port, servername: 'x.shop.svc', servingKey: servingKeyOf(serving) };
  await assert.rejects(askSidecar(address, question, { identity, budgetMs: 200 }), { code: 'sidecar-slow' });
  await new Promise((resolve) => mute.close(resolve));
  await assert.rejects(askSidecar(address, question, { identity }), {
    code: 'sidecar-away',
    message: /ECONNREFUSED/,
  });
});

test('what is no answer of this version is told apart from one', async (t) => {
  const replies: [number, string][] = [
    [404, '{"code":"path-unknown"}'],
    [400, '{"code":"question-malformed"}'],
    [200, '{"verdict":"perhaps"}'],
    [200, '<html>'],
    [200, ' '.repeat(70_000)],
  ];
  for (const [status, text] of replies) {
    const { certificatePem: cert, privateKeyPem: key } = serving;
    const server = https.createServer({ cert, key }, (_request, response) => {
      response.writeHead(status).end(text);
    });
    t.after(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const address = { host: '127.0.0.1', port, servername: 'x.shop.svc', servingKey: servingKeyOf(serving) };
    await assert.rejects(askSidecar(address, question, { identity }), { code: 'sidecar-other-version' });
  }
});

test('the Service gives the address and the key, or none', () => {
  const service = {
    metadata: { namespace: 'shop', annotations: { [keys.servingKey]: 'abc' } },
    spec: { clusterIP: '10.0.0.7', ports: [{ name: 'questions', port: 9443 }] },
  };
  assert.deepEqual(addressOf(service, 'kafka'), {
    host: '10.0.0.7',
    port: 9443,
    servername: 'kafka-kafka-warden.shop.svc',
    servingKey: 'abc',
  });
  assert.equal(addressOf(undefined, 'kafka'), undefined);
  assert.equal(addressOf({ ...service, metadata: { namespace: 'shop' } }, 'kafka'), undefined);
  assert.equal(addressOf({ ...service, spec: { clusterIP: 'None' } }, 'kafka'), undefined);
  assert.equal(addressOf({ ...service, spec: {} }, 'kafka'), undefined);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import type { Log } from '../../kubernetes/object.ts';
import { authority, leafOf } from '../../webhook/test/identities.ts';
import {
  type Decide,
  type EvictionQuestion,
  MalformedError,
  evictionsPath,
  maxBodyBytes,
  readAnswer,
  readQuestion,
} from './eviction.ts';
import { type QuestionServer, questionServer } from './server.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const nodes = authority('kafka nodes');
const webhook = authority('kafka-warden-webhook-client');
const serving = leafOf(nodes, ['server'], ['localhost']);
const client = leafOf(webhook, ['client']);

const question: EvictionQuestion = {
  pod: 'kafka-1',
  podUid: 'uid',
  dryRun: false,
  user: 'drainer',
  node: { name: 'n1', cordoned: true, taints: ['node.kubernetes.io/unschedulable:NoSchedule'] },
};

interface Asked {
  method?: string;
  path?: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
  identity?: { certificatePem: string; privateKeyPem: string } | undefined;
  agent?: https.Agent;
}

const trusted = { ca: nodes.certificatePem, servername: 'localhost' };

async function ask(
  port: number,
  asked: Asked = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { method = 'POST', path = evictionsPath, body = JSON.stringify(question), headers = {} } = asked;
  const identity = 'identity' in asked ? asked.identity : client;
  const request = https.request({
    host: '127.0.0.1',
    port,
    method,
    path,
    ...trusted,
    ...(identity ? { cert: identity.certificatePem, key: identity.privateKeyPem } : {}),
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
    agent: asked.agent ?? false,
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end(body);
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> };
}

void suite('the questions of the webhook', () => {
  let server: QuestionServer;
  let port: number;
  let decide: Decide;
  const asked: EvictionQuestion[] = [];

  before(async () => {
    server = questionServer(
      {
        decide: (one) => {
          asked.push(one);
          return decide(one);
        },
        clientAuthorities: authority('another').certificatePem + webhook.certificatePem,
        log: silent,
      },
      serving,
    );
    port = await server.listen(0);
  });
  after(() => server.close());

  test('are answered with what was decided', async () => {
    for (const answer of [
      { verdict: 'allow' },
      { verdict: 'pass', note: 'terminating' },
      { verdict: 'deny', reason: 'under-min-isr', message: 'kafka-1 cannot go yet' },
    ] as const) {
      decide = async () => answer;
      assert.deepEqual(await ask(port), { status: 200, body: answer });
      assert.deepEqual(asked.at(-1), question);
    }
  });

  test('come with a client certificate of the webhook’s authority, or nobody hears them', async () => {
    const before = asked.length;
    const others = [
      undefined,
      leafOf(authority('kafka-warden-webhook-client'), ['client']),
      leafOf(nodes, ['client']),
      leafOf(webhook, ['server']),
    ];
    for (const identity of others) await assert.rejects(ask(port, { identity }));
    assert.equal(asked.length, before);
  });

  test('that are none get a clear error', async () => {
    const { podUid: _, ...without } = question;
    const cases: [string, Asked, number, string][] = [
      ['another path', { path: '/v2/evictions' }, 404, 'path-unknown'],
      ['a query', { path: `${evictionsPath}?x=1` }, 404, 'path-unknown'],
      ['another method', { method: 'PUT' }, 405, 'method-unsupported'],
      ['another type', { headers: { 'content-type': 'text/plain' } }, 415, 'content-type-unsupported'],
      ['an encoded body', { headers: { 'content-encoding': 'gzip' } }, 415, 'content-type-unsupported'],
      ['an empty body', { body: '' }, 400, 'question-malformed'],
      ['what is no JSON', { body: '{"pod": ' }, 400, 'question-malformed'],
      ['a list', { body: '[]' }, 400, 'question-malformed'],
      ['no UID', { body: JSON.stringify(without) }, 400, 'question-malformed'],
      [
        'a UID that is a number',
        { body: JSON.stringify({ ...question, podUid: 7 }) },
        400,
        'question-malformed',
      ],
      [
        'a node that is a text',
        { body: JSON.stringify({ ...question, node: 'n1' }) },
        400,
        'question-malformed',
      ],
      ['a long body', { body: Buffer.alloc(maxBodyBytes + 1, ' ') }, 413, 'body-too-large'],
    ];
    for (const [what, one, status, code] of cases) {
      const answer = await ask(port, one);
      assert.deepEqual([what, answer.status, answer.body['code']], [what, status, code]);
      assert.ok(String(answer.body['message']).length > 5 && String(answer.body['remedy']).length > 10, what);
    }
    assert.match(String((await ask(port, { body: JSON.stringify(without) })).body['message']), /podUid/);
  });

  test('whose decision fails are told so, and the next one is answered', async () => {
    decide = () => Promise.reject(new Error('no evidence'));
    const failed = await ask(port);
    assert.deepEqual([failed.status, failed.body['code']], [500, 'decision-failed']);
    assert.doesNotMatch(JSON.stringify(failed.body), /no evidence/);
    decide = async () => ({ verdict: 'allow' });
    assert.equal((await ask(port)).status, 200);
  });

  test('are answered under a new certificate from now on', async () => {
    const next = leafOf(nodes, ['server'], ['localhost']);
    server.present(next);
    assert.equal((await ask(port)).status, 200);
    await assert.rejects(ask(port, { identity: leafOf(nodes, ['client']) }));
    server.present(serving);
  });
});

test('an end waits for the question that is asked, and takes no other', async () => {
  const deciding = Promise.withResolvers<void>();
  const decided = Promise.withResolvers<void>();
  const decide: Decide = async () => {
    deciding.resolve();
    await decided.promise;
    return { verdict: 'allow' };
  };
  const server = questionServer({ decide, clientAuthorities: webhook.certificatePem, log: silent }, serving);
  const port = await server.listen(0);
  const agent = new https.Agent({ keepAlive: true });
  const answered = ask(port, { agent });
  await deciding.promise;
  const closed = server.close();
  await assert.rejects(ask(port), { code: 'ECONNREFUSED' });
  decided.resolve();
  assert.equal((await answered).status, 200);
  await closed;
  agent.destroy();
  await server.close();
});

test('a question and an answer are read back as they were written; anything else is named', () => {
  assert.deepEqual(readQuestion(JSON.parse(JSON.stringify(question))), question);
  const override = { ...question, override: 'uid', later: 'a field of a newer version' };
  assert.deepEqual(readQuestion(override), { ...question, override: 'uid' });
  assert.throws(() => readAnswer({ verdict: 'deny' }), /reason/);
  assert.throws(() => readAnswer({ verdict: 'perhaps' }), /verdict/);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const read of [readQuestion, readAnswer])
        try {
          read(value);
        } catch (error) {
          assert.ok(error instanceof MalformedError && error.message.length > 0);
        }
    }),
  );
});

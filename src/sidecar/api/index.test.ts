import assert from 'node:assert/strict';
import https from 'node:https';
import net from 'node:net';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { type Authority, readCertificate } from '../../../certs/index.ts';
import type { Kube } from '../../kubernetes/client.ts';
import type { KubeObject, Log } from '../../kubernetes/object.ts';
import { keys } from '../../names.ts';
import { askSidecar, type SidecarAddress } from '../../webhook/sidecar-client.ts';
import { authority, leafOf } from '../../webhook/test/identities.ts';
import type { Context } from '../context.ts';
import type { NodesAuthority } from '../credentials/index.ts';
import { brokers } from '../test/sets.ts';
import { answerQuestions } from './index.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const webhook = authority('kafka-warden-webhook-client');
const identity = leafOf(webhook, ['client']);
const path = '/api/v1/namespaces/ns/services/shop-kafka-warden';
const question = { pod: 'kafka-1', podUid: 'uid', dryRun: false, user: 'drainer' };

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Applied extends KubeObject {
  spec: { selector: object; ports: { port: number }[] };
}

async function given(t: TestContext, sets = [brokers]) {
  const applied: Applied[] = [];
  const kube = {
    tryGet: async () => undefined,
    patch: async (at: string, body: Applied, kind: string) => {
      assert.deepEqual([at, kind], [path, 'apply']);
      applied.push(body);
      return body;
    },
  } as unknown as Kube;
  const clock = { now: new Date() };
  const nodes: NodesAuthority = { current: undefined };
  const world = () => ({
    sets,
    pods: [],
    claims: [],
    services: [],
    budgets: [],
    users: undefined,
    kafkaCluster: undefined,
  });
  const context = {
    namespace: 'ns',
    cluster: 'shop',
    kube,
    log: silent,
    now: () => clock.now,
    world,
  } as unknown as Context;
  const port = await freePort();
  const duty = answerQuestions(context, nodes, {
    decide: async ({ pod }) => ({ verdict: 'allow', note: pod }),
    questions: { port, clientAuthorities: webhook.certificatePem },
  });
  t.after(() => duty.close());
  const pin = () => applied.at(-1)?.metadata?.annotations?.[keys.servingKey] ?? '';
  const ask = () => {
    const address: SidecarAddress = { host: '127.0.0.1', port, servername: 'x', servingKey: pin() };
    return askSidecar(address, question, { identity });
  };
  return { applied, clock, nodes, duty, port, pin, ask };
}

const nodesAuthority = (): Authority => authority('shop nodes');

test('questions are answered under the key that the Service names', async (t) => {
  const { duty, nodes, applied, ask, port } = await given(t);
  nodes.current = nodesAuthority();
  assert.deepEqual(await duty.reconcile(), { conditions: [] });
  const [service] = applied;
  assert.deepEqual(service?.spec.selector, {
    'app.kubernetes.io/name': 'kafka-warden',
    'app.kubernetes.io/component': 'sidecar',
    [keys.cluster]: 'shop',
  });
  assert.deepEqual(
    service?.metadata?.ownerReferences?.map(({ uid }) => uid),
    ['uid-kafka'],
  );
  assert.deepEqual(await ask(), { verdict: 'allow', note: 'kafka-1' });
  const request = https.get({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await assert.rejects(once(request, 'response'), 'nobody else is heard');
});

test('the key stays while it may, and changes with its time or its authority, in the Service too', async (t) => {
  const { duty, nodes, clock, pin, ask } = await given(t);
  nodes.current = nodesAuthority();
  await duty.reconcile();
  const first = pin();
  await duty.reconcile();
  assert.equal(pin(), first);
  nodes.current = nodesAuthority();
  await duty.reconcile();
  const second = pin();
  assert.notEqual(second, first);
  assert.equal((await ask()).verdict, 'allow');
  const { notAfter } = readCertificate(nodes.current.certificatePem);
  clock.now = new Date(notAfter.getTime() - 3_600_000);
  await duty.reconcile();
  assert.notEqual(pin(), second);
  assert.equal((await ask()).verdict, 'allow');
});

test('nothing is opened before there is an authority and a set, nor after the term', async (t) => {
  const { duty, nodes, applied, ask } = await given(t);
  await duty.reconcile();
  assert.equal(applied.length, 0);
  nodes.current = nodesAuthority();
  await duty.reconcile();
  await duty.close();
  await assert.rejects(ask(), { code: 'sidecar-away' });
  const before = applied.length;
  await duty.reconcile();
  assert.equal(applied.length, before);
  const without = await given(t, []);
  without.nodes.current = nodesAuthority();
  await without.duty.reconcile();
  assert.equal(without.applied.length, 0);
});

test('a port that is taken is tried again in the next pass', async (t) => {
  const { duty, nodes, port, ask } = await given(t);
  nodes.current = nodesAuthority();
  const other = net.createServer().listen(port);
  await once(other, 'listening');
  await assert.rejects(duty.reconcile(), { code: 'EADDRINUSE' });
  await new Promise((resolve) => other.close(resolve));
  await duty.reconcile();
  assert.equal((await ask()).verdict, 'allow');
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { emptyRecord, reserve } from '../gate/record.ts';
import type { EvictionQuestion } from '../sidecar/api/eviction.ts';
import { askSidecar } from './sidecar-client.ts';
import { type ConnectionLimits, SidecarConnections } from './sidecar-connections.ts';
import { authority, leafOf, servingKeyOf } from './test/identities.ts';

const webhook = authority('kafka-warden-webhook-client');
const identity = leafOf(webhook, ['client']);
const nodes = authority('kafka nodes');
const serving = leafOf(nodes, ['server'], ['kafka-kafka-warden.shop.svc']);
const question: EvictionQuestion = { pod: 'kafka-1', podUid: 'uid', dryRun: false, user: 'drainer' };

interface Given {
  readonly asked: () => number;
  readonly opened: () => number;
  /** Sockets that are open on the server's side. */
  readonly open: Set<Socket>;
  readonly server: https.Server;
  readonly ask: (changes?: {
    pin?: string;
    identity?: typeof identity;
    budgetMs?: number;
  }) => Promise<unknown>;
}

/** A sidecar that counts; `refuses` says of the question with that number whether its connection is cut off. */
async function given(
  t: TestContext,
  refuses: (asked: number) => boolean = () => false,
  limits: Partial<ConnectionLimits> = {},
): Promise<Given> {
  const count = { asked: 0, opened: 0 };
  const open = new Set<Socket>();
  const server = https.createServer(
    { cert: serving.certificatePem, key: serving.privateKeyPem, keepAliveTimeout: 60_000 },
    (request, response) => {
      if (refuses(++count.asked)) request.socket.destroy();
      else request.resume().on('end', () => response.end('{"verdict":"allow"}'));
    },
  );
  server.on('secureConnection', (socket: Socket) => {
    count.opened += 1;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connections = new SidecarConnections(limits);
  t.after(() => {
    connections.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const servername = 'kafka-kafka-warden.shop.svc';
  return {
    ...{ server, open, asked: () => count.asked, opened: () => count.opened },
    ask: ({ pin = servingKeyOf(serving), identity: own = identity, ...rest } = {}) =>
      askSidecar({ host: '127.0.0.1', port, servername, servingKey: pin }, question, {
        ...{ identity: own, connections },
        ...rest,
      }),
  };
}

const untilClosed = async (open: Set<Socket>, left: number): Promise<void> => {
  while (open.size > left) await new Promise((resolve) => setTimeout(resolve, 5));
};

test('one connection serves question after question', async (t) => {
  const { ask, asked, opened } = await given(t);
  for (let i = 0; i < 5; i++) assert.deepEqual(await ask(), { verdict: 'allow' });
  assert.deepEqual([asked(), opened()], [5, 1]);
});

test('no connection outlives a change of the key that the Service names', async (t) => {
  const { ask, asked, open } = await given(t);
  await ask();
  const [first] = open;
  const other = servingKeyOf(leafOf(nodes, ['server']));
  await assert.rejects(ask({ pin: other }), { code: 'sidecar-unknown' });
  await untilClosed(open, 0);
  assert.equal(asked(), 1, 'another key was shown: nothing was asked');
  await ask();
  assert.ok(first?.destroyed);
  assert.equal(asked(), 2);
});

test('no connection outlives a change of the webhook’s own certificate', async (t) => {
  const { ask, opened, open } = await given(t);
  await ask();
  await ask({ identity: leafOf(webhook, ['client']) });
  await untilClosed(open, 1);
  assert.equal(opened(), 2);
});

test('what is idle is closed', async (t) => {
  const { ask, open, opened } = await given(t, undefined, { idleMs: 30 });
  await ask();
  await untilClosed(open, 0);
  await ask();
  assert.equal(opened(), 2);
});

test('a kept connection that the sidecar has closed costs no answer', async (t) => {
  const { ask, asked, opened } = await given(t, (number) => number === 3);
  for (let i = 0; i < 3; i++) assert.deepEqual(await ask(), { verdict: 'allow' });
  assert.deepEqual([asked(), opened()], [4, 2], 'the third question was asked twice');
});

test('the question is asked twice at most, and once over a new connection', async (t) => {
  const afterFirst = await given(t, (number) => number > 1);
  await afterFirst.ask();
  await assert.rejects(afterFirst.ask(), { code: 'sidecar-refuses' });
  assert.equal(afterFirst.asked(), 3);
  const never = await given(t, () => true);
  await assert.rejects(never.ask(), { code: 'sidecar-refuses' });
  assert.equal(never.asked(), 1);
});

test('a kept connection whose other end has vanished is not asked on again', async (t) => {
  const { ask, server, opened } = await given(t);
  await ask();
  const [answer] = server.listeners('request');
  server.removeAllListeners('request').on('request', () => undefined);
  await assert.rejects(ask({ budgetMs: 100 }), { code: 'sidecar-slow' });
  server.removeAllListeners('request').on('request', answer as never);
  await ask();
  assert.equal(opened(), 2);
});

test('questions may be asked twice: an allow is a reservation for the pod’s UID, renewed', () => {
  const claim = { id: 'eviction/uid', by: 'sidecar-1' };
  const subject = { pod: 'kafka-1', podUid: 'uid' };
  const first = reserve(emptyRecord, claim, subject, 1_000);
  assert.ok(first.ok);
  const again = reserve(first.record, claim, subject, 1_200);
  assert.ok(again.ok);
  const { holder } = again.record;
  assert.deepEqual([holder?.state, holder?.sinceMs], ['reserved', 1_000]);
  assert.deepEqual(again.record.evictions, first.record.evictions, 'counted as none until the pod ends');
});

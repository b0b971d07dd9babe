import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import type { PartitionFacts } from '../gate/partitions.ts';
import { authority, leafOf } from '../webhook/test/identities.ts';
import { int32, list, metadataBytes, pageBytes, varint } from './test/view-bytes.ts';
import { ViewClient, type ViewLink } from './view-client.ts';

const nodes = authority('kafka nodes');
const host = 'kafka-0.kafka.shop.svc';
const serving = leafOf(nodes, ['server'], [host]);
const own = leafOf(nodes, ['client']);
const partitions: PartitionFacts[] = [0, 1, 2].map((partition) => ({
  ...{ topic: 'orders', partition, leader: 0, replicas: [0, 1], isr: [0, 1], elr: [] },
}));
const all = metadataBytes({ controllerId: 0, serving: [0, 1], partitions });
const none = metadataBytes({ controllerId: 0, serving: [0, 1], partitions: [] });
const pages = [
  pageBytes(partitions.slice(0, 2), { topic: 'orders', partition: 2 }),
  pageBytes(partitions.slice(2)),
];

const link = (changes: Partial<ViewLink> = {}): ViewLink => ({
  tls: { caPem: nodes.certificatePem, ...own },
  ...{ connectTimeoutMs: 2_000, requestTimeoutMs: 2_000, addresses: new Map([[host, '127.0.0.1']]) },
  ...changes,
});

const int16 = (value: number): Buffer => int32(value).subarray(2);
const versions = (metadata: number): Buffer =>
  Buffer.concat([
    int16(0),
    list([3, 18, 75], (key) =>
      Buffer.concat([int16(key), int16(0), int16(key === 3 ? metadata : 3), varint(0)]),
    ),
    int32(0),
    varint(0),
  ]);

interface Asked {
  readonly key: number;
  readonly version: number;
  readonly body: Buffer;
}

/** What a broker answers to one call; undefined: nothing. */
type Answer = (asked: Asked) => Buffer | undefined;

const honest: Answer = ({ key, body }) => {
  if (key === 18) return versions(12);
  if (key === 3) return Buffer.from(body[0] === 0 ? all : none);
  return Buffer.from(pages[body.includes('orders') ? 1 : 0]!);
};

async function broker(
  t: TestContext,
  given: { answer?: Answer; alterId?: number; pieceBytes?: number } = {},
) {
  const { answer = honest, alterId = 0, pieceBytes = 1_000 } = given;
  const asked: Asked[] = [];
  const sockets: tls.TLSSocket[] = [];
  const server = tls.createServer(
    { cert: serving.certificatePem, key: serving.privateKeyPem, ca: nodes.certificatePem, requestCert: true },
    (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('data', (frame: Buffer) => {
        const [key, version, id] = [frame.readInt16BE(4), frame.readInt16BE(6), frame.readInt32BE(8)];
        const body = frame.subarray(14 + frame.readInt16BE(12) + 1);
        asked.push({ key, version, body });
        const told = answer({ key, version, body });
        if (told === undefined) return;
        const head = Buffer.concat([int32(id + alterId), ...(key === 18 ? [] : [varint(0)])]);
        const whole = Buffer.concat([int32(head.length + told.length), head, told]);
        for (let at = 0; at < whole.length; at += pieceBytes)
          socket.write(whole.subarray(at, at + pieceBytes));
      });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new ViewClient();
  t.after(() => {
    client.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const viewOf = (changes?: Partial<ViewLink>, eligibleLeaders = false) =>
    client.viewOf({ host, port }, link(changes), { eligibleLeaders });
  return { asked, sockets, viewOf };
}

test('a view is the body of the broker’s Metadata answer, in whatever pieces it comes', async (t) => {
  for (const pieceBytes of [1, 3, 1_000]) {
    const { viewOf, asked, sockets } = await broker(t, { pieceBytes });
    for (let read = 0; read < 3; read++)
      assert.deepEqual(Buffer.from((await viewOf()).metadata), Buffer.from(all));
    assert.equal(sockets.length, 1, 'over one connection');
    assert.deepEqual(
      asked.slice(0, 2).map(({ key, version }) => [key, version]),
      [
        [18, 3],
        [3, 12],
      ],
    );
  }
});

test('a broker of Kafka 3.0 is asked by version 11; one that has neither is not asked', async (t) => {
  const old = await broker(t, { answer: (one) => (one.key === 18 ? versions(11) : honest(one)) });
  await old.viewOf();
  assert.equal(old.asked[1]?.version, 11);
  const older = await broker(t, { answer: () => versions(10) });
  await assert.rejects(older.viewOf(), /no version of call 3 that is known/);
});

test('eligible leaders come in pages, and the brokers last', async (t) => {
  const { viewOf, asked } = await broker(t);
  const view = await viewOf({}, true);
  assert.deepEqual(
    view.pages?.map((page) => Buffer.from(page)),
    pages.map((page) => Buffer.from(page)),
  );
  assert.deepEqual(Buffer.from(view.metadata), Buffer.from(none));
  assert.deepEqual(
    asked.map(({ key }) => key),
    [18, 75, 75, 3],
  );
});

test('a connection that has ended is opened anew by the next call', async (t) => {
  const { viewOf, sockets } = await broker(t);
  await viewOf();
  const closed = once(sockets[0]!, 'close');
  sockets[0]!.destroy();
  await closed;
  await new Promise((resolve) => setTimeout(resolve, 20));
  await viewOf();
  assert.equal(sockets.length, 2);
});

test('a broker that does not answer in time, hangs up or answers something else gives no view', async (t) => {
  const silent = await broker(t, { answer: () => undefined });
  await assert.rejects(silent.viewOf({ requestTimeoutMs: 50 }), /no answer within 50 ms/);
  await assert.rejects(silent.viewOf({ requestTimeoutMs: 50 }), /no answer within 50 ms/);
  assert.equal(silent.sockets.length, 2, 'not asked again over a connection that owes an answer');
  const other = await broker(t, { alterId: 1 });
  await assert.rejects(other.viewOf(), /answered another question/);
  const rude = await broker(t, {
    answer: () => {
      rude.sockets[0]?.destroy();
      return undefined;
    },
  });
  await assert.rejects(rude.viewOf());
});

test('a broker is known by a certificate of the nodes’ authority with its name', async (t) => {
  const { viewOf } = await broker(t);
  const stranger = authority('another').certificatePem;
  await assert.rejects(viewOf({ tls: { caPem: stranger, ...own } }), /certificate/);
  const client = new ViewClient();
  t.after(() => client.close());
  const { port } = await listening(t);
  const elsewhere = { host: 'kafka-1.kafka.shop.svc', port };
  const addresses = new Map([[elsewhere.host, '127.0.0.1']]);
  await assert.rejects(client.viewOf(elsewhere, link({ addresses })), /does not match certificate/);
});

async function listening(t: TestContext): Promise<AddressInfo> {
  const { certificatePem: cert, privateKeyPem: key } = serving;
  const server = tls.createServer({ cert, key }).listen(0, '127.0.0.1');
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  await once(server, 'listening');
  t.after(() => server.close());
  return server.address() as AddressInfo;
}

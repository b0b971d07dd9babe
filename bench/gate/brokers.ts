/**
 * The brokers of the benchmark, in a process of its own: they answer as a Kafka cluster of many partitions would, over mutual
 * TLS, in Kafka's protocol. A broker writes to several connections by turns: a long answer goes out in pieces.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { AnswerBytes } from '../../src/kafka/answer-bytes.ts';
import { int32, list, metadataBytes, text, varint } from '../../src/kafka/test/view-bytes.ts';
import { factsOf } from './verdicts.ts';

export interface BrokersTask {
  readonly brokers: number;
  readonly partitions: number;
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface BrokersReady {
  readonly ports: readonly number[];
  /** Of one view. */
  readonly viewBytes: number;
}

export const hostOf = (id: number): string => `kafka-${id}.kafka.shop.svc`;

const none = varint(0);
const int8 = (value: number): Buffer => Buffer.from([value]);
const int16 = (value: number): Buffer => int32(value).subarray(2);
function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

const keys = { metadata: 3, apiVersions: 18, describeConfigs: 32, describeQuorum: 55, describeCluster: 60 };
const newest: readonly (readonly [number, number])[] = [
  [keys.metadata, 12],
  [keys.apiVersions, 3],
  [keys.describeConfigs, 4],
  [keys.describeQuorum, 1],
  [keys.describeCluster, 2],
];

const versions = Buffer.concat([
  int16(0),
  list(newest, ([key, version]) => Buffer.concat([int16(key), int16(0), int16(version), none])),
  int32(0),
  none,
]);

const quorum = (brokers: number): Buffer => {
  const nowMs = BigInt(Date.now());
  const member = (id: number) => Buffer.concat([int32(id), int64(100n), int64(nowMs), int64(nowMs), none]);
  const ids = Array.from({ length: brokers }, (_, id) => id);
  const head = [int32(0), int16(0), int32(0), int32(1), int64(100n)];
  const partition = [...head, list(ids.slice(0, 3), member), list(ids.slice(3), member), none];
  const topic = [text('__cluster_metadata'), list([0], () => Buffer.concat(partition)), none];
  return Buffer.concat([int16(0), list([0], () => Buffer.concat(topic)), none]);
};

const cluster = (ports: readonly number[]): Buffer =>
  Buffer.concat([
    ...[int32(0), int16(0), none, int8(1), text('cluster'), int32(0)],
    list([...ports.entries()], ([id, port]) =>
      Buffer.concat([int32(id), text(hostOf(id)), int32(port), none, int8(0), none]),
    ),
    ...[int32(0), none],
  ]);

/** replica.lag.time.max.ms is short, so that a benchmark need not wait until in-sync replicas count as stable. */
const settings: Readonly<Record<string, string>> = {
  'min.insync.replicas': '2',
  'replica.lag.time.max.ms': '2000',
  'broker.session.timeout.ms': '9000',
};

const configs = (request: AnswerBytes): Buffer => {
  const defaultSource = 5;
  const described = Array.from({ length: request.length() }, () => {
    const [type, name] = [request.int8(), request.string()];
    const wanted = Array.from({ length: request.length() }, () => request.string());
    request.skipTags();
    const values = list(wanted, (key) =>
      Buffer.concat([
        ...[text(key), text(settings[key] ?? ''), int8(0), int8(defaultSource), int8(0)],
        ...[list([], () => none), int8(0), none, none],
      ]),
    );
    return Buffer.concat([int16(0), none, int8(type), text(name), values, none]);
  });
  return Buffer.concat([int32(0), list(described, (one) => one), none]);
};

interface Answers {
  readonly metadata: Uint8Array;
  readonly brokers: number;
  readonly ports: () => readonly number[];
}

function answerTo(frame: Buffer, { metadata, brokers, ports }: Answers): readonly Uint8Array[] {
  const [key, correlation] = [frame.readInt16BE(0), frame.subarray(4, 8)];
  const request = new AnswerBytes(frame);
  request.skip(8);
  request.skip(Math.max(0, request.int16()));
  request.skipTags();
  const bodies: Readonly<Record<number, () => Uint8Array>> = {
    [keys.apiVersions]: () => versions,
    [keys.metadata]: () => metadata,
    [keys.describeConfigs]: () => configs(request),
    [keys.describeQuorum]: () => quorum(brokers),
    [keys.describeCluster]: () => cluster(ports()),
  };
  const body = bodies[key]?.();
  if (body === undefined) throw new Error(`call ${key} is not answered here`);
  const head = key === keys.apiVersions ? correlation : Buffer.concat([correlation, none]);
  return [Buffer.concat([int32(head.length + body.length), head]), body];
}

const pieceBytes = 64 * 1_024;

/** Asks are answered one after the other; between two pieces of an answer other connections have their turn. */
async function write(socket: tls.TLSSocket, parts: readonly Uint8Array[]): Promise<void> {
  for (const part of parts)
    for (let at = 0; at < part.length && !socket.destroyed; at += pieceBytes)
      if (!socket.write(part.subarray(at, at + pieceBytes))) await once(socket, 'drain');
}

async function startBroker(task: BrokersTask, answers: Answers): Promise<number> {
  const { caPem: ca, certificatePem: cert, privateKeyPem: key } = task;
  const server = tls.createServer({ ca, cert, key, requestCert: true }, (socket) => {
    let held = Buffer.alloc(0);
    let written = Promise.resolve();
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
        const end = 4 + held.readInt32BE(0);
        const answer = answerTo(held.subarray(4, end), answers);
        written = written.then(() => write(socket, answer)).catch(() => undefined);
        held = held.subarray(end);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function run(): Promise<void> {
  const [task] = (await once(process, 'message')) as [BrokersTask];
  const { brokers, partitions } = task;
  const ids = Array.from({ length: brokers }, (_, id) => id);
  const metadata = metadataBytes({
    controllerId: 0,
    serving: ids,
    partitions: factsOf(brokers, partitions),
  });
  const ports: number[] = [];
  for (const _ of ids) ports.push(await startBroker(task, { metadata, brokers, ports: () => ports }));
  process.on('disconnect', () => process.exit());
  const ready: BrokersReady = { ports, viewBytes: metadata.length };
  process.send?.(ready);
}

if (process.argv[2] === 'brokers') await run();

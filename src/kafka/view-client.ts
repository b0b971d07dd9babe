import { once } from 'node:events';
import { type LookupFunction, isIP } from 'node:net';
import tls from 'node:tls';
import { AnswerBytes } from './answer-bytes.ts';
import type { ViewOptions } from './broker-view.ts';
import type { Address, ClientTls } from './connections.ts';
import { type ViewBytes, nextPage } from './view-columns.ts';

/** What connections are made with; plain data, so that it may be handed to another thread. */
export interface ViewLink {
  readonly tls: ClientTls;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** IP addresses of hosts that the system's resolver does not know. */
  readonly addresses?: ReadonlyMap<string, string>;
}

const calls = { metadata: 3, apiVersions: 18, describeTopicPartitions: 75 };
/** Newest first: Metadata 12 (Kafka 3.1) and 11 look alike. */
const metadataVersions = [12, 11];
const partitionsPerPage = 2_000;
const client = 'kafka-warden';

interface Request {
  readonly key: number;
  readonly version: number;
  readonly body: Buffer;
}

interface Pending {
  readonly correlation: number;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Asks brokers for their views and for nothing else, each over one connection. It is for the thread that reads them: the
 * library with all its calls would cost that thread 40 MiB, and an answer comes into memory here once, in one piece.
 */
export class ViewClient {
  readonly #held = new Map<string, Promise<BrokerConnection>>();

  /** As `viewOf` of the other client. Rejects where a broker does not answer in time; the next call connects anew. */
  async viewOf(address: Address, link: ViewLink, options: ViewOptions = {}): Promise<ViewBytes> {
    const key = `${address.host}:${address.port}`;
    const kept = await this.#held.get(key)?.catch(() => undefined);
    const opening = kept?.isOpen === true ? Promise.resolve(kept) : BrokerConnection.open(address, link);
    this.#held.set(key, opening);
    try {
      const connection = await opening;
      return await view((request) => connection.ask(request, link.requestTimeoutMs), options);
    } catch (error) {
      if (this.#held.get(key) === opening) this.#held.delete(key);
      void opening.then(
        (connection) => connection.close(),
        () => undefined,
      );
      throw error;
    }
  }

  close(): void {
    for (const opening of this.#held.values())
      void opening.then(
        (connection) => connection.close(),
        () => undefined,
      );
    this.#held.clear();
  }
}

type AskOne = (request: Request) => Promise<Uint8Array>;

async function view(ask: AskOne, { eligibleLeaders }: ViewOptions): Promise<ViewBytes> {
  const newest = newestIn(await ask({ key: calls.apiVersions, version: 3, body: introduction() }));
  const version = metadataVersions.find((one) => (newest.get(calls.metadata) ?? -1) >= one);
  if (version === undefined)
    throw new Error(`the broker has no version of call ${calls.metadata} that is known`);
  const metadata = (topics: 'all' | 'none') =>
    ask({ key: calls.metadata, version, body: Buffer.from([topics === 'all' ? 0 : 1, 0, 0, 0]) });
  if (eligibleLeaders !== true) return { metadata: await metadata('all') };
  const pages: Uint8Array[] = [];
  let from: ReturnType<typeof nextPage>;
  do {
    const page = await ask({ key: calls.describeTopicPartitions, version: 0, body: pageFrom(from) });
    pages.push(page);
    from = nextPage(page);
  } while (from !== undefined);
  // Brokers last: one that has been fenced meanwhile is told as such.
  return { metadata: await metadata('none'), pages };
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length + 1), bytes]);
};

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left & 0x7f) | 0x80);
  return Buffer.from([...bytes, left]);
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const introduction = (): Buffer => Buffer.concat([text(client), text('1'), Buffer.from([0])]);

function pageFrom(from: ReturnType<typeof nextPage>): Buffer {
  const cursor =
    from === undefined
      ? Buffer.from([0xff])
      : Buffer.concat([Buffer.from([1]), text(from.topic), int32(from.partition), Buffer.from([0])]);
  return Buffer.concat([Buffer.from([1]), int32(partitionsPerPage), cursor, Buffer.from([0])]);
}

function newestIn(body: Uint8Array): Map<number, number> {
  const bytes = new AnswerBytes(body);
  const error = bytes.int16();
  if (error !== 0) throw new Error(`the broker refused to tell its versions with error ${error}`);
  const newest = new Map<number, number>();
  for (let left = bytes.length(); left > 0; left--) {
    const key = bytes.int16();
    bytes.int16();
    newest.set(key, bytes.int16());
    bytes.skipTags();
  }
  return newest;
}

/** Of an answer's head: the correlation id, and where the answer's head has them, tags. */
const correlationBytes = 4;
/** More than any cluster's metadata: a length beyond it is no length. */
const longestAnswerBytes = 512 * 2 ** 20;

/** One connection, on which one call after the other is made. */
class BrokerConnection {
  readonly #socket: tls.TLSSocket;
  readonly #length = Buffer.alloc(4);
  #lengthRead = 0;
  #answer: Buffer | undefined;
  #answerRead = 0;
  #correlation = 0;
  #pending: Pending | undefined;

  static async open({ host, port }: Address, link: ViewLink): Promise<BrokerConnection> {
    const { caPem: ca, certificatePem: cert, privateKeyPem: key } = link.tls;
    const known = link.addresses?.get(host);
    const lookup: LookupFunction = (_host, options, found) => {
      const address = known ?? '';
      if (options.all === true) found(null, [{ address, family: isIP(address) }]);
      else found(null, address, isIP(address));
    };
    const socket = tls.connect({
      ...{ host, port, ca, cert, key, minVersion: 'TLSv1.2' },
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(known === undefined ? {} : { lookup }),
    });
    try {
      await once(socket, 'secureConnect', { signal: AbortSignal.timeout(link.connectTimeoutMs) });
    } catch (error) {
      socket.on('error', () => undefined).destroy();
      throw error;
    }
    return new BrokerConnection(socket);
  }

  private constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error: Error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection was closed')));
  }

  async ask({ key, version, body }: Request, timeoutMs: number): Promise<Uint8Array> {
    const correlation = (this.#correlation = (this.#correlation + 1) & 0x7fffffff);
    const head = Buffer.alloc(10);
    head.writeInt16BE(key, 0);
    head.writeInt16BE(version, 2);
    head.writeInt32BE(correlation, 4);
    head.writeInt16BE(client.length, 8);
    const frame = Buffer.concat([head, Buffer.from(client), Buffer.from([0]), body]);
    const late = setTimeout(
      () => this.#socket.destroy(new Error(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      const answer = await new Promise<Uint8Array>((resolve, reject) => {
        this.#pending = { correlation, resolve, reject };
        if (!this.isOpen) this.#fail(new Error('the connection was closed'));
        else this.#socket.write(Buffer.concat([int32(frame.length), frame]));
      });
      if (key === calls.apiVersions) return answer.subarray(correlationBytes);
      const bytes = new AnswerBytes(answer);
      bytes.skip(correlationBytes);
      bytes.skipTags();
      return answer.subarray(bytes.at);
    } finally {
      clearTimeout(late);
    }
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#answer === undefined) {
        const taken = chunk.copy(this.#length, this.#lengthRead, at);
        at += taken;
        this.#lengthRead += taken;
        if (this.#lengthRead < this.#length.length) return;
        if (!this.#begin(this.#length.readInt32BE())) return;
        continue;
      }
      const taken = chunk.copy(this.#answer, this.#answerRead, at);
      at += taken;
      this.#answerRead += taken;
      if (this.#answerRead === this.#answer.length && !this.#end(this.#answer)) return;
    }
  }

  #begin(length: number): boolean {
    if (this.#pending === undefined || length < correlationBytes || length > longestAnswerBytes) {
      this.#socket.destroy(new Error('the broker sent what was not asked for'));
      return false;
    }
    this.#answer = Buffer.allocUnsafeSlow(length);
    this.#answerRead = 0;
    this.#lengthRead = 0;
    return true;
  }

  #end(answer: Buffer): boolean {
    const pending = this.#pending;
    this.#answer = undefined;
    if (answer.readInt32BE() !== pending?.correlation) {
      this.#socket.destroy(new Error('the broker answered another question'));
      return false;
    }
    this.#pending = undefined;
    pending.resolve(answer);
    return true;
  }

  #fail(error: Error): void {
    this.#pending?.reject(error);
    this.#pending = undefined;
  }
}

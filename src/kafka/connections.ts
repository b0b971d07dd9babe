import { type LookupFunction, isIP } from 'node:net';
import { type API, Connection } from '@platformatic/kafka';
import { KafkaError, asKafkaError } from './errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** PEM texts: the authority that brokers are checked against, and this client's own certificate with its chain. */
export interface ClientTls {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface ConnectionsOptions {
  readonly clientId: string;
  /** Asked at each new connection, so that a renewed certificate is used from then on. */
  readonly tls: () => ClientTls;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Resolves broker names where the system's resolver does not know them. */
  readonly lookup?: LookupFunction;
  readonly now: () => number;
}

/** Why a connection broke, where that is known. */
const reasons = new WeakMap<Connection, Error>();

/** What is kept of an address: its connection, or until when it is not tried again. */
interface Link {
  connection?: Promise<Connection>;
  failures: number;
  notBefore: number;
  lastError?: KafkaError;
}

const backoffMs = { first: 100, longest: 5_000 };

const keyOf = ({ host, port }: Address): string => `${host}:${port}`;

/** One connection per address, opened on demand, closed on errors, and opened again after a growing pause. */
export interface Connections {
  /** Throws a `KafkaError`; a broker that failed is not asked again before its pause (0.1 s to 5 s) has passed. */
  call<A extends unknown[], R>(address: Address, api: API<A, R>, ...args: A): Promise<R>;
  /** The certificate that the peer presented on the open connection, in DER. */
  peerCertificate(address: Address): Promise<Buffer>;
  close(): Promise<void>;
}

export function openConnections(options: ConnectionsOptions): Connections {
  const links = new Map<string, Link>();
  let closed = false;

  const linkOf = (address: Address): Link => {
    const key = keyOf(address);
    const link = links.get(key) ?? { failures: 0, notBefore: 0 };
    links.set(key, link);
    return link;
  };

  const failed = (link: Link, connection: Link['connection'], error: KafkaError): KafkaError => {
    if (link.connection !== connection) return error;
    delete link.connection;
    const pauseMs = Math.min(backoffMs.first * 2 ** link.failures, backoffMs.longest);
    link.failures += 1;
    link.notBefore = options.now() + pauseMs;
    link.lastError = error;
    return error;
  };

  const connected = async (address: Address): Promise<Connection> => {
    if (closed) throw new KafkaError('kafka-closed', `The connection to ${keyOf(address)} was not opened`);
    const link = linkOf(address);
    const before = link.connection;
    const open = await before?.catch(() => undefined);
    if (open?.isConnected()) return open;
    if (link.connection === before) delete link.connection;
    if (link.connection === undefined && link.lastError && options.now() < link.notBefore) {
      throw link.lastError;
    }
    link.connection ??= connect(address, options);
    const opening = link.connection;
    try {
      return await opening;
    } catch (error) {
      throw failed(link, opening, asKafkaError(error, `The connection to ${keyOf(address)}`));
    }
  };

  return {
    async call(address, api, ...args) {
      const connection = await connected(address);
      const link = linkOf(address);
      const used = link.connection;
      try {
        const answer = await withDeadline(api.async(connection, ...args), options.requestTimeoutMs);
        link.failures = 0;
        delete link.lastError;
        return answer;
      } catch (error) {
        const mapped = asKafkaError(reasons.get(connection) ?? error, `The call to ${keyOf(address)}`);
        if (mapped.reason !== undefined) throw mapped;
        void connection.close().catch(() => undefined);
        throw failed(link, used, mapped);
      }
    },
    async peerCertificate(address) {
      const { socket } = await connected(address);
      const certificate = 'getPeerCertificate' in socket ? peerOf(socket) : undefined;
      if (certificate === undefined) {
        throw new KafkaError('kafka-tls', `${keyOf(address)} presented no certificate`);
      }
      return certificate;
    },
    async close() {
      closed = true;
      const open = [...links.values()].flatMap(({ connection }) => (connection ? [connection] : []));
      links.clear();
      await Promise.allSettled(open.map(async (connection) => (await connection).close()));
    },
  };
}

async function connect(address: Address, options: ConnectionsOptions): Promise<Connection> {
  const { caPem, certificatePem, privateKeyPem } = options.tls();
  const tls = {
    ca: caPem,
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: 'TLSv1.2' as const,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  };
  const connection = new Connection(options.clientId, {
    connectTimeout: options.connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    tls,
    tlsServerName: isIP(address.host) === 0 ? address.host : false,
  });
  // Calls that wait are rejected with "closed"; the reason, such as a TLS alert, is told by the event only.
  connection.on('error', (error) => void reasons.set(connection, error));
  await withDeadline(
    Promise.resolve(connection.connect(address.host, address.port)),
    options.connectTimeoutMs,
  );
  return connection;
}

/** The library's own time limits start only when a request leaves its queue; this one starts now. */
async function withDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs + 500).unref();
  }).then(() => {
    throw new KafkaError('kafka-timeout', `No answer within ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function peerOf(socket: Connection['socket']): Buffer | undefined {
  const { getPeerCertificate } = socket as { getPeerCertificate?: () => { raw?: Buffer } };
  return getPeerCertificate?.call(socket).raw;
}

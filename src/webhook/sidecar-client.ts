import { once } from 'node:events';
import http from 'node:http';
import tls from 'node:tls';
import { publicKeySha256 } from '../../certs/index.ts';
import type { KubeObject } from '../kubernetes/object.ts';
import { keys, objectsOf, sidecarPorts } from '../names.ts';
import {
  type EvictionAnswer,
  type EvictionQuestion,
  MalformedError,
  evictionsPath,
  maxBodyBytes,
  readAnswer,
} from '../sidecar/api/eviction.ts';
import type { Pair } from './serving-certificate.ts';

export type SidecarService = KubeObject & {
  spec?: { clusterIP?: string; ports?: { name?: string; port: number }[] };
};

/** Where a sidecar answers, and by which key it is known. */
export interface SidecarAddress {
  host: string;
  port: number;
  servername: string;
  /** SHA-256 of its public key, in hexadecimal. */
  servingKey: string;
}

/** Of the five seconds that an eviction's review may take. */
export const answerBudgetMs = 2_000;

const reasons = {
  'sidecar-away': 'does not answer',
  'sidecar-slow': 'takes too long to answer',
  'sidecar-unknown':
    'answers with another key than its Service names, as it may within a second of its start',
  'sidecar-refuses':
    'ends the connection unanswered, as it does while it does not know the certificate of the webhook',
  'sidecar-other-version': 'is of another version than the webhook',
  'sidecar-failed': 'failed to decide',
} as const;

/** Why there is no answer; `code` is stable, the message goes on from "the sidecar …". */
export class SidecarError extends Error {
  readonly code: keyof typeof reasons;

  constructor(code: keyof typeof reasons, detail?: string, cause?: unknown) {
    super(detail ? `${reasons[code]} (${detail})` : reasons[code], { cause });
    this.name = 'SidecarError';
    this.code = code;
  }
}

/**
 * The address that a sidecar's Service gives. By its ClusterIP: names may be pointed elsewhere, and their resolution may be down.
 * Undefined where the Service does not say by which key the sidecar is known.
 */
export function addressOf(service: SidecarService | undefined, cluster: string): SidecarAddress | undefined {
  const servingKey = service?.metadata?.annotations?.[keys.servingKey];
  const { clusterIP: host, ports = [] } = service?.spec ?? {};
  if (!servingKey || !host || host === 'None') return undefined;
  const { namespace = '' } = service?.metadata ?? {};
  return {
    host,
    port: ports.find(({ name }) => name === 'questions')?.port ?? sidecarPorts.questions,
    servername: `${objectsOf(cluster).warden}.${namespace}.svc`,
    servingKey,
  };
}

/** A connection on which nothing is sent before the other side has shown the key that it is known by. */
async function connect(
  { host, port, servername, servingKey }: SidecarAddress,
  { certificatePem, privateKeyPem }: Pair,
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    host,
    port,
    servername,
    cert: certificatePem,
    key: privateKeyPem,
    minVersion: 'TLSv1.3',
    // Its authority never leaves its namespace. The handshake proves that it has the key of what it shows.
    rejectUnauthorized: false,
  });
  // Between its two owners nobody else hears an error, and whoever owns it hears of its end.
  socket.on('error', () => undefined);
  const abort = () => socket.destroy();
  signal.addEventListener('abort', abort, { once: true });
  socket.on('close', () => signal.removeEventListener('abort', abort));
  try {
    await once(socket, 'secureConnect', { signal });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const shown = socket.getPeerX509Certificate();
  if (shown && publicKeySha256(shown.toString()) === servingKey) return socket;
  socket.destroy();
  throw new SidecarError('sidecar-unknown');
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new MalformedError('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function exchange(
  socket: tls.TLSSocket,
  { servername }: SidecarAddress,
  question: EvictionQuestion,
): Promise<{ status: number; text: string }> {
  const body = Buffer.from(JSON.stringify(question));
  const request = http.request({
    createConnection: () => socket,
    method: 'POST',
    path: evictionsPath,
    headers: {
      host: servername,
      'content-type': 'application/json',
      'content-length': body.length,
      connection: 'close',
    },
  });
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
  request.end(body);
  const [response] = await answered;
  return { status: response.statusCode ?? 0, text: await textOf(response) };
}

function understood(status: number, text: string): EvictionAnswer {
  if (status >= 500) throw new SidecarError('sidecar-failed');
  if (status !== 200) throw new SidecarError('sidecar-other-version', `HTTP ${status}`);
  try {
    return readAnswer(JSON.parse(text));
  } catch (error) {
    throw new SidecarError('sidecar-other-version', error instanceof Error ? error.message : '', error);
  }
}

/** A TLS server that refuses a client's certificate has ended its handshake by then, and hangs up. */
function failureOf(
  error: unknown,
  { connected, slow }: { connected: boolean; slow: string | undefined },
): SidecarError {
  if (error instanceof SidecarError) return error;
  if (slow !== undefined) return new SidecarError('sidecar-slow', slow, error);
  if (error instanceof MalformedError) return new SidecarError('sidecar-other-version', error.message, error);
  const { code, message } = error as NodeJS.ErrnoException;
  return new SidecarError(connected ? 'sidecar-refuses' : 'sidecar-away', code ?? message, error);
}

/** Asks a sidecar, by mutual TLS. Throws `SidecarError` where there is no answer within the budget. */
export async function askSidecar(
  address: SidecarAddress,
  question: EvictionQuestion,
  { identity, budgetMs = answerBudgetMs }: { identity: Pair; budgetMs?: number },
): Promise<EvictionAnswer> {
  const signal = AbortSignal.timeout(budgetMs);
  let socket: tls.TLSSocket | undefined;
  try {
    socket = await connect(address, identity, signal);
    const { status, text } = await exchange(socket, address, question);
    return understood(status, text);
  } catch (error) {
    const slow = signal.aborted ? `more than ${budgetMs} ms` : undefined;
    throw failureOf(error, { connected: socket !== undefined, slow });
  } finally {
    socket?.destroy();
  }
}

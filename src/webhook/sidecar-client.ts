import { once } from 'node:events';
import http from 'node:http';
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
import { SidecarConnections } from './sidecar-connections.ts';
import { type SidecarAddress, SidecarError } from './sidecar-error.ts';

export { type SidecarAddress, SidecarError } from './sidecar-error.ts';

export type SidecarService = KubeObject & {
  spec?: { clusterIP?: string; ports?: { name?: string; port: number }[] };
};

/** Of the five seconds that an eviction's review may take. */
export const answerBudgetMs = 2_000;

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

/** How far a question came, for what its failure means. */
interface Reached {
  /** There was a connection, and the sidecar had shown its key. */
  connected: boolean;
  /** It had been used before. */
  kept: boolean;
  /** An answer had begun to come. */
  answered: boolean;
}

async function exchange(
  request: http.ClientRequest,
  { body, signal, reached }: { body: Buffer; signal: AbortSignal; reached: Reached },
): Promise<{ status: number; text: string }> {
  request.once('socket', () => (reached.connected = true));
  // Nobody listens once the first error is known.
  request.on('error', () => undefined);
  // A request that has no connection yet does not tell of its own end.
  const answer = once(request, 'response', { signal }) as Promise<[http.IncomingMessage]>;
  request.end(body);
  try {
    const [response] = await answer;
    reached.answered = true;
    return { status: response.statusCode ?? 0, text: await textOf(response) };
  } finally {
    reached.kept = request.reusedSocket;
  }
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

export interface Asking {
  readonly identity: Pair;
  /** Where connections are kept for the next question; without them one is made, and closed. */
  readonly connections?: SidecarConnections;
  readonly budgetMs?: number;
}

/**
 * Asks a sidecar, by mutual TLS. Throws `SidecarError` where there is no answer within the budget. A kept connection that
 * ends before the answer begins was closed by the other side, and the question is asked once more over a new one: an allow
 * is a reservation for the pod's UID, which is renewed when it is asked for again.
 */
export async function askSidecar(
  address: SidecarAddress,
  question: EvictionQuestion,
  { identity, connections, budgetMs = answerBudgetMs }: Asking,
): Promise<EvictionAnswer> {
  const signal = AbortSignal.timeout(budgetMs);
  const held = connections ?? new SidecarConnections();
  const body = Buffer.from(JSON.stringify(question));
  const ask = async (reached: Reached): Promise<EvictionAnswer> => {
    const request = http.request({
      agent: held.agentFor(address, identity),
      host: address.host,
      port: address.port,
      method: 'POST',
      path: evictionsPath,
      headers: {
        host: address.servername,
        'content-type': 'application/json',
        'content-length': body.length,
      },
      signal,
    });
    const { status, text } = await exchange(request, { body, signal, reached });
    return understood(status, text);
  };
  let reached: Reached = { connected: false, kept: false, answered: false };
  try {
    return await ask(reached).catch((error: unknown) => {
      if (!reached.kept || reached.answered) throw error;
      held.forget(address);
      if (signal.aborted) throw error;
      reached = { connected: false, kept: false, answered: false };
      return ask(reached);
    });
  } catch (error) {
    const slow = signal.aborted ? `more than ${budgetMs} ms` : undefined;
    throw failureOf(error, { connected: reached.connected, slow });
  } finally {
    if (connections === undefined) held.close();
  }
}

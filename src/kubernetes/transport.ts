import http from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { Credentials } from './credentials.ts';
import { ApiError, UnreachableError } from './errors.ts';

export interface Exchange {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Sends requests to one API server; both throw `ApiError` for a refusal and `UnreachableError` for silence. */
export interface Transport {
  /** The whole answer as text. */
  send(exchange: Exchange): Promise<string>;
  /** The answer as it comes, for watches; `timeoutMs` covers the answer's head only. */
  open(exchange: Exchange): Promise<http.IncomingMessage>;
}

const maxTries = 4;
const maxWaitMs = 5_000;

function urlOf(server: URL, { path, query = {} }: Exchange): URL {
  const url = new URL(server.pathname.replace(/\/$/, '') + path, server);
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(key, String(value));
  return url;
}

async function textOf(stream: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function refusal(stream: http.IncomingMessage, path: string): Promise<ApiError> {
  const text = await textOf(stream);
  const retryAfter = Number(stream.headers['retry-after']);
  const answer = {
    status: stream.statusCode ?? 0,
    reason: '',
    message: text.slice(0, 500) || 'no message',
    path,
    ...(retryAfter > 0 ? { retryAfterMs: retryAfter * 1_000 } : {}),
  };
  try {
    const status = JSON.parse(text) as { reason?: string; message?: string };
    return new ApiError({
      ...answer,
      reason: status.reason ?? '',
      message: status.message ?? answer.message,
    });
  } catch {
    return new ApiError(answer);
  }
}

/** A kept-alive connection that the server closed just as we used it: nothing was processed (Node's own advice). */
const isStaleSocket = (error: unknown, request: http.ClientRequest): boolean =>
  request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');

export function transport(credentials: Credentials): Transport {
  async function headOf(exchange: Exchange): Promise<http.IncomingMessage> {
    const { headers, agent } = await credentials.prepare();
    const url = urlOf(credentials.server, exchange);
    const body = exchange.body === undefined ? undefined : JSON.stringify(exchange.body);
    const issue = (): Promise<http.IncomingMessage> =>
      new Promise((resolve, reject) => {
        const request = (url.protocol === 'http:' ? http : https).request(url, {
          method: exchange.method,
          agent,
          headers: {
            ...headers,
            accept: 'application/json',
            'user-agent': 'kafka-warden',
            ...(body === undefined
              ? {}
              : {
                  'content-type': exchange.contentType ?? 'application/json',
                  'content-length': Buffer.byteLength(body),
                }),
          },
          ...(exchange.signal ? { signal: exchange.signal } : {}),
        });
        const timer = setTimeout(
          () => request.destroy(new Error(`no answer within ${exchange.timeoutMs} ms`)),
          exchange.timeoutMs,
        );
        request.on('response', (response) => {
          clearTimeout(timer);
          response.socket.setKeepAlive(true, 30_000);
          resolve(response);
        });
        request.on('error', (error) => {
          clearTimeout(timer);
          if (isStaleSocket(error, request)) issue().then(resolve, reject);
          else reject(new UnreachableError(exchange.path, error));
        });
        request.end(body);
      });
    return issue();
  }

  async function open(exchange: Exchange): Promise<http.IncomingMessage> {
    const response = await headOf(exchange);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw await refusal(response, exchange.path);
  }

  async function bodyOf(exchange: Exchange): Promise<string> {
    const response = await open(exchange);
    const timer = setTimeout(
      () => response.destroy(new Error(`the answer did not end within ${exchange.timeoutMs} ms`)),
      exchange.timeoutMs,
    );
    try {
      return await textOf(response);
    } catch (error) {
      throw new UnreachableError(exchange.path, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** 429 is the server's fair queuing: it did nothing and says when to come again. An eviction's 429 says no time. */
  async function send(exchange: Exchange): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await bodyOf(exchange);
      } catch (error) {
        const asked = error instanceof ApiError && error.status === 429 ? error.retryAfterMs : undefined;
        if (asked === undefined || attempt === maxTries) throw error;
        await delay(
          Math.min(asked, maxWaitMs),
          undefined,
          exchange.signal ? { signal: exchange.signal } : {},
        );
      }
    }
  }

  return { send, open };
}

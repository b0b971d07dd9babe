import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../kubernetes/object.ts';
import { QuestionError } from './errors.ts';
import { type Decide, MalformedError, evictionsPath, maxBodyBytes, readQuestion } from './eviction.ts';

export interface ServingIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface QuestionServer {
  /** The port it listens on (another than asked for where that was 0). */
  listen(port: number): Promise<number>;
  /** Presents another certificate on connections from now on. */
  present(identity: ServingIdentity): void;
  /** Takes no more questions, answers those that are asked, and ends. */
  close(): Promise<void>;
}

export interface QuestionServerOptions {
  readonly decide: Decide;
  /** In PEM; nobody gets in without a client certificate of one of these. */
  readonly clientAuthorities: string;
  readonly log: Log;
}

/** The webhook closes what is idle for a minute: longer than that, so that it never asks on a connection that is closed here. */
const idleMs = 75_000;
const limits = { requestMs: 10_000, closingMs: 3_000, connections: 64 };

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBodyBytes)
        throw new QuestionError('body-too-large', `the body has more than ${maxBodyBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof QuestionError) throw error;
    throw new QuestionError('body-incomplete', `the body ended after ${length} bytes`);
  }
  return Buffer.concat(chunks, length);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's own message may quote the body, which may hold anything.
    throw new QuestionError(
      'question-malformed',
      bytes.length === 0 ? 'the body is empty' : 'the body is not JSON',
    );
  }
}

function checkHead({ url = '', method, headers }: IncomingMessage): void {
  if (url !== evictionsPath) throw new QuestionError('path-unknown', 'nothing is answered under this path');
  if (method !== 'POST')
    throw new QuestionError('method-unsupported', `${method ?? ''} is not answered here`);
  const type = headers['content-type'] ?? '';
  if (!/^application\/json *(;|$)/i.test(type) || (headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new QuestionError('content-type-unsupported', `the content type is ${JSON.stringify(type)}`);
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(body));
  // A body that is still on its way is not waited for.
  if (!response.req.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

/** The server of the webhook's questions, over mutual TLS. */
export function questionServer(
  { decide, clientAuthorities, log }: QuestionServerOptions,
  identity: ServingIdentity,
): QuestionServer {
  let ending = false;

  async function answerTo(request: IncomingMessage): Promise<object> {
    checkHead(request);
    const value = parsed(await bodyOf(request));
    try {
      return await decide(readQuestion(value));
    } catch (error) {
      if (error instanceof MalformedError) throw new QuestionError('question-malformed', error.message);
      log.error({ event: 'decision-failed', err: error }, 'a question could not be decided');
      throw new QuestionError('decision-failed', 'the question could not be decided');
    }
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answer = await answerTo(request);
      if (ending) response.setHeader('connection', 'close');
      send(response, 200, answer);
    } catch (error) {
      if (!(error instanceof QuestionError)) throw error;
      const { code, message, remedy, status } = error;
      if (status < 500) log.warn({ event: 'question-refused', code }, message);
      send(response, status, { code, message, remedy });
    }
  }

  const tls = ({ certificatePem, privateKeyPem }: ServingIdentity) => ({
    cert: certificatePem,
    key: privateKeyPem,
    ca: clientAuthorities,
    minVersion: 'TLSv1.3' as const,
  });
  const server = https.createServer(
    {
      ...tls(identity),
      requestCert: true,
      rejectUnauthorized: true,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: idleMs,
    },
    (request, response) => {
      void respond(request, response).catch((error: unknown) => {
        log.error({ event: 'request-failed', err: error }, 'a request failed');
        response.destroy();
      });
    },
  );
  server.maxConnections = limits.connections;
  server.on('tlsClientError', (error: Error) =>
    log.debug(
      { event: 'client-refused', err: error },
      'a connection without a certificate of the webhook was refused',
    ),
  );
  return {
    listen: async (port) => {
      server.listen(port);
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address ? address.port : port;
    },
    present: (given) => server.setSecureContext(tls(given)),
    close: async () => {
      ending = true;
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const patience = new AbortController();
      await Promise.race([closed, delay(limits.closingMs, undefined, patience).catch(() => undefined)]);
      patience.abort();
      server.closeAllConnections();
    },
  };
}

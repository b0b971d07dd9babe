import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { RequestError } from './errors.ts';
import type { Question } from './questions.ts';
import { respond, sendError, sendJson, type Surroundings } from './respond.ts';

/** Longer than the 90 s after which the API server lets go of an idle connection: it never writes into a closed one. */
const keepAliveTimeoutMs = 95_000;
const requestTimeoutMs = 30_000;
/** After this a response that is still being written is cut off. */
const closingMs = 10_000;

/** The review endpoints as an Express application; `server` puts it behind TLS. */
export function reviewApp(questions: readonly Question[], around: Surroundings): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').disable('query parser');
  for (const question of questions) {
    app.post(question.path, (request, response) => respond(request, response, question, around));
    app.all(question.path, (request, response) =>
      sendError(response, new RequestError('method-unsupported', `${request.method} is not answered here`)),
    );
  }
  app.use((_request, response) =>
    sendError(response, new RequestError('path-unknown', 'no question is asked under this path')),
  );
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    around.log.error({ err: error }, 'a request failed');
    sendJson(response, 500, { code: 'internal', message: 'the request failed; the log has the cause' });
  });
  return app;
}

export interface TlsIdentity {
  certificatePem: string;
  privateKeyPem: string;
}

export interface ReviewServer {
  /** The port it listens on (another than asked for where that was 0). */
  listen(port: number): Promise<number>;
  /** Presents another certificate on connections from now on; the present ones go on. */
  present(identity: TlsIdentity): void;
  /**
   * Ends without failing a review: goes on answering for `drainMs`, while endpoints forget this replica, and asks for
   * each connection to be closed with its next answer; then closes what is idle, and waits for what is not.
   */
  drain(drainMs: number): Promise<void>;
}

/** The HTTPS server of the reviews. */
export function reviewServer(app: RequestListener, identity: TlsIdentity): ReviewServer {
  const tls = (given: TlsIdentity) => ({ cert: given.certificatePem, key: given.privateKeyPem });
  let draining = false;
  const server = https.createServer(
    {
      ...tls(identity),
      minVersion: 'TLSv1.2',
      keepAliveTimeout: keepAliveTimeoutMs,
      requestTimeout: requestTimeoutMs,
    },
    (request, response) => {
      if (draining) response.setHeader('connection', 'close');
      app(request, response);
    },
  );
  return {
    listen: async (port) => {
      server.listen(port);
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address ? address.port : port;
    },
    present: (given) => server.setSecureContext(tls(given)),
    drain: async (drainMs) => {
      draining = true;
      await delay(drainMs);
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await Promise.race([closed, delay(closingMs, undefined, { ref: false })]);
      server.closeAllConnections();
    },
  };
}

import { once } from 'node:events';
import http from 'node:http';
import express, { type Express } from 'express';
import type { Registry } from 'prom-client';

/** `/healthz`, `/readyz` (503 with the reason in the body) and `/metrics`, over plain HTTP. */
export function healthApp(registry: Registry, unreadiness: () => Promise<string | undefined>): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.get('/healthz', (_request, response) => void response.type('text').send('ok\n'));
  app.get('/readyz', async (_request, response) => {
    const reason = await unreadiness();
    response
      .status(reason === undefined ? 200 : 503)
      .type('text')
      .send(`${reason ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  return app;
}

/** Serves the application; the returned call ends it at once. */
export async function serveHealth(app: Express, port: number): Promise<{ port: number; close: () => void }> {
  const server = http.createServer(app);
  server.listen(port);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

import { type Server, createServer } from 'node:http';
import type { Metrics } from './metrics.ts';

interface Health {
  readonly port: number;
  readonly metrics: Metrics;
  /** Undefined when ready, else why not. */
  readonly notReady: () => string | undefined;
}

/** Serves `/healthz`, `/readyz` and `/metrics` over plain HTTP; resolves when it listens. */
export async function serveHealth({ port, metrics, notReady }: Health): Promise<Server> {
  const answers: Record<string, () => Promise<{ status: number; type?: string; body: string }>> = {
    '/healthz': async () => ({ status: 200, body: 'ok\n' }),
    '/readyz': async () => {
      const reason = notReady();
      return reason === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${reason}\n` };
    },
    '/metrics': async () => ({
      status: 200,
      type: metrics.registry.contentType,
      body: await metrics.registry.metrics(),
    }),
  };
  const server = createServer((request, response) => {
    const answer = answers[(request.url ?? '').split('?', 1)[0] ?? ''];
    void (answer?.() ?? Promise.resolve({ status: 404, body: 'not found\n' }))
      .catch((): { status: number; type?: string; body: string } => ({ status: 500, body: 'failed\n' }))
      .then(({ status, type = 'text/plain', body }: { status: number; type?: string; body: string }) =>
        response.writeHead(status, { 'content-type': type }).end(body),
      );
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve());
  });
  return server;
}

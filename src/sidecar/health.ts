import { type Server, createServer } from 'node:http';
import type { Metrics } from './metrics.ts';
import type { Stops } from './stops/index.ts';
import { answerStop } from './stops/route.ts';

interface Health {
  readonly port: number;
  readonly metrics: Metrics;
  /** Undefined when ready, else why not. */
  readonly notReady: () => string | undefined;
  /** What answers the hooks of pods that stop, while this process acts for the cluster. */
  readonly stops: () => Stops | undefined;
}

/** Serves `/healthz`, `/readyz`, `/metrics` and `/v1/stops/` over plain HTTP, read-only; resolves when it listens. */
export async function serveHealth({ port, metrics, notReady, stops }: Health): Promise<Server> {
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
    if (answerStop(stops(), request, response)) return;
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

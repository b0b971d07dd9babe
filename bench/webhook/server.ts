/** One server of the benchmark, in a process of its own: `bare` or `webhook`; told its certificate by its parent. */
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { webhookMetrics } from '../../src/webhook/metrics.ts';
import { judgeWith } from '../../src/webhook/outcomes.ts';
import { questions } from '../../src/webhook/questions.ts';
import { reviewApp, reviewServer, type TlsIdentity } from '../../src/webhook/server.ts';

export interface Ready {
  port: number;
  path: string;
}

export interface Usage {
  rssMiB: number;
  peakRssMiB: number;
}

const path = '/mutate/statefulsets';

/** The least that any webhook does: read, parse, answer with the UID. */
async function bare({ certificatePem, privateKeyPem }: TlsIdentity): Promise<number> {
  const server = https.createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { request: { uid: string } };
      const answer = {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: review.request.uid, allowed: true },
      };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
  });
  server.listen(0);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The webhook as it ships, but for the API server behind it. */
function webhook(identity: TlsIdentity): Promise<number> {
  const around = { log: pino({ level: 'info' }), metrics: webhookMetrics() };
  const empty = {
    setsOf: () => [],
    hardenedSet: () => undefined,
    largestReplication: () => undefined,
    zoneOf: () => undefined,
  };
  return reviewServer(reviewApp(questions(judgeWith('harden'), { view: empty }), around), identity).listen(0);
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1024 / 1024);

const [identity] = (await once(process, 'message')) as [TlsIdentity];
const port = await (process.argv[2] === 'bare' ? bare(identity) : webhook(identity));
process.on('message', () => {
  const usage: Usage = {
    rssMiB: mebibytes(process.memoryUsage.rss()),
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  process.send?.(usage);
});
process.on('disconnect', () => process.exit());
const ready: Ready = { port, path };
process.send?.(ready);

/**
 * `npm run bench:webhook [-- --json]`: how much of a bare server's rate the webhook keeps.
 *
 * Both answer the same review over TLS with keep-alive: an UPDATE that changes nothing, of a hardened StatefulSet of
 * 30 KB, so with two copies of it in the body. The bare server is `node:https` that parses the body as JSON and
 * answers with JSON. Each runs in a process of its own, in turns; the best turn counts. `firstSight` sends sets that the
 * webhook has not judged before, so that every rule runs in every review; `ratio` sends one set again and again, as the
 * API server does (mutation, reinvocation, validation, every controller's write), where the outcome is remembered.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createAuthority, issueLeaf } from '../certs/index.ts';
import { drive, type Measured } from './webhook/load.ts';
import { distinctReviews } from './webhook/reviews.ts';
import type { Ready, Usage } from './webhook/server.ts';

const connections = 8;
const turns = 6;
const warmUpMs = 1_000;
const turnMs = 1_500;
/** More states of one set than the webhook remembers. */
const distinct = 100;

type Kind = 'bare' | 'webhook';
interface Server {
  process: ChildProcess;
  port: number;
  path: string;
}

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
const say = (line: string): void => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);

const now = new Date();
const lifetimeMs = 86_400_000;
const authority = createAuthority({ subject: { commonName: 'bench' }, now, lifetimeMs });
const leaf = issueLeaf(authority, {
  subject: { commonName: 'bench' },
  dnsNames: ['localhost'],
  usages: ['server'],
  now,
  lifetimeMs,
});

async function start(kind: Kind): Promise<Server> {
  const child = fork(new URL('./webhook/server.ts', import.meta.url), [kind], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send({ certificatePem: leaf.chainPem, privateKeyPem: leaf.privateKeyPem });
  const [ready] = (await once(child, 'message')) as [Ready];
  return { process: child, ...ready };
}

async function usageOf({ process: child }: Server): Promise<Usage> {
  child.send('usage');
  const [usage] = (await once(child, 'message')) as [Usage];
  return usage;
}

const better = (a: Measured, b: Measured): Measured => (b.perSecond > a.perSecond ? b : a);

async function compare(
  bodies: readonly Buffer[],
  servers: Record<Kind, Server>,
): Promise<Record<Kind, Measured>> {
  const measure = (kind: Kind, forMs: number) =>
    drive({ ...servers[kind], bodies, connections, ca: authority.certificatePem, forMs });
  const best: Partial<Record<Kind, Measured>> = {};
  for (const kind of ['bare', 'webhook'] as const) await measure(kind, warmUpMs);
  for (let turn = 0; turn < turns; turn += 1)
    for (const kind of ['bare', 'webhook'] as const) {
      const measured = await measure(kind, turnMs);
      best[kind] = better(best[kind] ?? measured, measured);
    }
  const { bare, webhook } = best;
  if (!bare || !webhook) throw new Error('no turn was measured');
  return { bare, webhook };
}

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));
const told = ({ perSecond, p50Ms, p99Ms }: Measured) => ({
  perSecond: Math.round(perSecond),
  p50Ms: round(p50Ms),
  p99Ms: round(p99Ms),
});
const line = (name: string, measured: Measured): string => {
  const { perSecond, p50Ms, p99Ms } = told(measured);
  return `  ${name.padEnd(10)} ${String(perSecond).padStart(6)} reviews/s   p50 ${p50Ms} ms   p99 ${p99Ms} ms`;
};

const bodies = distinctReviews(distinct);
const bodyBytes = bodies[0]?.length ?? 0;
say(`reviews of ${(bodyBytes / 1024).toFixed(1)} KiB, ${connections} connections, best of ${turns} turns`);
const servers = { bare: await start('bare'), webhook: await start('webhook') };
const same = await compare(bodies.slice(0, 1), servers);
const firstSight = await compare(bodies, servers);
const usage = await usageOf(servers.webhook);
for (const { process: child } of Object.values(servers)) child.kill();

const ratio = round(same.webhook.perSecond / same.bare.perSecond);
const firstSightRatio = round(firstSight.webhook.perSecond / firstSight.bare.perSecond);
say('the same set again and again:');
say(line('bare', same.bare));
say(line('webhook', same.webhook));
say('a set not seen before in each review:');
say(line('bare', firstSight.bare));
say(line('webhook', firstSight.webhook));
say(`ratio ${ratio} (at least 0.5, goal 0.7); at first sight ${firstSightRatio}`);
say(`memory of the webhook: ${usage.rssMiB} MiB resident, ${usage.peakRssMiB} MiB at most`);
if (options.json)
  process.stdout.write(
    `${JSON.stringify({
      bodyBytes,
      connections,
      ratio,
      bare: told(same.bare),
      webhook: told(same.webhook),
      firstSight: { ratio: firstSightRatio, bare: told(firstSight.bare), webhook: told(firstSight.webhook) },
      memory: usage,
    })}\n`,
  );
if (ratio < 0.5) process.exitCode = 1;

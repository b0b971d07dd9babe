/** Evictions from the API server's side: webhook, mutual TLS, sidecar, verdict on a cluster that is read again all the time. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { createAuthority, issueLeaf, publicKeySha256 } from '../../certs/index.ts';
import { randomOf } from '../../src/balance/random.ts';
import { advance, purposes } from '../../src/webhook/serving-certificate.ts';
import { type Times, timesOf } from './measures.ts';
import type { SidecarTask, SidecarUsage } from './sidecar.ts';
import type { ApiServerTask } from './api-server.ts';
import { type BrokersReady, type BrokersTask, hostOf } from './brokers.ts';
import type { WebhookTask } from './webhook.ts';

export interface EndToEndOptions {
  readonly brokers: number;
  readonly partitions: number;
  readonly seconds: number;
}

export interface EndToEnd extends EndToEndOptions {
  readonly viewMiB: number;
  /** By what was asked. */
  readonly questions: Record<Kind, Times>;
  readonly sidecar: SidecarUsage;
  /** Answers by their decision: a measurement of anything else than was meant would show. */
  readonly answers: Record<string, number>;
}

/** `webhook only`: a pod that is no broker, which passes without the sidecar: what the machine and the webhook cost alone. */
const kinds = ['allow', 'dry run', 'deny', 'webhook only'] as const;
export type Kind = (typeof kinds)[number];

/** An allow reserves for kafka-1, renewed each time it asks again; others are then denied. */
const podOf: Record<Kind, string> = {
  allow: 'kafka-1',
  'dry run': 'kafka-1',
  deny: 'kafka-2',
  'webhook only': 'web-1',
};
/** Between two questions, on average; at random, so that every moment of a read is met. */
const pauseMs = 40;

const now = new Date();
const lifetimeMs = 86_400_000;
const authorityOf = (commonName: string) => createAuthority({ subject: { commonName }, now, lifetimeMs });
type By = ReturnType<typeof authorityOf>;
function leafOf(by: By, usages: readonly ('server' | 'client')[], dnsNames: readonly string[] = []) {
  const leaf = issueLeaf(by, { subject: { commonName: 'bench' }, usages, dnsNames, now, lifetimeMs });
  return { certificatePem: leaf.chainPem, privateKeyPem: leaf.privateKeyPem };
}

/** As the image has it (`deploy/Dockerfile`). */
const frugal = { MALLOC_MMAP_THRESHOLD_: '131072' };

async function started<T>(file: string, task: object): Promise<{ child: ChildProcess; ready: T }> {
  const child = fork(new URL(file, import.meta.url), [file.replace(/^\.\/|\.ts$/g, '')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, ...(file.includes('sidecar') ? frugal : {}) },
  });
  child.send(task);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with code ${String(code)}`);
  });
  const [ready] = (await Promise.race([once(child, 'message'), ended])) as [T];
  ended.catch(() => undefined);
  return { child, ready };
}

interface Reviewed {
  readonly response: { readonly allowed: boolean; readonly auditAnnotations?: Record<string, string> };
}

export async function endToEnd(options: EndToEndOptions): Promise<EndToEnd> {
  const { brokers, partitions, seconds } = options;
  const nodes = authorityOf('nodes');
  const names = Array.from({ length: brokers }, (_, id) => hostOf(id));
  const kafka = await started<BrokersReady>('./brokers.ts', {
    ...{ brokers, partitions, caPem: nodes.certificatePem },
    ...leafOf(nodes, ['server'], names),
  } satisfies BrokersTask);
  const kubernetes = authorityOf('kubernetes');
  const api = await started<{ port: number }>('./api-server.ts', {
    ...{ brokers, ...leafOf(kubernetes, ['server'], ['localhost']) },
  } satisfies ApiServerTask);
  const dnsNames: string[] = [];
  const client = advance(undefined, {
    now,
    dnsNames,
    injectedSince: undefined,
    purpose: purposes.client,
  })?.serving;
  if (client === undefined) throw new Error('no client certificate was issued');
  const serving = leafOf(nodes, ['server'], ['shop-kafka-warden.shop.svc']);
  const sidecar = await started<{ port: number }>('./sidecar.ts', {
    ports: kafka.ready.ports,
    api: { port: api.ready.port, caPem: kubernetes.certificatePem },
    kafka: { caPem: nodes.certificatePem, ...leafOf(nodes, ['client']) },
    serving,
    clientAuthorities: client.authority.certificatePem,
  } satisfies SidecarTask);
  const ca = authorityOf('webhook');
  const webhook = await started<{ port: number }>('./webhook.ts', {
    ...{ identity: leafOf(ca, ['server'], ['localhost']), client },
    ...{ sidecarPort: sidecar.ready.port, servingKey: publicKeySha256(serving.certificatePem) },
  } satisfies WebhookTask);
  const agent = new https.Agent({ keepAlive: true, ca: ca.certificatePem, servername: 'localhost' });
  try {
    const ask = (kind: Kind) => evict(agent, webhook.ready.port, kind);
    await untilAllowed(ask);
    sidecar.child.send('begin');
    const { durations, answers } = await questionsAtRandom(ask, seconds);
    sidecar.child.send('usage');
    const [usage] = (await once(sidecar.child, 'message')) as [SidecarUsage];
    const viewMiB = kafka.ready.viewBytes / 2 ** 20;
    return { ...options, viewMiB, questions: durations, sidecar: usage, answers };
  } finally {
    agent.destroy();
    for (const { child } of [webhook, sidecar, api, kafka]) child.kill();
  }
}

async function evict(agent: https.Agent, port: number, kind: Kind): Promise<Reviewed['response']> {
  const name = podOf[kind];
  const body = JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'uid',
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      ...{ operation: 'CREATE', namespace: 'shop', name, dryRun: kind === 'dry run' },
      userInfo: { username: 'drainer' },
      object: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } },
    },
  });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const request = https.request({ agent, port, path: '/validate/evictions', method: 'POST', headers });
  request.end(body);
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return (JSON.parse(Buffer.concat(chunks).toString()) as Reviewed).response;
}

/** A new sidecar takes a while until it has seen in-sync replicas unchanged. */
async function untilAllowed(ask: (kind: Kind) => Promise<Reviewed['response']>): Promise<void> {
  const deadline = performance.now() + 120_000;
  let last: unknown;
  while (performance.now() < deadline) {
    const answer = await ask('dry run');
    if (answer.allowed) {
      await delay(3_000);
      await ask('allow');
      return;
    }
    last = answer;
    await delay(500);
  }
  throw new Error(`nothing was allowed within two minutes: ${JSON.stringify(last)}`);
}

/** Sent when they are due, whether or not earlier ones are answered, and measured from then on. */
async function questionsAtRandom(ask: (kind: Kind) => Promise<Reviewed['response']>, seconds: number) {
  const random = randomOf(7);
  const durations: Record<Kind, number[]> = { allow: [], 'dry run': [], deny: [], 'webhook only': [] };
  const answers: Record<string, number> = {};
  const asked: Promise<void>[] = [];
  const end = performance.now() + 1_000 * seconds;
  let dueMs = performance.now();
  for (let i = 0; dueMs < end; i++) {
    const kind = kinds[i % kinds.length] ?? 'allow';
    const from = Math.max(dueMs, performance.now());
    asked.push(
      ask(kind).then(({ allowed, auditAnnotations = {} }) => {
        durations[kind].push(performance.now() - from);
        const why = Object.entries(auditAnnotations)
          .filter(([key]) => /decision|reason/.test(key))
          .map(([, value]) => value)
          .join(' ');
        const told = `${kind}: ${allowed ? 'yes' : 'no'} ${why}`.trim();
        answers[told] = (answers[told] ?? 0) + 1;
      }),
    );
    dueMs += -Math.log(1 - random.below(1_000_000) / 1_000_000) * pauseMs;
    await delay(Math.max(0, dueMs - performance.now()));
  }
  await Promise.all(asked);
  const times = Object.fromEntries(kinds.map((kind) => [kind, timesOf(durations[kind])])) as Record<
    Kind,
    Times
  >;
  return { durations: times, answers };
}

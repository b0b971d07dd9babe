/** The sidecar of the benchmark, in a process of its own: the gate, its client of Kafka and its server, as they ship. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connectAdmin } from '../../src/kafka/index.ts';
import { type Kube, kubeOver } from '../../src/kubernetes/client.ts';
import { inClusterCredentials } from '../../src/kubernetes/credentials.ts';
import type { Log } from '../../src/kubernetes/object.ts';
import { transport } from '../../src/kubernetes/transport.ts';
import { questionServer } from '../../src/sidecar/api/server.ts';
import type { Context } from '../../src/sidecar/context.ts';
import { dutyLoop } from '../../src/sidecar/duties.ts';
import { gateOf } from '../../src/sidecar/gate/index.ts';
import { brokerPod } from '../../src/sidecar/gate/test/surroundings.ts';
import { createMetrics } from '../../src/sidecar/metrics.ts';
import { clusterSet } from '../../src/sidecar/test/sets.ts';
import type { World } from '../../src/sidecar/world.ts';
import { Stopwatch, type Times } from './measures.ts';
import { hostOf } from './brokers.ts';

export interface SidecarTask {
  readonly ports: readonly number[];
  readonly api: { readonly port: number; readonly caPem: string };
  readonly kafka: { readonly caPem: string; readonly certificatePem: string; readonly privateKeyPem: string };
  readonly serving: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly clientAuthorities: string;
}

export interface SidecarUsage {
  readonly steps: Record<string, Times>;
  readonly reads: number;
  readonly rssMiB: number;
  readonly peakRssMiB: number;
  /** How late the main thread came to what was due, sampled every millisecond. */
  readonly lateP99Ms: number;
  readonly lateMaxMs: number;
  readonly cpuShare: number;
  /** How long its main thread was ready to go on and had no processor: 0 on an idle machine. */
  readonly waitedMs: number;
}

/** Of the main thread. The kernel counts nanoseconds. */
const waitedMs = (): number => Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;

const [task] = (await once(process, 'message')) as [SidecarTask];
const watch = new Stopwatch();
const log: Log = {
  debug: () => {},
  info: () => {},
  warn: (fields, text) => console.error(text, fields),
  error: () => {},
};

const lookup: LookupFunction = (_host, options, found) => {
  if (options.all === true) found(null, [{ address: '127.0.0.1', family: 4 }]);
  else found(null, '127.0.0.1', 4);
};
const admin = connectAdmin({
  bootstrap: task.ports.map((port, id) => `${hostOf(id)}:${port}`),
  tls: task.kafka,
  lookup,
  connectTimeoutMs: 500,
  requestTimeoutMs: 2_000,
});
let reads = 0;
const kafka = {
  ...admin,
  apiVersions: () => {
    reads += 1;
    return admin.apiVersions();
  },
  viewOf: watch.timed('one view of Kafka', (...args: Parameters<typeof admin.viewOf>) =>
    admin.viewOf(...args),
  ),
  ping: watch.timed('ping of one broker', (broker: Parameters<typeof admin.ping>[0]) => admin.ping(broker)),
};

/** As a pod finds its own. */
function credentials() {
  const root = mkdtempSync(path.join(tmpdir(), 'kafka-warden-bench-'));
  const files = { token: 'token', 'ca.crt': task.api.caPem, namespace: 'shop' };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text);
  process.on('exit', () => rmSync(root, { recursive: true }));
  const env = { KUBERNETES_SERVICE_HOST: 'localhost', KUBERNETES_SERVICE_PORT: String(task.api.port) };
  const found = inClusterCredentials(env, root);
  if (found === undefined) throw new Error('no credentials were found');
  return found;
}
const plain = kubeOver(transport(credentials()), 'shop');
const kube: Kube = {
  ...plain,
  tryGet: <T>(path: string) => watch.timed('read of the record', () => plain.tryGet<T>(path))(),
  list: <T>(path: string, options?: Parameters<Kube['list']>[1]) =>
    watch.timed('list of the pods', () => plain.list<T>(path, options))(),
  replace: <T>(...args: Parameters<Kube['replace']>) =>
    watch.timed('write of the record', () => plain.replace<T>(...args))(),
};

const brokers = task.ports.length;
const world: World = {
  ...{ sets: [clusterSet('kafka', { voters: 3 }, brokers)], claims: [], services: [], budgets: [] },
  pods: Array.from({ length: brokers }, (_, id) => brokerPod(id)),
  ...{ users: undefined, rebalances: undefined, kafkaCluster: undefined },
};
const metrics = createMetrics('shop');
const context = {
  ...{ namespace: 'shop', cluster: 'shop', kube, log, metrics, launchers: [] },
  ...{ now: () => new Date(), world: () => world, reports: { all: () => [], facts: () => ({}) } },
} as unknown as Context;
const gate = gateOf({ context, kafka, by: 'bench', wake: (duty) => loop.wake(duty) });
const loop = dutyLoop(
  [
    {
      name: 'disruption',
      everyMs: 30_000,
      reconcile: watch.timed('pass of the duty', () => gate.reconcile()),
    },
    {
      name: 'budget',
      everyMs: 60_000,
      reconcile: async () => {
        gate.budget();
        return { conditions: [] };
      },
    },
  ],
  { log, metrics },
);

const decide = watch.timed('the whole decision', gate.decide);
const server = questionServer({ decide, clientAuthorities: task.clientAuthorities, log }, task.serving);
const port = await server.listen(0);
const forever = new AbortController();
void gate.run(forever.signal);
void loop.run(forever.signal);

const late = monitorEventLoopDelay({ resolution: 1 });
late.enable();
let from = { atMs: performance.now(), cpu: process.cpuUsage(), waitedMs: waitedMs() };
process.on('message', (asked) => {
  if (asked === 'begin') {
    watch.clear();
    late.reset();
    reads = 0;
    from = { atMs: performance.now(), cpu: process.cpuUsage(), waitedMs: waitedMs() };
    return;
  }
  const { user, system } = process.cpuUsage(from.cpu);
  const usage: SidecarUsage = {
    steps: watch.times(),
    reads,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    peakRssMiB: process.resourceUsage().maxRSS / 1_024,
    lateP99Ms: late.percentile(99) / 1e6,
    lateMaxMs: late.max / 1e6,
    cpuShare: (user + system) / 1_000 / (performance.now() - from.atMs),
    waitedMs: waitedMs() - from.waitedMs,
  };
  process.send?.(usage);
});
process.on('disconnect', () => process.exit());
process.send?.({ port });

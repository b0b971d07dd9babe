/** The webhook of the benchmark, in a process of its own, as it ships but for its watches. */
import { once } from 'node:events';
import type { Kube } from '../../src/kubernetes/client.ts';
import type { Log } from '../../src/kubernetes/object.ts';
import { keys, objectsOf } from '../../src/names.ts';
import { type EvictionSources, evictionGate } from '../../src/webhook/eviction-gate.ts';
import { webhookMetrics } from '../../src/webhook/metrics.ts';
import { judgeWith } from '../../src/webhook/outcomes.ts';
import { questions } from '../../src/webhook/questions.ts';
import { type TlsIdentity, reviewApp, reviewServer } from '../../src/webhook/server.ts';
import type { Serving } from '../../src/webhook/serving-certificate.ts';
import { secretOf } from '../../src/webhook/serving-secret.ts';
import { installation } from '../../src/webhook/settings.ts';
import type { Pod } from '../../src/webhook/trimmed.ts';

export interface WebhookTask {
  readonly identity: TlsIdentity;
  readonly client: Serving;
  readonly sidecarPort: number;
  readonly servingKey: string;
}

const [task] = (await once(process, 'message')) as [WebhookTask];
const log: Log = {
  debug: () => {},
  info: () => {},
  warn: (fields, text) => console.error(text, fields),
  error: () => {},
};
const warden = objectsOf('shop').warden;
const secret = secretOf(task.client, 'kafka-warden', undefined, installation.clientSecret);

const podOf = (name: string): Pod => ({
  metadata: {
    ...{ name, namespace: 'shop', uid: `uid-${name}-1` },
    labels: name.startsWith('kafka-') ? { [keys.node]: 'shop' } : {},
  },
  spec: { nodeName: 'node' },
  status: { phase: 'Running' },
});

const sources: EvictionSources = {
  pods: {
    get: (_namespace, name) => podOf(name),
    ageMs: () => 0,
    onChange: () => () => undefined,
  },
  nodes: { get: () => ({ spec: { unschedulable: true } }) },
  namespaces: { get: () => ({ metadata: { name: 'shop' } }) },
  deployments: { get: () => ({ metadata: { name: warden } }) },
  services: {
    get: () => ({
      metadata: { name: warden, namespace: 'shop', annotations: { [keys.servingKey]: task.servingKey } },
      spec: { clusterIP: '127.0.0.1', ports: [{ name: 'questions', port: task.sidecarPort }] },
    }),
  },
  clientSecret: { list: () => [secret] },
};
const metrics = webhookMetrics();
const gate = evictionGate({} as Kube, sources, { metrics, log });
const view = {
  setsOf: () => [],
  hardenedSet: () => undefined,
  largestReplication: () => undefined,
  zoneOf: () => undefined,
};
const app = reviewApp(questions(judgeWith('harden'), { view, gate }), { log, metrics });
const port = await reviewServer(app, task.identity).listen(0);
process.on('disconnect', () => process.exit());
process.send?.({ port });

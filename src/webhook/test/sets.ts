import assert from 'node:assert/strict';
import { harden } from '../../hardening/index.ts';
import type { StatefulSet } from '../../hardening/model.ts';
import { keys } from '../../names.ts';

/** A plain Kafka StatefulSet of namespace `shop`, as its author wrote it. */
export const vanilla = (name: string, image = 'apache/kafka:4.1.0'): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name, namespace: 'shop', uid: `uid-of-${name}` },
  spec: {
    serviceName: name,
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'kafka', image }] },
    },
  },
});

/** A hardened set; by default a cluster of its own. */
export function hardened(name: string, cluster = name): StatefulSet {
  const { workload, decision } = harden(vanilla(name), { namespace: 'shop' });
  assert.equal(decision, 'hardened');
  const annotations = { ...workload.metadata?.annotations };
  const layout = JSON.parse(annotations[keys.layout] ?? '') as object;
  annotations[keys.layout] = JSON.stringify({ ...layout, cluster });
  return { ...workload, metadata: { ...workload.metadata, annotations } };
}

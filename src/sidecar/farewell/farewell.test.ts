import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryApi } from '../../kubernetes/test/memory-api.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import type { Context } from '../context.ts';
import type { KafkaCluster } from '../status/kafka-cluster.ts';
import { farewells } from './index.ts';
import { isLeaving } from './request.ts';

const now = new Date('2026-06-01T12:00:00Z');
const token = '2026-06-01T11:59:00.000Z';

/** A cluster whose farewell was asked for a minute ago, and answered with that token. */
function given(answered?: string) {
  const api = memoryApi();
  const path = paths.kafkaclusters('shop', 'shop');
  api.put(path, {
    apiVersion: 'kafka-warden.io/v1alpha1',
    kind: 'KafkaCluster',
    metadata: { name: 'shop', namespace: 'shop', annotations: { [keys.farewell]: token } },
    ...(answered === undefined
      ? {}
      : { status: { farewell: { token: answered, leavesUntil: '2027-06-01T00:00:00Z' } } }),
  });
  const cluster = () => api.objects.get(path) as unknown as KafkaCluster;
  const context = {
    ...{ kube: api.kube, namespace: 'shop', cluster: 'shop', now: () => now },
    log: { info: () => {} },
    world: () => ({ sets: [], kafkaCluster: cluster() }),
  } as unknown as Context;
  return { api, cluster, duty: farewells(context) };
}

test('a farewell that was answered before the sidecar began is over: everything is taken up again at once', async () => {
  const { cluster, duty } = given(token);
  assert.ok(isLeaving(cluster(), now));
  await duty.reconcile();
  assert.ok(!isLeaving(cluster(), now));
});

test('one that nobody has answered stands, and so does one that is answered later', async () => {
  for (const earlier of [undefined, 'an earlier one']) {
    const { api, cluster, duty } = given(earlier);
    await duty.reconcile();
    assert.ok(isLeaving(cluster(), now));
    const farewell = { token, leavesUntil: '2027-06-01T00:00:00Z' };
    api.put(paths.kafkaclusters('shop', 'shop'), { ...cluster(), status: { farewell } });
    await duty.reconcile();
    assert.ok(isLeaving(cluster(), now));
  }
});

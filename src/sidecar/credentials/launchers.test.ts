import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchers } from '../../hardening/index.ts';
import type { Log } from '../../kubernetes/object.ts';
import { paths } from '../../kubernetes/paths.ts';
import { memoryApi } from '../../kubernetes/test/memory-api.ts';
import type { Context } from '../context.ts';
import type { ConfigMap } from '../objects.ts';
import { publishLaunchers } from './launchers.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('every supported launcher is there with all of its scripts, immutable, whatever stood under its name', async () => {
  const namespace = 'shop';
  const api = memoryApi(namespace);
  const context = { namespace, cluster: 'shop', kube: api.kube, log: silent, launchers: launchers() };
  const newest = launchers().at(-1)!;
  assert.deepEqual(Object.keys(newest.data), ['launch', 'stop']);
  api.put(paths.configmaps(namespace, newest.name), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: newest.name, namespace, uid: 'old' },
    immutable: true,
    data: { launch: newest.data.launch },
  });
  await publishLaunchers(context as unknown as Context);
  const stored = () =>
    launchers().map(({ name }) => api.objects.get(paths.configmaps(namespace, name)) as unknown as ConfigMap);
  assert.deepEqual(
    stored().map(({ data, immutable }) => [data, immutable]),
    launchers().map(({ data }) => [data, true]),
  );
  const before = stored();
  await publishLaunchers(context as unknown as Context);
  assert.deepEqual(stored(), before);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harden } from '../hardening/index.ts';
import type { StatefulSet } from '../hardening/model.ts';
import { clustersOf } from './clusters.ts';
import { keys } from '../names.ts';
import { hardened, vanilla } from './test/sets.ts';
import { trimNode, trimPod, trimStatefulSet, zoneLabel } from './trimmed.ts';

test('a set is kept small in memory, and what loops and reviews ask of it is still there', () => {
  const set = hardened('kafka');
  const trimmed = trimStatefulSet(set);
  assert.deepEqual([...clustersOf([{ metadata: { name: 'shop' } }], [trimmed]).keys()], ['shop/kafka']);
  assert.ok(JSON.stringify(trimmed).length < JSON.stringify(set).length);
});

test('a set that is no Kafka keeps only its name', () => {
  const foreign = { metadata: { name: 'db', namespace: 'shop', annotations: { big: 'x' } }, spec: {} };
  assert.deepEqual(trimStatefulSet(foreign as unknown as StatefulSet), {
    metadata: { name: 'db', namespace: 'shop', annotations: {} },
  });
});

test('an unhardened Kafka is judged the same when trimmed', () => {
  for (const image of [
    'apache/kafka:4.1.0',
    'confluentinc/cp-server:8.0.0',
    'wurstmeister/kafka',
    'postgres:17',
  ]) {
    const set = vanilla('kafka', image);
    const judged = (one: StatefulSet) => harden(one, { namespace: 'shop', old: one }).decision;
    assert.equal(judged(trimStatefulSet(set)), judged(set), image);
  }
});

test('of a node only its zone is kept, and whether it is to be empty', () => {
  const metadata = { name: 'n1', resourceVersion: '7' };
  const labels = { [zoneLabel]: 'a', 'kubernetes.io/os': 'linux' };
  assert.deepEqual(trimNode({ kind: 'Node', metadata: { ...metadata, labels, annotations: { big: 'x' } } }), {
    kind: 'Node',
    metadata: { ...metadata, labels: { [zoneLabel]: 'a' } },
  });
  assert.deepEqual(trimNode({ metadata }), { metadata });
  const taints = [{ key: 'k', effect: 'NoSchedule' }];
  assert.deepEqual(trimNode({ metadata, spec: { unschedulable: true, taints } }).spec, {
    unschedulable: true,
    taints,
  });
});

test('of a pod is kept whose it is, where it is, how it ends, and whether a person lets it go', () => {
  const identity = { name: 'kafka-0', namespace: 'shop', uid: 'u', resourceVersion: '7' };
  const ending = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };
  const pod = {
    metadata: {
      ...identity,
      labels: { [keys.node]: 'kafka', app: 'kafka' },
      annotations: { [keys.allowEviction]: 'u', big: 'x' },
      deletionTimestamp: '2030-01-01T00:00:00Z',
    },
    spec: { nodeName: 'n1', containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }, ending], podIP: '10.0.0.1' },
  };
  assert.deepEqual(trimPod(pod), {
    metadata: {
      ...identity,
      labels: { [keys.node]: 'kafka' },
      annotations: { [keys.allowEviction]: 'u' },
      deletionTimestamp: '2030-01-01T00:00:00Z',
    },
    spec: { nodeName: 'n1' },
    status: { phase: 'Running', conditions: [ending] },
  });
  assert.deepEqual(trimPod({}), { metadata: {}, status: { conditions: [] } });
});

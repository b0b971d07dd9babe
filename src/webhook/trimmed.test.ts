import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harden } from '../hardening/index.ts';
import type { StatefulSet } from '../hardening/model.ts';
import { clustersOf } from './clusters.ts';
import { hardened, vanilla } from './test/sets.ts';
import { trimNode, trimStatefulSet, zoneLabel } from './trimmed.ts';

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

test('of a node only its zone is kept', () => {
  const metadata = { name: 'n1', resourceVersion: '7' };
  const labels = { [zoneLabel]: 'a', 'kubernetes.io/os': 'linux' };
  assert.deepEqual(trimNode({ kind: 'Node', metadata: { ...metadata, labels, annotations: { big: 'x' } } }), {
    kind: 'Node',
    metadata: { ...metadata, labels: { [zoneLabel]: 'a' } },
  });
  assert.deepEqual(trimNode({ metadata }), { metadata });
});

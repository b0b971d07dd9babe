import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../objects.ts';
import { isStuckInMount } from './hasten.ts';

const now = Date.parse('2026-06-01T00:01:00Z');
const pod = (state: object, part: { phase?: string; restartCount?: number; age?: string } = {}): Pod => ({
  metadata: { name: 'kafka-0', uid: 'u', creationTimestamp: part.age ?? '2026-06-01T00:00:00Z' },
  spec: { nodeName: 'node1', containers: [] },
  status: {
    phase: part.phase ?? 'Pending',
    containerStatuses: [
      { name: 'kafka', image: '', imageID: '', ready: false, restartCount: part.restartCount ?? 0, state },
    ],
  },
});
const creating = { waiting: { reason: 'ContainerCreating' } };

test('a pod that has long waited for its first start is stuck', () => {
  assert.equal(isStuckInMount(pod(creating), now), true);
});

test('a young pod, one that ran, one that pulls its image or one without a node is not', () => {
  assert.equal(isStuckInMount(pod(creating, { age: '2026-06-01T00:00:45Z' }), now), false);
  assert.equal(isStuckInMount(pod({ running: {} }, { phase: 'Running' }), now), false);
  assert.equal(isStuckInMount(pod(creating, { restartCount: 1 }), now), false);
  assert.equal(isStuckInMount(pod({ waiting: { reason: 'ImagePullBackOff' } }), now), false);
  assert.equal(isStuckInMount({ ...pod(creating), spec: { containers: [] } }, now), false);
});

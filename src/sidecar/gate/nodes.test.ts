import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../objects.ts';
import { clusterSet, controllers, brokers, podOf } from '../test/sets.ts';
import { knownNodes, missingPods, nodePods } from './nodes.ts';
import { brokerPod } from './test/surroundings.ts';

const set = clusterSet('kafka');
const only = (pod: Pod) => {
  const [found] = nodePods({ sets: [set], pods: [pod] }, 'shop', new Map());
  assert.ok(found);
  return found;
};
const withConditions = (ready: string, readyAt: string, initialisedAt = '2026-06-01T00:00:02Z'): Pod => {
  const pod = brokerPod(0, 1, { ready: ready === 'True' });
  const conditions = [
    { type: 'Initialized', status: 'True', lastTransitionTime: initialisedAt },
    { type: 'Ready', status: ready, lastTransitionTime: readyAt },
  ];
  return { ...pod, status: { ...pod.status, conditions } } as unknown as Pod;
};

test('only pods with the label of the cluster are its nodes', () => {
  const stranger = { ...brokerPod(0), metadata: { ...brokerPod(0).metadata, labels: {} } } as Pod;
  assert.deepEqual(nodePods({ sets: [set], pods: [stranger] }, 'shop', new Map()), []);
});

test('a node id is what Kafka says, or else what the layout says', () => {
  const pods = [podOf(controllers, 1), podOf(brokers, 2)];
  const seen = nodePods({ sets: [controllers, brokers], pods }, 'shop', new Map([['kafka-2', 7]]));
  assert.deepEqual(
    seen.map(({ nodeId, broker, controller }) => [nodeId, broker, controller]),
    [
      [1_001, false, true],
      [7, true, false],
    ],
  );
});

test('a pod whose set is gone is a broker of which no id is known', () => {
  const [orphan] = nodePods({ sets: [], pods: [brokerPod(1)] }, 'shop', new Map());
  assert.deepEqual([orphan?.nodeId, orphan?.broker, orphan?.member], [undefined, true, true]);
});

test('a container that waits for its first start has not started; one that crashed has', () => {
  assert.equal(only(brokerPod(0, 1, { phase: 'Pending' })).everStarted, false);
  assert.equal(only(brokerPod(0)).everStarted, true);
  const crashed = brokerPod(0, 1, { runs: false });
  const [status] = crashed.status?.containerStatuses ?? [];
  Object.assign(status ?? {}, { restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } });
  const { everStarted, runs, failing } = only(crashed);
  assert.deepEqual([everStarted, runs, failing], [true, false, 'CrashLoopBackOff']);
});

test('the container that hardening configured counts, not one beside it', () => {
  const pod = brokerPod(0);
  Object.assign(pod.spec ?? {}, {
    containers: [{ name: 'proxy' }, { name: 'kafka', env: [{ name: 'WARDEN_STORES', value: 'pem' }] }],
  });
  Object.assign(pod.status ?? {}, {
    containerStatuses: [
      { name: 'proxy', restartCount: 0, state: { running: {} } },
      { name: 'kafka', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } },
    ],
  });
  const { everStarted, runs } = only(pod);
  assert.deepEqual([everStarted, runs], [false, false]);
});

test('a pod that has lost its readiness was ready, one that is starting was not', () => {
  assert.equal(only(withConditions('True', '2026-06-01T00:00:09Z')).wasReady, true);
  assert.equal(only(withConditions('False', '2026-06-01T00:10:00Z')).wasReady, true);
  assert.equal(only(withConditions('False', '2026-06-01T00:00:01Z')).wasReady, false);
  assert.equal(only(withConditions('False', '2026-06-01T00:00:01Z', '')).wasReady, false);
});

test('pods that the sets ask for and that are not there are missing', () => {
  assert.deepEqual(missingPods({ sets: [set], pods: [brokerPod(0), brokerPod(2)] }), ['kafka-1']);
});

test('a node is known once Kafka has been seen to know it', () => {
  const known = knownNodes([set], new Map(), new Set([0, 2, 9]));
  assert.deepEqual([...known.keys()], ['kafka-0', 'kafka-2']);
  assert.deepEqual(known.get('kafka-2'), { nodeId: 2, set: 'kafka', ordinal: 2 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryApi } from '../../kubernetes/test/memory-api.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import type { Context } from '../context.ts';
import type { Budget } from '../objects.ts';
import type { KafkaCluster } from '../status/kafka-cluster.ts';
import { brokers, controllers } from '../test/sets.ts';
import { reconcileBudget, ruleOf } from './index.ts';

const path = paths.poddisruptionbudgets('shop', 'shop-kafka-warden');

function given() {
  const api = memoryApi('shop');
  const kafkaCluster = { metadata: { name: 'shop' } } as KafkaCluster;
  const world = { sets: [brokers, controllers], budgets: [] as Budget[], kafkaCluster };
  const context = {
    namespace: 'shop',
    cluster: 'shop',
    kube: api.kube,
    world: () => world,
    now: () => new Date(),
  } as unknown as Context;
  const spec = () => {
    const { maxUnavailable, unhealthyPodEvictionPolicy } =
      (api.objects.get(path) as unknown as Budget).spec ?? {};
    return [maxUnavailable, unhealthyPodEvictionPolicy];
  };
  // Server-side apply creates; the API in memory does not.
  api.put(path, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'shop-kafka-warden' },
  });
  return { api, context, world, spec };
}

test('without the gate one pod at a time may go while all are ready', async () => {
  const { context, spec } = given();
  const { conditions } = await reconcileBudget(context);
  assert.deepEqual(spec(), [1, 'IfHealthyBudget']);
  assert.equal(conditions[0]?.message, 'One pod at a time may be evicted.');
});

test('with the gate it says what the gate would say of every pod, and why', async () => {
  const { context, spec } = given();
  const closed = { maxUnavailable: 0, why: 'A broker does not answer.' } as const;
  const { conditions } = await reconcileBudget(context, { budget: () => closed });
  assert.deepEqual(spec(), [0, 'AlwaysAllow']);
  assert.equal(conditions[0]?.message, 'No pod may be evicted now. A broker does not answer.');
  await reconcileBudget(context, { budget: () => ({ maxUnavailable: 1, why: 'All could go.' }) });
  assert.deepEqual(spec(), [1, 'AlwaysAllow']);
});

test('it covers brokers and controllers together', async () => {
  const { api, context } = given();
  await reconcileBudget(context);
  const { spec } = api.objects.get(path) as unknown as Budget;
  assert.deepEqual(spec?.selector, { matchLabels: { 'kafka-warden.io/node': 'shop' } });
});

test('when kafka-warden says farewell it is left open: nobody would open it again', () => {
  const gate = { budget: () => ({ maxUnavailable: 0, why: '' }) as const };
  assert.deepEqual(
    [ruleOf(gate, true).maxUnavailable, ruleOf(gate, true).unhealthyPodEvictionPolicy],
    [1, 'IfHealthyBudget'],
  );
});

test('a farewell is read off the KafkaCluster', async () => {
  const { context, world, spec } = given();
  Object.assign(world.kafkaCluster.metadata, { annotations: { [keys.farewell]: 'token' } });
  await reconcileBudget(context, { budget: () => ({ maxUnavailable: 0, why: '' }) });
  assert.deepEqual(spec(), [1, 'IfHealthyBudget']);
});

test('beside a budget of somebody else there is none of ours', async () => {
  const { context, world } = given();
  const foreign = {
    metadata: { name: 'own', uid: 'u' },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'kafka' } } },
  } as unknown as Budget;
  world.budgets.push(foreign);
  const { conditions } = await reconcileBudget(context);
  assert.deepEqual([conditions[0]?.status, conditions[0]?.reason], ['True', 'ForeignBudget']);
});

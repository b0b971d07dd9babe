import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../names.ts';
import { brokers, clusterSet, controllers, podOf } from '../test/sets.ts';
import { bootstrapAddress, bootstrapService } from './bootstrap.ts';
import { listenersOf } from './listeners.ts';

const node = { [keys.node]: 'shop' };
const broker = { [keys.broker]: 'shop' };
const selector = (...[sets, pods]: [ReturnType<typeof clusterSet>[], ReturnType<typeof podOf>[]]) =>
  bootstrapService(sets, pods, 'team')?.spec.selector;

test('clients begin at the pods that serve, once every such pod can be told from a controller', () => {
  assert.deepEqual(selector([brokers, controllers], [podOf(brokers), podOf(controllers)]), broker);
  assert.deepEqual(selector([brokers], []), broker);
  const earlier = clusterSet('old');
  assert.deepEqual(selector([brokers, earlier], [podOf(earlier, 0, node)]), node);
});

test('while a roll has not reached every pod, they are selected as before', () => {
  assert.deepEqual(selector([brokers], [podOf(brokers), podOf(brokers, 1, node)]), node);
});

test('only ports of sets that serve are there, each once; without such a set there is no Service', () => {
  const outer = clusterSet('outer', { role: 'broker', voters: 0, clientPort: 9094 });
  const service = bootstrapService([controllers, brokers, outer], [], 'team');
  assert.deepEqual(
    service?.spec.ports.map(({ name, port }) => [name, port]),
    [
      ['client', 9092],
      ['client-9094', 9094],
    ],
  );
  assert.equal(service?.metadata.ownerReferences.length, 3);
  assert.equal(
    bootstrapAddress([controllers, brokers, outer], 'team'),
    'shop-kafka-bootstrap.team.svc:9092,shop-kafka-bootstrap.team.svc:9094',
  );
  assert.equal(bootstrapService([controllers], [], 'team'), undefined);
});

test('listeners are told as the roles have them', () => {
  const names = (...sets: ReturnType<typeof clusterSet>[]) => listenersOf(sets).map(({ name }) => name);
  assert.deepEqual(names(controllers), ['CONTROLLER']);
  assert.deepEqual(names(brokers), ['CLIENT', 'INTERNAL']);
  assert.deepEqual(names(brokers, controllers), ['CLIENT', 'INTERNAL', 'CONTROLLER']);
  const external = [{ name: 'EXTERNAL', port: 9094, from: 'OUTSIDE' }];
  assert.deepEqual(names(clusterSet('zk', { role: 'zookeeper', external })), [
    'CLIENT',
    'EXTERNAL',
    'INTERNAL',
  ]);
});

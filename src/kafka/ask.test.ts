import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type API, alterUserScramCredentialsV0, apiVersionsV3, describeClusterV0 } from '@platformatic/kafka';
import type { Address } from './connections.ts';
import { type Route, askOf } from './ask.ts';
import { KafkaError } from './errors.ts';
import { modeOf, supported } from './versions.ts';

const call = alterUserScramCredentialsV0.api;
const refusal = () => new KafkaError('kafka-refused', 'It was refused', { reason: 'NOT_CONTROLLER' });

/** Three brokers of ZooKeeper mode; `controllers` says which is the controller at each look, and whether it knows. */
function brokers(controllers: { id: number; accepts: boolean }[]) {
  const asked: number[] = [];
  let look = 0;
  const route: Route = {
    addresses: () => [0, 1, 2].map((id) => ({ host: `kafka-${id}`, port: 9091 })),
    onFailure: () => undefined,
    call: (async (address: Address, api: { key: number }) =>
      answer(Number(address.host.slice(-1)), api)) as Route['call'],
  };
  const answer = (id: number, { key }: { key: number }): unknown => {
    const current = controllers[Math.min(look, controllers.length - 1)];
    if (key === apiVersionsV3.api.key) return { apiKeys: [{ apiKey: 60, maxVersion: 0 }] };
    if (key === describeClusterV0.api.key) {
      const places = [0, 1, 2].map((broker) => ({
        brokerId: broker,
        host: `kafka-${broker}`,
        port: 9091,
        rack: null,
      }));
      return { clusterId: 'c', controllerId: current?.id ?? -1, brokers: places };
    }
    asked.push(id);
    if (current?.id === id && current.accepts) return { results: [] };
    if (asked.length > 1) look += 1;
    throw refusal();
  };
  return { ask: askOf(route), asked };
}

void suite('calls that only the controller takes', () => {
  test('the first broker is asked, then the one that the cluster calls its controller', async () => {
    const { ask, asked } = brokers([{ id: 2, accepts: true }]);
    assert.deepEqual(await ask.controller(call, [], []), { results: [] });
    assert.deepEqual(asked, [0, 2]);
  });

  test('where the first broker takes the call nothing else is asked', async () => {
    const { ask, asked } = brokers([{ id: 0, accepts: true }]);
    await ask.controller(call, [], []);
    assert.deepEqual(asked, [0]);
  });

  test('a controller that has just moved is looked up again', async () => {
    const { ask, asked } = brokers([
      { id: 1, accepts: false },
      { id: 2, accepts: true },
    ]);
    await ask.controller(call, [], []);
    assert.deepEqual(asked, [0, 1, 2]);
  });

  test('without a controller the refusal is told', async () => {
    const { ask } = brokers([]);
    await assert.rejects(ask.controller(call, [], []), { reason: 'NOT_CONTROLLER' });
  });
});

test('of a call the newest version that the broker has is used', () => {
  const versions = [
    { key: 60, version: 1 },
    { key: 60, version: 0 },
  ] as API<[], unknown>[];
  assert.equal(supported({ newest: new Map([[60, 2]]) }, versions).version, 1);
  assert.equal(supported({ newest: new Map([[60, 0]]) }, versions).version, 0);
  assert.throws(() => supported({ newest: new Map() }, versions), { code: 'kafka-unsupported' });
});

test('a broker without the quorum’s calls is one of ZooKeeper mode', () => {
  assert.equal(modeOf(new Map([[55, 1]])), 'kraft');
  assert.equal(modeOf(new Map([[60, 0]])), 'zookeeper');
});

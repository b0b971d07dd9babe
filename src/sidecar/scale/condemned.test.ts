import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { BrokerFacts } from '../../kafka/index.ts';
import type { ClusterSet } from '../cluster-set.ts';
import type { Claim } from '../objects.ts';
import { brokers, clusterSet, controllers, member, podOf } from '../test/sets.ts';
import { type NodesSeen, condemnedOf, joinedOf, wantedBrokers } from './condemned.ts';

const pod = (set: ClusterSet, ordinal: number) => {
  const made = podOf(set, ordinal);
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: set.name, uid: set.object.metadata.uid };
  return { ...made, metadata: { ...made.metadata, ownerReferences: [owner] } };
};
const listed = (name: string, id: number, fenced = false): BrokerFacts => ({
  ...{ id, port: 9091, rack: undefined, fenced },
  host: `${name}.kafka.shop.svc`,
});
const claim = (name: string): Claim => ({ metadata: { name, uid: `uid-${name}` } });

const seen = (sets: readonly ClusterSet[], more: Partial<NodesSeen> = {}): NodesSeen => ({
  ...{ sets, pods: [], claims: [], listed: [], named: new Set<number>(), voters: [] },
  ...more,
});
const four = [0, 1, 2, 3].map((id) => listed(`kafka-${id}`, id));

suite('what a set no longer asks for', () => {
  test('is its pods beyond its replicas, with their brokers', () => {
    const [only, ...rest] = condemnedOf(
      seen([brokers], { pods: [0, 1, 2, 3].map((n) => pod(brokers, n)), listed: four }),
    );
    assert.deepEqual(rest, []);
    assert.deepEqual(only, {
      ...{ set: 'kafka', pod: 'kafka-3', ordinal: 3, votes: false, uid: 'uid-kafka-3', broker: 3 },
    });
  });

  test('is also a broker that a pod has left behind, as long as Kafka knows it', () => {
    const fenced = condemnedOf(
      seen([brokers], { listed: [...four.slice(0, 3), listed('kafka-3', 3, true)] }),
    );
    assert.deepEqual(fenced, [{ set: 'kafka', pod: 'kafka-3', ordinal: 3, votes: false, broker: 3 }]);
    const named = seen([brokers], { listed: four.slice(0, 3), named: new Set([0, 1, 2, 3]) });
    assert.deepEqual(condemnedOf(named), [], 'whose that was is not guessed');
    const claims = [claim('data-kafka-3')];
    assert.equal(condemnedOf({ ...named, claims })[0]?.broker, 3, 'its volume tells');
    assert.deepEqual(condemnedOf({ ...named, claims, named: new Set([0, 1, 2]) }), []);
  });

  test('is no pod of another owner, and no broker of another pod', () => {
    assert.deepEqual(condemnedOf(seen([brokers], { pods: [podOf(brokers, 3)] })), []);
    const other = clusterSet('more', { role: 'broker', voters: 0, idOffset: 3 }, 2);
    const [only] = condemnedOf(
      seen([brokers, other], { pods: [pod(brokers, 3)], listed: [listed('more-0', 3)] }),
    );
    assert.equal(only?.pod, 'kafka-3');
    assert.equal(only.broker, undefined, 'id 3 is the one of more-0');
    const away = seen([brokers, other], { pods: [pod(brokers, 3)], named: new Set([3]) });
    assert.equal(condemnedOf(away)[0]?.broker, undefined, 'and stays so while that one is away');
    const single = seen([member(0), member(1), member(2)], {
      listed: [0, 1, 2].map((id) => listed(`kafka-${id}-0`, id)),
      named: new Set([0, 1, 2]),
    });
    assert.deepEqual(condemnedOf(single), []);
  });

  test('counts from the first ordinal', () => {
    const shifted = { ...brokers, firstOrdinal: 2 };
    const found = condemnedOf(seen([shifted], { pods: [1, 2, 4, 5].map((n) => pod(shifted, n)) }));
    assert.deepEqual(
      found.map((one) => one.pod),
      ['kafka-1', 'kafka-5'],
    );
  });

  test('may be a voter, by its layout or by the quorum itself', () => {
    const combined = clusterSet('kafka', { voters: 3 }, 2);
    assert.equal(condemnedOf(seen([combined], { pods: [pod(combined, 2)] }))[0]?.votes, true);
    assert.equal(condemnedOf(seen([brokers], { pods: [pod(brokers, 3)], voters: [3] }))[0]?.votes, true);
    const beyond = condemnedOf(seen([controllers], { pods: [pod(controllers, 3)], listed: four }));
    assert.deepEqual([beyond[0]?.votes, beyond[0]?.broker], [false, undefined]);
  });
});

test('brokers that have joined are those of pods that are asked for, alive and registered', () => {
  const all = seen([brokers, controllers], {
    pods: [0, 1].map((n) => pod(brokers, n)),
    listed: [listed('kafka-0', 0), listed('kafka-1', 1, true), listed('kafka-2', 2)],
  });
  assert.deepEqual(joinedOf(all), [{ set: 'kafka', pod: 'kafka-0', broker: 0 }]);
  assert.deepEqual(wantedBrokers(all), [0, 1, 2]);
});

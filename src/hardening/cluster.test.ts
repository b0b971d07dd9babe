import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { harden, layoutOf, type Layout, type StatefulSet } from './index.ts';
import { kafka, type Parts } from './test/manifest.ts';

const namespace = 'demo';

function layout(parts: Parts): Layout {
  const { decision, workload, findings } = harden(kafka(parts), { namespace });
  assert.equal(decision, 'hardened', JSON.stringify(findings));
  const found = layoutOf(workload);
  assert.ok(found);
  return found;
}

const quorum = (set: string, first: number, count = 3) =>
  Array.from({ length: count }, (_, i) => `${first + i}@${set}-${i}.${set}.demo.svc:9093`).join(',');

describe('controllers and brokers in StatefulSets of their own', () => {
  const sides = (first: number) => {
    const voters = { KAFKA_CONTROLLER_QUORUM_VOTERS: quorum('quorum', first) };
    return {
      controllers: layout({ name: 'quorum', env: { KAFKA_PROCESS_ROLES: 'controller', ...voters } }),
      brokers: layout({ name: 'brokers', env: { KAFKA_PROCESS_ROLES: 'broker', ...voters } }),
    };
  };

  test('are one cluster, whichever is seen first', () => {
    const { controllers, brokers } = sides(1000);
    assert.equal(controllers.cluster, 'quorum');
    assert.equal(brokers.cluster, 'quorum');
    assert.equal(brokers.clusterId, controllers.clusterId);
    assert.deepEqual([controllers.role, brokers.role], ['controller', 'broker']);
    assert.deepEqual([controllers.voters, brokers.voters], [3, 0]);
    assert.deepEqual(brokers.voterIds, [1000, 1001, 1002]);
  });

  test('never have one id twice', () => {
    for (const [first, brokersFrom] of [
      [1000, 0],
      [0, 1000],
      [1, 1000],
      [100, 1000],
    ] as const) {
      const { controllers, brokers } = sides(first);
      assert.equal(controllers.idOffset, first);
      assert.equal(brokers.idOffset, brokersFrom);
    }
  });

  test('without ids of their own are numbered apart', () => {
    const labels = { 'kafka-warden.io/cluster': 'events' };
    const controllers = layout({ name: 'c', labels, env: { KAFKA_PROCESS_ROLES: 'controller' } });
    const brokers = layout({ name: 'b', labels, env: { KAFKA_PROCESS_ROLES: 'broker' } });
    assert.deepEqual([controllers.cluster, brokers.cluster], ['events', 'events']);
    assert.deepEqual([controllers.idOffset, brokers.idOffset], [1000, 0]);
  });

  test('keep ids that a shell gives in their own range', () => {
    const command = (expression: string) => [
      'bash',
      '-c',
      `export KAFKA_NODE_ID=${expression}; exec /etc/kafka/docker/run`,
    ];
    const brokers = (expression: string) =>
      layout({
        name: 'brokers',
        env: { KAFKA_PROCESS_ROLES: 'broker', KAFKA_CONTROLLER_QUORUM_VOTERS: quorum('quorum', 1) },
        container: {
          env: [
            { name: 'KAFKA_PROCESS_ROLES', value: 'broker' },
            { name: 'KAFKA_CONTROLLER_QUORUM_VOTERS', value: quorum('quorum', 1) },
          ],
          command: command(expression),
        },
      }).idOffset;
    assert.equal(brokers('$((${HOSTNAME##*-} + 100))'), 100);
    assert.equal(brokers('$((200 + ${HOSTNAME##*-}))'), 200);
    assert.equal(brokers('10${HOSTNAME##*-}'), 100);
  });
});

describe('the cluster of a set', () => {
  const named = (parts: Parts) => layout(parts).cluster;
  const one = (name: string, voters: string, id: string): Parts => ({
    name,
    env: { KAFKA_NODE_ID: id, KAFKA_CONTROLLER_QUORUM_VOTERS: voters },
    spec: { replicas: 1, serviceName: name },
  });

  test('is that of the first voter where every broker is a set of its own', () => {
    for (const voters of [
      '1@kafka-1-0.kafka-1.demo.svc:9093,2@kafka-2-0.kafka-2.demo.svc:9093',
      '1@kafka-1:9093,2@kafka-2:9093',
      '1@kafka-1.demo.svc.cluster.local:9093,2@kafka-2.demo.svc.cluster.local:9093',
    ]) {
      assert.deepEqual(
        [named(one('kafka-1', voters, '1')), named(one('kafka-2', voters, '2'))],
        ['kafka-1', 'kafka-1'],
      );
      const second = layout(one('kafka-2', voters, '2'));
      assert.deepEqual([second.voters, second.idOffset, second.voterIds], [1, 2, [1, 2]]);
      assert.equal(second.replicationFactor, 2);
    }
  });

  test('follows from ZooKeeper and its chroot, but not from one on the pod’s own host', () => {
    const zookeeper = (connect: string): StatefulSet =>
      kafka({ image: 'confluentinc/cp-kafka:7.9.0', env: { KAFKA_ZOOKEEPER_CONNECT: connect } });
    const of = (connect: string) => layoutOf(harden(zookeeper(connect), { namespace }).workload)?.cluster;
    assert.equal(of('zk-0.zk:2181,zk-1.zk:2181'), 'zk');
    assert.equal(of('zookeeper:2181/events/eu'), 'zookeeper-events-eu');
    assert.equal(of('localhost:2181'), 'kafka');
  });

  test('is its own where voters are its own pods, an example’s, or not there', () => {
    assert.equal(named({ env: { KAFKA_CONTROLLER_QUORUM_VOTERS: quorum('kafka', 0) } }), 'kafka');
    assert.equal(named({ env: { KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093' } }), 'kafka');
    assert.equal(named({}), 'kafka');
  });
});

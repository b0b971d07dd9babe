import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Parts } from '../../hardening/test/manifest.ts';
import type { JsonObject } from '../../hardening/tree.ts';
import { headless, set } from '../../lint/test/objects.ts';
import { planAdoption, type AdoptionPlan } from './plan.ts';
import type { Stage } from './stages.ts';

function planned(...values: JsonObject[]) {
  const subjects = values.map((value) => ({ value, namespace: 'shop' }));
  const [first] = subjects;
  assert.ok(first);
  return planAdoption(subjects, first);
}

function planFor(...values: JsonObject[]): AdoptionPlan {
  const result = planned(...values);
  assert.equal(result.kind, 'plan', JSON.stringify(result));
  return result.plan;
}

function reasonFor(...values: JsonObject[]): string {
  const result = planned(...values);
  assert.equal(result.kind, 'cannot');
  return result.why.map((w) => w.message).join('\n');
}

const env = {
  KAFKA_PROCESS_ROLES: 'broker,controller',
  KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
  KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://$(POD).kafka:9092',
  KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
  KAFKA_CONTROLLER_QUORUM_VOTERS: '0@kafka-0.kafka:9093,1@kafka-1.kafka:9093,2@kafka-2.kafka:9093',
};
const combined = (parts: Parts = {}) => set({ env, ...parts });
const zookeeper = {
  image: 'confluentinc/cp-kafka:7.9.0',
  env: { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181', KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://$(POD).kafka:9092' },
};

const stage = (plan: AdoptionPlan, number: number): Stage => {
  const found = plan.stages.find((s) => s.number === number);
  assert.ok(found);
  return found;
};
const to = (s: Stage, setting: string) => s.changes.find((c) => c.setting === setting)?.to;

suite('the plan of an adoption', () => {
  test('has seven stages, each with its reason, what clients do, how to check and how to go back', () => {
    const { stages, mode, sets } = planFor(combined(), headless());
    assert.equal(mode, 'kraft');
    assert.deepEqual(sets, [{ name: 'kafka', role: 'combined', pods: 3, ids: '0-2' }]);
    assert.deepEqual(
      stages.map((s) => s.number),
      [1, 2, 3, 4, 5, 6, 7],
    );
    for (const { why, clients, check, back } of stages)
      for (const text of [why, clients, back, ...check]) assert.ok(text.length > 5);
  });

  test('opens new listeners on free ports, and a second controller listener behind the first', () => {
    const first = stage(planFor(combined()), 1);
    assert.equal(
      to(first, 'listeners'),
      'PLAINTEXT://:9092,CONTROLLER://:9093,CLIENT://:9096,INTERNAL://:9091,QUORUM://:9095',
    );
    assert.equal(to(first, 'controller.listener.names'), 'CONTROLLER,QUORUM');
    assert.match(
      to(first, 'listener.security.protocol.map') ?? '',
      /CLIENT:SASL_SSL,INTERNAL:SSL,QUORUM:SSL$/,
    );
    assert.deepEqual(
      first.opens.map((o) => o.port),
      [9096, 9091, 9095],
    );
    assert.deepEqual(first.restarts, [{ set: 'kafka', pods: ['kafka-2', 'kafka-1', 'kafka-0'] }]);
  });

  test('moves the quorum before replication, and replication before the authorizer', () => {
    const plan = planFor(combined());
    assert.equal(to(stage(plan, 2), 'controller.listener.names'), 'QUORUM,CONTROLLER');
    assert.equal(
      to(stage(plan, 2), 'controller.quorum.voters'),
      '0@kafka-0.kafka:9095,1@kafka-1.kafka:9095,2@kafka-2.kafka:9095',
    );
    assert.equal(to(stage(plan, 3), 'inter.broker.listener.name'), 'INTERNAL');
    assert.match(to(stage(plan, 4), 'super.users') ?? '', /;User:ANONYMOUS$/);
    assert.deepEqual(stage(plan, 5).restarts, []);
    assert.doesNotMatch(to(stage(plan, 6), 'super.users') ?? '', /ANONYMOUS/);
    assert.deepEqual(
      stage(plan, 7).closes.map((c) => c.port),
      [9092, 9093],
    );
    assert.equal(to(stage(plan, 7), 'listeners'), 'CLIENT://:9096,INTERNAL://:9091,CONTROLLER://:9095');
  });

  test('finds other names and ports where those are taken', () => {
    const own = {
      ...env,
      KAFKA_LISTENERS: 'INTERNAL://:9091,CLIENT://:9096,CONTROLLER://:9095',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'INTERNAL',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'INTERNAL:PLAINTEXT,CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_ADVERTISED_LISTENERS: 'INTERNAL://$(POD).kafka:9091,CLIENT://$(POD).kafka:9096',
      KAFKA_CONTROLLER_QUORUM_VOTERS: env.KAFKA_CONTROLLER_QUORUM_VOTERS.replaceAll('9093', '9095'),
    };
    const { opens } = stage(planFor(combined({ env: own })), 1);
    const ports = opens.map((o) => o.port);
    assert.ok(
      ports.every((port) => ![9091, 9095, 9096].includes(port)),
      ports.join(),
    );
    assert.equal(new Set(ports).size, ports.length);
    assert.ok(opens.every((o) => !['INTERNAL', 'CLIENT', 'CONTROLLER'].includes(o.listener)));
  });

  test('takes all sets of the cluster, controllers first', () => {
    const voters = '0@controller-0.controller:9093';
    const controllers = set({
      name: 'controller',
      spec: { replicas: 1, serviceName: 'controller' },
      env: {
        KAFKA_PROCESS_ROLES: 'controller',
        KAFKA_NODE_ID: '0',
        KAFKA_LISTENERS: 'CONTROLLER://:9093',
        KAFKA_CONTROLLER_QUORUM_VOTERS: voters,
      },
    });
    const brokers = set({
      name: 'broker',
      env: {
        KAFKA_PROCESS_ROLES: 'broker',
        KAFKA_LISTENERS: 'PLAINTEXT://:9092',
        KAFKA_CONTROLLER_QUORUM_VOTERS: voters,
      },
    });
    const plan = planFor(brokers, controllers);
    assert.deepEqual(plan.sets.map((s) => s.name).toSorted(), ['broker', 'controller']);
    for (const number of [1, 2, 4, 6, 7])
      assert.equal(stage(plan, number).restarts[0]?.set, 'controller', `stage ${number}`);
    assert.deepEqual(
      stage(plan, 3).restarts.map((r) => r.set),
      ['broker'],
    );
    assert.match(reasonFor(brokers), /controllers of its cluster \(controller\) are not among these objects/);
  });

  test('in ZooKeeper mode leaves out the quorum, and says so', () => {
    const plan = planFor(set(zookeeper));
    assert.equal(plan.mode, 'zookeeper');
    assert.deepEqual(
      plan.stages.map((s) => s.number),
      [1, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(
      plan.skipped.map((s) => s.number),
      [2],
    );
    assert.match(to(stage(plan, 4), 'authorizer.class.name') ?? '', /AclAuthorizer$/);
    assert.ok(plan.stages.every((s) => s.changes.every((c) => !c.setting.startsWith('controller.'))));
  });

  test('is not made where a set cannot be adopted, with the reason', () => {
    assert.match(reasonFor(combined({ claim: false })), /ephemeral storage/);
    assert.match(
      reasonFor(combined({ env: { ...env, KAFKA_SSL_KEYSTORE_FILENAME: 'k.jks' } })),
      /TLS, SASL or an authorizer of its own/,
    );
    assert.match(reasonFor(set({ image: 'debezium/kafka:2.7' })), /Debezium/);
    assert.match(reasonFor(set({ image: 'nginx:1' })), /no Kafka broker/);
    const hardened = combined({ annotations: { 'kafka-warden.io/profile': 'apache-kafka/2' } });
    assert.match(reasonFor(hardened), /hardened already/);
  });

  test('does not heed a mode that only concerns admission', () => {
    assert.equal(planFor(combined({ annotations: { 'kafka-warden.io/mode': 'audit' } })).stages.length, 7);
  });
});

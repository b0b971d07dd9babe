import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inMode } from './cluster-set.ts';
import { brokers, clusterSet, controllers, member } from './test/sets.ts';
import { agreementFinding, collidingIds, intruders, quorumPlan, replicationOf, votes } from './topology.ts';

const agreement = (...sets: ReturnType<typeof clusterSet>[]) => agreementFinding(sets, 'shop', 'team');

test('controllers of a set of their own are the quorum, by their pods’ names and their port', () => {
  const { voters, missing } = quorumPlan([brokers, controllers], 'team');
  assert.deepEqual(missing, []);
  assert.deepEqual(
    voters.map(({ id, address }) => [id, address]),
    [
      [1000, 'ctl-0.ctl.team.svc:9093'],
      [1001, 'ctl-1.ctl.team.svc:9093'],
      [1002, 'ctl-2.ctl.team.svc:9093'],
    ],
  );
});

test('sets of one broker each make up one quorum; what is still missing is known by its ids', () => {
  assert.deepEqual(quorumPlan([member(0), member(2)], 'team').missing, [1]);
  const { voters } = quorumPlan([member(2), member(0), member(1)], 'team');
  assert.deepEqual(
    voters.map(({ id, set }) => [id, set.name]),
    [
      [0, 'kafka-0'],
      [1, 'kafka-1'],
      [2, 'kafka-2'],
    ],
  );
});

test('pods beyond the voters and brokers alone do not vote', () => {
  const combined = clusterSet('kafka', { voters: 3 }, 5);
  assert.deepEqual(
    [0, 2, 3, 4].map((ordinal) => votes(combined, `kafka-${ordinal}`)),
    [true, true, false, false],
  );
  assert.equal(votes(brokers, 'kafka-0'), false);
  assert.equal(votes(clusterSet('zk', { role: 'zookeeper' }), 'zk-0'), false);
});

test('replication follows from the brokers of all sets; controllers count for nothing', () => {
  const three = { replicationFactor: 3, minInsyncReplicas: 2 };
  assert.deepEqual(replicationOf([controllers, brokers]), three);
  assert.deepEqual(replicationOf([member(0), member(1), member(2)]), three);
  assert.deepEqual(replicationOf([member(0), member(1)]), { replicationFactor: 2, minInsyncReplicas: 1 });
  assert.equal(replicationOf([controllers]), undefined);
});

test('a set alone keeps what it was laid out for, whatever its replicas are now', () => {
  const one = clusterSet('kafka', { replicationFactor: 3, minInsyncReplicas: 2 }, 2);
  assert.deepEqual(replicationOf([one]), { replicationFactor: 3, minInsyncReplicas: 2 });
});

test('pods of different sets with one node id are told, with the remedy', () => {
  const more = clusterSet('more', { role: 'broker', voters: 0 }, 2);
  assert.deepEqual(collidingIds([brokers, more]), [
    { id: 0, pods: ['kafka-0', 'more-0'] },
    { id: 1, pods: ['kafka-1', 'more-1'] },
  ]);
  const finding = agreement(controllers, brokers, more);
  assert.equal(finding.reason, 'NodeIdsCollide');
  assert.match(finding.message, /0 \(kafka-0, more-0\).*kafka-warden\.io\/id-offset/);
});

test('of two sets that collide the younger is the intruder; one that fits in is none', () => {
  const later = (set: ReturnType<typeof clusterSet>) => {
    const metadata = { ...set.object.metadata, creationTimestamp: '2026-06-02T00:00:00Z' };
    return { ...set, object: { ...set.object, metadata } };
  };
  const twin = later(clusterSet('a-twin', { role: 'broker', voters: 0 }, 1));
  const fits = later(clusterSet('fits', { role: 'broker', voters: 0, idOffset: 3 }, 1));
  assert.deepEqual([...intruders([twin, fits, brokers, controllers])], ['a-twin']);
});

test('brokers without controllers, and voters that nobody provides, are told', () => {
  assert.equal(agreement(brokers).reason, 'VotersMissing');
  assert.match(agreement(brokers).message, /1000, 1001, 1002/);
  assert.equal(agreement(clusterSet('kafka', { role: 'broker', voters: 0 })).reason, 'VotersMissing');
  assert.equal(agreement(member(0), member(1)).reason, 'VotersMissing');
});

test('two sets that are a quorum each do not make one cluster', () => {
  const finding = agreement(clusterSet('one'), clusterSet('two', { idOffset: 100 }));
  assert.equal(finding.reason, 'SeveralQuorums');
});

test('sets of an unseen role are no rivals until the running cluster shows what they are', () => {
  const sets = [clusterSet('one', { role: 'unseen' }), clusterSet('two', { role: 'unseen', idOffset: 100 })];
  assert.equal(agreement(...sets).reason, 'Consistent');
  assert.equal(agreement(...inMode(sets, 'zookeeper')).reason, 'Consistent');
  assert.equal(agreement(...inMode(sets, 'kraft')).reason, 'SeveralQuorums');
  assert.deepEqual(inMode(sets, undefined), sets);
});

test('sets that fit together are consistent, one alone too', () => {
  const zookeeper = clusterSet('zk', { role: 'zookeeper', voters: 0 });
  for (const sets of [
    [brokers, controllers],
    [member(0), member(1), member(2)],
    [clusterSet('kafka')],
    [zookeeper],
  ])
    assert.equal(agreement(...sets).reason, 'Consistent');
});

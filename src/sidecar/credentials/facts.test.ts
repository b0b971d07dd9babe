import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ClusterSet } from '../cluster-set.ts';
import { type Secret, base64 } from '../objects.ts';
import { brokers, clusterSet, controllers, member } from '../test/sets.ts';
import {
  type ClusterFacts,
  decideFacts,
  factsAnnotation,
  factsEdited,
  factsEntry,
  factsRecord,
  factsText,
  recordedFacts,
} from './facts.ts';

const createdMs = Date.parse('2026-06-01T00:00:00Z');
const decide = (sets: ClusterSet[], recorded: ClusterFacts[] = [], nowMs = createdMs + 60_000) =>
  decideFacts(sets, { namespace: 'team', recorded, nowMs });
const told = (...sets: ClusterSet[]) => decide(sets).facts ?? {};
const voters = [0, 1, 2].map((i) => `100${i}@ctl-${i}.ctl.team.svc:9093`).join(',');

test('a set that is the whole cluster is told nothing', () => {
  assert.deepEqual(decide([clusterSet('kafka')]), { facts: undefined });
  assert.deepEqual(decide([clusterSet('kafka', { role: 'zookeeper', voters: 0 })]), { facts: undefined });
});

test('brokers and controllers are told the same, with the cluster id of the quorum', () => {
  const facts = told(brokers, controllers);
  assert.deepEqual(facts, { clusterId: 'id-ctl', voters, replicationFactor: 3, minInsyncReplicas: 2 });
  assert.equal(
    factsText(facts),
    `cluster.id=id-ctl\nvoters=${voters}\nreplication.factor=3\nmin.insync.replicas=2\n`,
  );
});

test('voters are told once all that a set names are there', () => {
  assert.equal(told(brokers).voters, undefined);
  assert.equal(told(member(0), member(2)).voters, undefined);
  assert.match(told(member(0), member(1), member(2)).voters ?? '', /^0@kafka-0-0\..*,2@kafka-2-0\./);
  assert.equal(told(controllers).replicationFactor, undefined);
});

test('voters are not told while ids collide or two sets are quorums of their own', () => {
  assert.equal(
    told(controllers, brokers, clusterSet('more', { role: 'broker', voters: 0 })).voters,
    undefined,
  );
  assert.equal(told(clusterSet('one'), clusterSet('two', { idOffset: 100 })).voters, undefined);
});

test('the first facts wait three seconds for further sets, later ones do not', () => {
  const early = decide([brokers, controllers], [], createdMs + 1_000);
  assert.equal(early.facts?.voters, undefined);
  assert.equal(early.againInMs, 2_000);
  const again = decide([brokers, controllers], [told(brokers, controllers)], createdMs + 1_000);
  assert.equal(again.facts?.voters, voters);
  const skewed = decide([brokers, controllers], [], createdMs - 3_600_000);
  assert.equal(skewed.facts?.voters, voters);
});

test('what was told stays while a set is made anew', () => {
  const all = [member(0), member(1), member(2)];
  const before = decide(all).facts ?? {};
  for (const gone of [0, 1, 2]) assert.deepEqual(decide(all.toSpliced(gone, 1), [before]).facts, before);
  const ofBoth = told(brokers, controllers);
  assert.deepEqual(decide([brokers], [ofBoth]).facts, ofBoth);
});

test('facts do not depend on the order of sets, and are told again as they are', () => {
  const set = fc.constantFrom(
    brokers,
    controllers,
    member(3),
    clusterSet('more', { role: 'broker', voters: 0, idOffset: 50 }, 2),
  );
  fc.assert(
    fc.property(fc.uniqueArray(set, { minLength: 1 }), (sets) => {
      const first = decide(sets).facts;
      const again = decide(sets.toReversed(), first === undefined ? [] : [first, first]).facts;
      assert.equal(again?.voters, first?.voters);
      assert.equal(again?.replicationFactor, first?.replicationFactor);
      assert.equal(again?.minInsyncReplicas, first?.minInsyncReplicas);
    }),
  );
});

test('replication grows with the brokers and never becomes less', () => {
  const broker = (idOffset: number) =>
    clusterSet(
      `kafka-${idOffset}`,
      { role: 'broker', voters: 0, idOffset, replicationFactor: 1, minInsyncReplicas: 1 },
      1,
    );
  const [zero, one, two] = [0, 1, 2].map(broker) as [ClusterSet, ClusterSet, ClusterSet];
  const first = told(controllers, zero);
  assert.equal(first.replicationFactor, 1);
  const second = decide([controllers, zero, one], [first]).facts ?? {};
  assert.equal(second.replicationFactor, 2);
  const third = decide([controllers, zero, one, two], [second]).facts ?? {};
  assert.equal(third.minInsyncReplicas, 2);
  assert.equal(decide([controllers, zero], [third]).facts?.minInsyncReplicas, 2);
});

const secret = (set: ClusterSet, facts: ClusterFacts, text = factsText(facts)): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { annotations: { [factsAnnotation]: factsRecord(set, facts) } },
  data: { [factsEntry]: base64(text) },
});

test('facts are read back for the StatefulSet that they were told to, not for a later one of its name', () => {
  const facts = told(brokers, controllers);
  const stored = secret(brokers, facts);
  assert.deepEqual(recordedFacts(brokers, stored), facts);
  const { object } = brokers;
  const later = { ...brokers, object: { ...object, metadata: { ...object.metadata, uid: 'later' } } };
  assert.equal(recordedFacts(later, stored), undefined);
  assert.equal(
    recordedFacts(brokers, { ...stored, metadata: { annotations: { [factsAnnotation]: '{' } } }),
    undefined,
  );
});

test('an entry that was edited is known', () => {
  const facts = told(brokers, controllers);
  assert.equal(factsEdited(secret(brokers, facts), facts), false);
  assert.equal(factsEdited(secret(brokers, facts, 'voters=1@elsewhere:9093\n'), facts), true);
  assert.equal(factsEdited(undefined, undefined), false);
});

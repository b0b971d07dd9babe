import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StatefulSet } from '../hardening/model.ts';
import { keys, maxPods } from '../names.ts';
import { illegalScale } from './scale-limits.ts';
import { hardened, vanilla } from './test/sets.ts';

function withLayout(set: StatefulSet, more: object, annotations: object = {}): StatefulSet {
  const layout = JSON.parse(set.metadata?.annotations?.[keys.layout] ?? '') as object;
  const all = {
    ...set.metadata?.annotations,
    ...annotations,
    [keys.layout]: JSON.stringify({ ...layout, ...more }),
  };
  return { ...set, metadata: { ...set.metadata, annotations: all } };
}

const confirmed = (to: number) => ({ [keys.confirmScale]: String(to) });
const kafka = hardened('kafka');
const brokers = withLayout(hardened('brokers'), {
  role: 'broker',
  voters: 0,
  voterIds: [1000],
  cluster: 'c',
});
const controllers = withLayout(hardened('controllers'), { role: 'controller', voters: 3, cluster: 'c' });
const scale = (set: StatefulSet, from: number, to: number, sets: StatefulSet[] = [set]) =>
  illegalScale({ set, from, to, sets });

test('a set grows up to what one Secret holds', () => {
  assert.equal(scale(kafka, 3, 4), undefined);
  assert.equal(scale(kafka, 3, maxPods), undefined);
  assert.match(scale(kafka, 3, maxPods + 1) ?? '', /do not fit into the set's Secret\. Put further brokers/);
  assert.equal(scale(kafka, maxPods + 4, maxPods + 2), undefined, 'one that is too large may shrink');
});

test('no voter of a static quorum is taken away, whatever is confirmed', () => {
  assert.equal(scale(kafka, 4, 3), undefined);
  assert.match(scale(kafka, 3, 2) ?? '', /its first 3 pods are voters.* Keep at least 3 replicas$/);
  assert.match(scale(withLayout(kafka, {}, confirmed(2)), 3, 2) ?? '', /voters/);
  assert.match(scale(controllers, 3, 2) ?? '', /voters/);
});

test('a set goes to zero only where that number is confirmed', () => {
  assert.match(scale(kafka, 3, 0) ?? '', /annotate the StatefulSet kafka-warden\.io\/confirm-scale=0 first/);
  assert.equal(scale(withLayout(kafka, {}, confirmed(0)), 3, 0), undefined);
  assert.match(scale(withLayout(kafka, {}, confirmed(1)), 3, 0) ?? '', /stops every pod/);
  assert.equal(scale(kafka, 0, 3), undefined);
});

test('as many brokers stay as replicas are asked for, counted over the whole cluster', () => {
  assert.match(scale(brokers, 3, 2) ?? '', /2 brokers would be left for topics of replication factor 3/);
  assert.equal(scale(withLayout(brokers, {}, confirmed(2)), 3, 2), undefined);
  const more = withLayout(hardened('more'), { role: 'broker', voters: 0, voterIds: [1000], cluster: 'c' });
  assert.equal(scale(brokers, 3, 2, [brokers, more, controllers]), undefined);
  assert.match(scale(brokers, 3, 2, [brokers, controllers]) ?? '', /would be left/);
  assert.match(scale(brokers, 3, 2, [brokers, hardened('other')]) ?? '', /would be left/);
});

test('below the replicas of topics that there are nothing is confirmed: they could move nowhere', () => {
  const largest = (replicas: number) => () => ({ replicas, topics: ['orders', 'payments'] });
  const down = (set: StatefulSet, replicas: number, to = 2) =>
    illegalScale({ set, from: 5, to, sets: [set], largest: largest(replicas) });
  assert.match(
    down(withLayout(brokers, {}, confirmed(2)), 3) ?? '',
    /^2 brokers would be left, and orders, payments have 3 replicas, of which some could move nowhere\. Keep 3, or lower/,
  );
  assert.match(down(brokers, 4, 3) ?? '', /have 4 replicas/, 'whatever new topics would get');
  assert.match(down(brokers, 1) ?? '', /could not be created any more.*confirm-scale=2 first$/);
  assert.equal(down(withLayout(brokers, {}, confirmed(2)), 1), undefined);
  assert.equal(down(brokers, 3, 3), undefined);
  assert.equal(
    down(withLayout(brokers, {}, confirmed(0)), 3, 0),
    undefined,
    'a confirmed stop moves nothing',
  );
});

test('controllers are not added to a static quorum', () => {
  assert.match(
    scale(controllers, 3, 4) ?? '',
    /its 3 controllers are the voters.* Keep 3; brokers are added/,
  );
  assert.equal(scale(controllers, 0, 3), undefined);
  assert.equal(scale(controllers, 5, 4), undefined, 'and those that never started may go');
});

test('where the configuration cannot be seen, no quorum is guessed', () => {
  const unseen = withLayout(kafka, { role: 'unseen', replicationFactor: 2, minInsyncReplicas: 1 });
  assert.equal(scale(unseen, 3, 2), undefined);
});

test('sets that are not hardened, and numbers that stay, are nobody’s business', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), (from, to) => {
      assert.equal(scale(vanilla('db'), from, to), undefined);
      assert.equal(scale(kafka, from, from), undefined);
    }),
  );
});

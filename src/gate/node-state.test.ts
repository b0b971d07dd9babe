import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Evidence, PodFacts } from './evidence.ts';
import { servingOf, syncOf } from './node-state.ts';
import { prepare } from './prepared.ts';
import { evidenceOf, nowMs, partition, pod, three } from './test/cluster.ts';

const healthy = evidenceOf(three);
const controller: PodFacts = { ...pod(1), broker: false };
const behind = (id: number): Evidence => {
  const voters = healthy.quorum!.voters.map((voter) =>
    voter.id === id ? { ...voter, lastFetchMs: 0 } : voter,
  );
  return { ...healthy, quorum: { ...healthy.quorum!, voters } };
};
const fencedBy = (count: number, evidence = healthy): Evidence => ({
  ...evidence,
  views: evidence.views
    .filter(({ broker }) => broker !== 1)
    .map((view, i) => (i < count ? { ...view, fencedSinceMs: new Map([[1, nowMs]]) } : view)),
});

suite('a pod serves', () => {
  const serving = (evidence: Evidence, facts = pod(1), runs = true) =>
    servingOf(prepare(evidence), facts, runs);
  test('nobody while its container does not run', () => assert.equal(serving(healthy, pod(1), false), 'no'));
  test('as a broker unless two others show it fenced', () => {
    const only = { ...pod(1), controller: false };
    assert.equal(serving(healthy, only), 'yes');
    assert.equal(serving(fencedBy(1), only), 'unknown');
    assert.equal(serving(fencedBy(2), only), 'no');
    assert.equal(serving({ ...healthy, views: [] }, only), 'unknown');
  });
  test('as a voter while the quorum hears of it, also where its broker is fenced', () => {
    assert.equal(serving(fencedBy(2)), 'yes');
    assert.equal(serving(fencedBy(2, behind(1))), 'no');
    assert.equal(serving(behind(1), controller), 'no');
  });
});

suite('a node is back', () => {
  const sync = (evidence: Evidence, facts = pod(1)) => syncOf(prepare(evidence), facts);
  test('when all its replicas are in sync and it leads where it is preferred', () =>
    assert.deepEqual(sync(healthy), { readAtMs: nowMs - 900, inSync: true, leadersBack: true }));
  test('not while a replica is out of sync; what is left to copy is told', () => {
    const partitions = [partition('orders', 0, [0, 1, 2], [0, 2])];
    const found = sync(evidenceOf({ ...three, partitions }, { catchingUp: [{ broker: 1, bytesLeft: 7 }] }));
    assert.deepEqual([found?.inSync, found?.bytesLeft], [false, 7]);
  });
  test('without its leaders while another leads what it should', () => {
    const partitions = [{ ...partition('orders', 0, [1, 0, 2]), leader: 0 }];
    assert.equal(sync(evidenceOf({ ...three, partitions }))?.leadersBack, false);
  });
  test('as a controller when the quorum has it caught up', () => {
    assert.equal(sync(healthy, controller)?.inSync, true);
    assert.equal(sync(behind(1), controller)?.inSync, false);
    assert.equal(sync(behind(1))?.inSync, false);
  });
  test('by nothing less than two views', () =>
    assert.equal(sync({ ...healthy, views: healthy.views.slice(0, 1) }), undefined));
});

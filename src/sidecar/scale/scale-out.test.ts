import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { emptyRecord } from '../../gate/record.ts';
import type { ScaleSeen } from './model.ts';
import { nextScaleOut } from './scale-out.ts';
import { rebalance } from './test/sim.ts';

const ids = (count: number) => Array.from({ length: count }, (_, id) => id);

/** Brokers 0 to 2 with data, and as many more without. */
const seen = (brokers: number, more: Partial<ScaleSeen> = {}): ScaleSeen => ({
  ...{ nowMs: 0, by: 'sidecar-1', condemned: [], rebalances: [], taken: [] },
  sets: [{ name: 'kafka', uid: 'uid', replicas: brokers, serves: true, votes: true }],
  joined: ids(brokers).map((broker) => ({ set: 'kafka', pod: `kafka-${broker}`, broker })),
  record: { known: true, record: emptyRecord },
  kafka: {
    ...{ agreed: true, mode: 'kraft', serving: new Set(ids(brokers)) },
    replicas: new Map([0, 1, 2].map((id) => [id, 10])),
    most: { replicas: 3, topics: ['orders'] },
  },
  wanted: ids(brokers),
  ...more,
});

const share = (phase: string, brokers: readonly number[]) =>
  rebalance('kafka-scale-out', { mode: 'add-brokers', brokers }, { phase } as { phase: 'Proposed' });
const act = (one: ScaleSeen) => nextScaleOut(one).action;

suite('scaling out', () => {
  test('a broker that has joined and is empty is proposed a share', () => {
    assert.deepEqual(act(seen(4)), {
      ...{ do: 'create', name: 'kafka-scale-out', set: 'kafka', mode: 'add-brokers', brokers: [3] },
    });
    assert.equal(act(seen(3)).do, 'nothing');
  });

  test('a young cluster with hardly any topics is left in peace', () => {
    const kafka = { ...seen(3).kafka!, replicas: new Map([[0, 1]]) };
    assert.equal(act(seen(3, { kafka })).do, 'nothing');
  });

  test('the event says that it waits for approval, and how to give or decline it', () => {
    const { action, told } = nextScaleOut(seen(4, { rebalances: [share('Proposed', [3])] }));
    assert.equal(action.do, 'nothing');
    assert.match(told[0]?.event?.message ?? '', /rebalance approve kafka-scale-out \(or: rebalance stop/);
  });

  test('it is proposed again when another one joins, and never once it is approved', () => {
    const again = act(seen(5, { rebalances: [share('Proposed', [3])] }));
    assert.ok(again.do === 'redirect');
    assert.deepEqual(again.brokers, [3, 4]);
    for (const phase of ['Approved', 'Executing', 'Stopping'])
      assert.equal(act(seen(5, { rebalances: [share(phase, [3])] })).do, 'nothing', phase);
    assert.equal(act(seen(5, { rebalances: [share('Done', [3])] })).do, 'remove', 'the first has its share');
  });

  test('declined, it is not proposed again', () => {
    assert.equal(act(seen(4, { rebalances: [share('Stopped', [3])] })).do, 'nothing');
  });

  test('scaled back, a proposal goes, and what is approved is stopped', () => {
    assert.equal(act(seen(3, { rebalances: [share('Proposed', [3])] })).do, 'remove');
    assert.equal(act(seen(3, { rebalances: [share('Approved', [3])] })).do, 'remove');
    assert.equal(act(seen(3, { rebalances: [share('Executing', [3])] })).do, 'stop');
    // A broker that Kafka does not list for a moment has the id that the layout would give it.
    const unlisted = { ...seen(3, { rebalances: [share('Executing', [3])] }), joined: seen(2).joined };
    assert.equal(act(unlisted).do, 'nothing');
    const going = { set: 'kafka', pod: 'kafka-3', ordinal: 3, votes: false, uid: 'u', broker: 3 };
    assert.equal(act({ ...unlisted, condemned: [going] }).do, 'stop');
    assert.equal(act(seen(3, { rebalances: [share('Done', [3])] })).do, 'remove');
    const partly = act(seen(4, { rebalances: [share('Proposed', [3, 4])] }));
    assert.ok(partly.do === 'redirect');
    assert.deepEqual(partly.brokers, [3]);
  });

  test('nobody is filled while somebody is emptied', () => {
    const condemned = [{ set: 'other', pod: 'other-1', ordinal: 1, votes: false, uid: 'u', broker: 11 }];
    assert.equal(act(seen(4, { condemned })).do, 'nothing');
  });
});

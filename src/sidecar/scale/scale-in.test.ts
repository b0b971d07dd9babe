import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type DisruptionRecord, emptyRecord, take } from '../../gate/record.ts';
import { keys } from '../../names.ts';
import type { Condemned, KafkaSeen, ScaleSeen, SetSeen } from './model.ts';
import { nextScaleIn } from './scale-in.ts';
import { rebalance } from './test/sim.ts';

const kafka = (more: Partial<KafkaSeen> = {}): KafkaSeen => ({
  ...{ agreed: true, mode: 'kraft' },
  replicas: new Map([0, 1, 2, 3].map((id) => [id, 10])),
  serving: new Set([0, 1, 2, 3]),
  most: { replicas: 3, topics: ['orders'] },
  ...more,
});

const brokers: SetSeen = { name: 'kafka', uid: 'uid', replicas: 3, serves: true, votes: true };

const condemned = (ordinal: number, more: Partial<Condemned> = {}): Condemned => ({
  ...{ set: 'kafka', pod: `kafka-${ordinal}`, ordinal, uid: `uid-${ordinal}`, votes: false, broker: ordinal },
  ...more,
});

const seen = (more: Partial<ScaleSeen> = {}): ScaleSeen => ({
  ...{ nowMs: 1_000_000, by: 'sidecar-1', sets: [brokers], condemned: [condemned(3)], joined: [] },
  ...{
    record: { known: true, record: emptyRecord },
    kafka: kafka(),
    rebalances: [],
    wanted: [0, 1, 2],
    taken: [],
  },
  ...more,
});

const empty = kafka({ replicas: new Map([0, 1, 2].map((id) => [id, 10])) });
const moving = (status: object, annotations: Record<string, string> = {}) => {
  const made = rebalance('kafka-scale-in', { mode: 'remove-brokers', brokers: [3] }, status);
  return { ...made, metadata: { ...made.metadata, annotations } };
};
const reasons = (one: ScaleSeen) => nextScaleIn(one).told.map(({ reason }) => reason);
const act = (one: ScaleSeen) => nextScaleIn(one).action;

suite('scaling in', () => {
  test('a pod that holds replicas has them moved away first, and the event says how to cancel', () => {
    const { action, told } = nextScaleIn(seen());
    assert.deepEqual(action, {
      ...{ do: 'create', name: 'kafka-scale-in', set: 'kafka', mode: 'remove-brokers', brokers: [3] },
    });
    assert.match(told[0]?.event?.message ?? '', /see KafkaRebalance kafka-scale-in\. To cancel, scale/);
  });

  test('while replicas move nothing else is done, and the condition tells how far that is', () => {
    const { action, told } = nextScaleIn(
      seen({ rebalances: [moving({ phase: 'Executing', message: '1 of 2 GiB moved' })] }),
    );
    assert.equal(action.do, 'nothing');
    assert.match(told[0]?.message ?? '', /kafka-scale-in is Executing: 1 of 2 GiB moved/);
  });

  test('then the lease is taken, for the highest ordinal, as soon as nobody else holds it', () => {
    const done = seen({
      ...{ kafka: empty, rebalances: [moving({ phase: 'Done' })], condemned: [condemned(3), condemned(4)] },
    });
    const action = act(done);
    assert.ok(action.do === 'write' && action.write.to === 'take');
    assert.equal(action.write.condemned.pod, 'kafka-4');
    const held = take(emptyRecord, { id: 'monday', by: 'x' }, { kind: 'rebalance' }, 1);
    assert.ok(held.ok);
    const waits = nextScaleIn({ ...done, record: { known: true, record: held.record } });
    assert.equal(waits.action.do, 'nothing');
    assert.match(waits.told[0]?.message ?? '', /wait for the rebalance monday to end/);
  });

  test('a pod that never registered, or a controller without a vote, is let go at once', () => {
    for (const mode of ['kraft', 'zookeeper'] as const) {
      const { broker: _broker, ...never } = condemned(3);
      const action = act(seen({ kafka: kafka({ mode }), condemned: [never] }));
      assert.ok(action.do === 'write' && action.write.to === 'take', mode);
    }
  });

  test('nothing goes on what one broker says', () => {
    const alone = seen({ kafka: kafka({ ...empty, agreed: false }) });
    assert.equal(act(alone).do, 'nothing');
    const { kafka: _kafka, ...blind } = seen();
    assert.deepEqual(reasons(blind), ['Waiting']);
  });

  test('more replicas than brokers would be left: said, with the topics and the way on', () => {
    const { action, told } = nextScaleIn(
      seen({ kafka: kafka({ most: { replicas: 4, topics: ['audit', 'orders'] } }) }),
    );
    assert.equal(action.do, 'nothing');
    assert.match(
      told[0]?.message ?? '',
      /^audit, orders have 4 replicas and 3 brokers would be left\. Scale .* back/,
    );
    assert.equal(told[0]?.event?.type, 'Warning');
  });

  test('a voter stays, whatever it took to scale it away', () => {
    const voter = nextScaleIn(
      seen({
        kafka: empty,
        sets: [{ ...brokers, replicas: 2 }],
        condemned: [condemned(2, { votes: true }), condemned(3)],
      }),
    );
    assert.equal(voter.action.do, 'nothing');
    assert.match(voter.told[0]?.message ?? '', /^kafka-2 stay.* with it as a voter/);
    assert.equal(voter.told[0]?.reason, 'VotersStay');
  });

  test('to zero every pod goes, once that is confirmed, with nothing moved', () => {
    const zero = { ...brokers, replicas: 0 };
    const pods = [0, 1, 2].map((ordinal) => condemned(ordinal, { votes: true }));
    const stop = seen({ sets: [zero], condemned: pods, wanted: [] });
    assert.deepEqual(reasons(stop), ['NotConfirmed']);
    assert.equal(act(stop).do, 'nothing');
    const action = act({ ...stop, sets: [{ ...zero, confirmed: '0' }] });
    assert.equal(action.do, 'let-go');
    assert.equal(act({ ...stop, sets: [{ ...zero, confirmed: '2' }] }).do, 'nothing');
  });

  test('a set of brokers goes to zero by moving, while another set is there to take what it has', () => {
    const pool: SetSeen = {
      name: 'kafka',
      uid: 'uid',
      replicas: 0,
      serves: true,
      votes: false,
      confirmed: '0',
    };
    const other: SetSeen = { name: 'other', uid: 'uid-2', replicas: 3, serves: true, votes: false };
    const one = seen({ sets: [pool, other], condemned: [condemned(0)], wanted: [10, 11, 12] });
    assert.equal(act(one).do, 'create');
  });

  test('a failed or declined balancing deletes nothing, and says what to do', () => {
    for (const phase of ['Failed', 'Stopped'] as const) {
      const { action, told } = nextScaleIn(seen({ rebalances: [moving({ phase, message: 'disk full' })] }));
      assert.equal(action.do, 'nothing');
      assert.match(
        told[0]?.message ?? '',
        new RegExp(`is ${phase} \\(disk full\\).*Delete it for another try`),
      );
    }
  });

  test('what came meanwhile is moved as well; what can go nowhere is tried again in a minute', () => {
    assert.equal(act(seen({ rebalances: [moving({ phase: 'Done', reason: 'Executed' })] })).do, 'remove');
    const condition = (ms: number) => ({
      ...{ type: 'Done', status: 'True', reason: 'NothingToDo', message: '' },
      lastTransitionTime: new Date(1_000_000 - ms).toISOString(),
    });
    const nowhere = (ms: number) =>
      seen({ rebalances: [moving({ phase: 'Done', reason: 'NothingToDo', conditions: [condition(ms)] })] });
    assert.deepEqual([act(nowhere(10_000)).do, reasons(nowhere(10_000))], ['nothing', ['LeftBehind']]);
    assert.equal(act(nowhere(70_000)).do, 'remove');
  });

  test('scaled back up, what moves is stopped, and removed when it has been taken back', () => {
    const back = (status: object, annotations = {}) =>
      act(seen({ condemned: [], wanted: [0, 1, 2, 3], rebalances: [moving(status, annotations)] })).do;
    assert.equal(back({ phase: 'Proposed' }), 'remove');
    assert.equal(back({ phase: 'Executing' }), 'stop');
    assert.equal(back({ phase: 'Stopping' }, { [keys.cancelled]: 'true' }), 'nothing');
    assert.equal(back({ phase: 'Stopped' }, { [keys.cancelled]: 'true' }), 'remove');
  });

  test('another KafkaRebalance of that name is not touched', () => {
    const named = nextScaleIn(seen({ taken: ['kafka-scale-in'] }));
    assert.deepEqual([named.action.do, named.told[0]?.reason], ['nothing', 'NameTaken']);
  });

  test('a record that cannot be read lets nothing go', () => {
    const damaged = seen({ kafka: empty, record: { known: false, problem: 'no JSON' } });
    assert.deepEqual([act(damaged).do, reasons(damaged)], ['nothing', ['Waiting']]);
  });
});

/** The lease is at that step, for kafka-3. */
function leased(step: string, more: Partial<ScaleSeen> = {}): ScaleSeen {
  const taken = take(
    emptyRecord,
    { id: 'kafka-3', by: 'sidecar-1' },
    { kind: 'scale-in', pod: 'kafka-3', podUid: 'uid-3', broker: 3, set: 'kafka' },
    1,
  );
  assert.ok(taken.ok);
  const record = { ...taken.record, holder: { ...taken.record.holder, step } } as DisruptionRecord;
  const pod = { uid: 'uid-3', resourceVersion: '7', terminating: false };
  return seen({ record: { known: true, record }, kafka: empty, held: { wanted: false, pod }, ...more });
}

const written = (one: ScaleSeen) => {
  const action = act(one);
  return action.do === 'write' ? action.write.to : action.do;
};
const gone = { wanted: false } as const;
const wanted = { wanted: true, pod: { uid: 'uid-3', resourceVersion: '7', terminating: false } } as const;

suite('a pod’s turn', () => {
  test('its settings are cleared, then it is deleted as it was seen, then its broker is forgotten', () => {
    assert.equal(written(leased('moving')), 'clearing');
    const settings = ['leader.replication.throttled.rate'];
    const held = { ...wanted, wanted: false, settings };
    assert.deepEqual(act(leased('clearing', { held })), { do: 'clear', broker: 3, settings });
    assert.equal(written(leased('clearing', { held: { ...held, settings: [] } })), 'deleting');
    assert.deepEqual(act(leased('deleting')), {
      ...{ do: 'delete', pod: 'kafka-3', uid: 'uid-3', resourceVersion: '7' },
    });
    assert.equal(written(leased('deleting', { held: gone })), 'unregistering');
    assert.equal(act(leased('unregistering', { held: gone })).do, 'nothing', 'not while it is not fenced');
    const fenced = { ...empty, serving: new Set([0, 1, 2]) };
    assert.deepEqual(act(leased('unregistering', { held: gone, kafka: fenced })), {
      ...{ do: 'unregister', broker: 3 },
    });
    const zookeeper = { ...fenced, mode: 'zookeeper' as const };
    assert.equal(written(leased('unregistering', { held: gone, kafka: zookeeper })), 'release');
  });

  test('wanted again, it stays where it is still there, and is not forgotten where it is not', () => {
    for (const step of ['moving', 'clearing', 'deleting', 'unregistering'])
      assert.equal(written(leased(step, { held: wanted })), 'release', step);
    const terminating = { ...wanted, pod: { ...wanted.pod, terminating: true } };
    assert.equal(written(leased('deleting', { held: terminating })), 'nothing');
    const another = { ...wanted, pod: { ...wanted.pod, uid: 'uid-4' } };
    assert.equal(written(leased('deleting', { held: another })), 'release');
  });

  test('replicas that came meanwhile give the lease back, and nothing is deleted', () => {
    for (const step of ['moving', 'clearing', 'deleting'])
      assert.equal(written(leased(step, { kafka: kafka() })), 'release', step);
    for (const step of ['moving', 'clearing', 'deleting'])
      assert.equal(written(leased(step, { kafka: { ...empty, agreed: false } })), 'nothing', step);
  });

  test('another sidecar takes over before it does anything', () => {
    assert.equal(written({ ...leased('deleting'), by: 'sidecar-2' }), 'take-over');
  });
});

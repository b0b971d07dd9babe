import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { emptyRecord, take } from '../../gate/record.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import type { Pod, StatefulSet } from '../objects.ts';
import { given, step } from './test/given.ts';
import { type Surroundings, brokerPod } from './test/surroundings.ts';

const pods = (...revisions: string[]): Pod[] =>
  revisions.map((revision, ordinal) => brokerPod(ordinal, revision === 'r1' ? 1 : 2, { revision }));

/** Three brokers of revision r1 under a template of revision r2. */
async function outdated(t: TestContext, options: Parameters<typeof given>[1] = {}) {
  const around = await given(t, options);
  around.setPods(pods('r1', 'r1', 'r1'));
  around.setTemplate('r2');
  const there = () =>
    [0, 1, 2].filter((ordinal) => around.api.objects.has(paths.pods('shop', `kafka-${ordinal}`)));
  const go = async (times = 3) => {
    let report = await around.gate.reconcile();
    for (let left = times; left > 0; left--) {
      await around.later(1_000);
      report = await around.gate.reconcile();
    }
    return report;
  };
  return { ...around, there, go };
}

function underOnDelete(
  around: Pick<Surroundings, 'context' | 'setWorld'>,
  annotations: Record<string, string> = {},
): void {
  const [set] = around.context.world().sets;
  assert.ok(set?.object.spec);
  const spec = { ...set.object.spec, updateStrategy: { type: 'OnDelete' } };
  const metadata = { ...set.object.metadata, annotations };
  around.setWorld({ sets: [{ ...set, object: { ...set.object, metadata, spec } }] });
}

test('a newer template: the highest pod goes first, under the lease, and no other while it is away', async (t) => {
  const around = await outdated(t);
  await around.go();
  assert.deepEqual(around.there(), [0, 1]);
  assert.equal(step(around), 'roll deleting');
  around.setPods([...pods('r1', 'r1'), brokerPod(2, 1, { revision: 'r1', terminating: true })]);
  await around.go();
  assert.equal(step(around), 'roll starting');
  assert.equal(around.there().length, 3);
  around.setPods(pods('r1', 'r1'));
  around.kafka.lose(2);
  await around.go(5);
  assert.deepEqual(around.there(), [0, 1]);
});

test('the next one goes when the first is back, in sync and leading; the active controller is the last', async (t) => {
  const around = await outdated(t);
  around.setPods(pods('r1', 'r1', 'r2'));
  await around.go(0);
  await around.later(60_000);
  await around.go();
  assert.deepEqual(around.there(), [0, 2], 'kafka-0 is the active controller');
});

test('a set that is held says so in the status, and stays held when a new sidecar knows nothing yet', async (t) => {
  const around = await outdated(t);
  const { facts } = await around.go();
  assert.deepEqual(
    facts?.holds?.map(({ statefulSet }) => statefulSet),
    ['kafka'],
  );
  const other = await outdated(t, { read: false });
  assert.deepEqual((await other.gate.reconcile()).facts?.holds, []);
  const kafkaCluster = { metadata: {}, status: { holds: facts?.holds ?? [] } } as never;
  other.setWorld({ kafkaCluster });
  const again = await other.gate.reconcile();
  assert.equal(again.facts?.holds?.[0]?.statefulSet, 'kafka');
});

test('while partitions cannot spare the pod nothing is deleted, and the condition names them', async (t) => {
  const around = await outdated(t);
  around.kafka.lose(0);
  around.kafka.find(0);
  const report = await around.go(4);
  assert.deepEqual(around.there(), [0, 1, 2]);
  const waits = report.conditions.find(({ type }) => type === 'RollWaits');
  assert.equal(waits?.reason, 'CannotBeSpared');
  assert.match(waits?.message ?? '', /would fall below min.insync.replicas \(orders-0: ISR/);
  assert.match(report.facts?.holds?.[0]?.message ?? '', /It waits: Partitions would fall below/);
});

test('a broker that has stopped since Kafka was read is noticed before the pod is deleted', async (t) => {
  const around = await outdated(t);
  const { ping } = around.kafka;
  let asked = 0;
  around.kafka.ping = async (broker) => {
    // All answer while evidence is read; at the last question one does not.
    if (step(around) === 'roll deleting' && broker.host.startsWith('kafka-1') && ++asked > 0)
      throw new Error('no answer');
    return ping(broker);
  };
  await around.go();
  assert.deepEqual(around.there(), [0, 1, 2]);
});

test('a sidecar whose lease is too old deletes nothing, and says so', async (t) => {
  const around = await outdated(t);
  Object.assign(around.context, { holds: () => false });
  const { conditions } = await around.go();
  assert.equal(around.there().length, 3);
  const waits = conditions.find(({ type }) => type === 'RollWaits');
  assert.equal(waits?.reason, 'NotCarriedOut');
});

test('a deletion that may not be any more is taken back: the pod is marked, and the lease given up', async (t) => {
  const around = await outdated(t);
  // Stands at `deleting` as if the sidecar had been killed there; a replica has gone out of sync since.
  const taken = take(
    emptyRecord,
    { id: 'roll/uid-kafka-2-1', by: 'sidecar-1' },
    { kind: 'roll', pod: 'kafka-2', podUid: 'uid-kafka-2-1', broker: 2, set: 'kafka' },
    1_700_000_060_000,
  );
  assert.ok(taken.ok);
  const { holder } = taken.record;
  assert.ok(holder?.state === 'held');
  around.putRecord({ ...taken.record, holder: { ...holder, step: 'deleting' } });
  around.kafka.partitions[0]!.isr = [0, 2];
  await around.go(1);
  assert.equal(around.there().length, 3, 'for a while it is just waited');
  await around.later(15_000);
  await around.go(1);
  const marked = around.api.objects.get(paths.pods('shop', 'kafka-2')) as unknown as Pod;
  const mark = marked.metadata.annotations?.[keys.keptFrom];
  assert.equal(mark, `roll/uid-kafka-2-1@${holder.stepSinceMs}`);
  assert.equal(step(around), 'roll deleting');
  around.setPods([...pods('r1', 'r1'), marked]);
  await around.go(2);
  assert.equal(around.record().holder, undefined);
  assert.deepEqual(around.there(), [0, 1, 2]);
});

test('a new pod that does not come up: the others keep their revision, and a newer template frees them', async (t) => {
  const around = await outdated(t);
  await around.go();
  around.kafka.lose(2);
  const bad = brokerPod(2, 2, { ready: false, runs: false, revision: 'r2', failing: 'ImagePullBackOff' });
  around.setPods([...pods('r1', 'r1'), bad]);
  const report = await around.go(4);
  const partition = () => {
    const { spec } = around.api.objects.get(paths.statefulsets('shop', 'kafka')) as unknown as StatefulSet;
    return spec?.updateStrategy?.rollingUpdate?.partition;
  };
  assert.equal(partition(), 2);
  around.setTemplate('r2', 2);
  const waits = (await around.go(1)).conditions.find(({ type }) => type === 'RollWaits');
  assert.equal(waits?.reason, 'BrokenTemplate', JSON.stringify(report));
  assert.match(waits?.message ?? '', /kafka-2 does not come up \(ImagePullBackOff\)/);
  assert.deepEqual(around.there(), [0, 1, 2]);
  around.setTemplate('r3', 2);
  await around.go(1);
  assert.equal(partition(), 0);
  around.setTemplate('r3', 0);
  await around.go(3);
  assert.deepEqual(around.there(), [0, 1], 'the broken pod is replaced');
});

test('under OnDelete a broken new pod waits for its repair, and the record stays readable', async (t) => {
  const around = await outdated(t);
  underOnDelete(around);
  await around.go(0);
  around.setPods([...pods('r1', 'r1'), brokerPod(2, 1, { revision: 'r1', terminating: true })]);
  around.kafka.lose(2);
  await around.go();
  const bad = brokerPod(2, 2, { ready: false, runs: false, revision: 'r2', failing: 'ImagePullBackOff' });
  around.setPods([...pods('r1', 'r1'), bad]);
  const report = await around.go(4);
  assert.equal(step(around), 'loss starting');
  const waits = report.conditions.find(({ type }) => type === 'RollWaits');
  assert.equal(waits?.reason, 'BrokenTemplate');
  around.setTemplate('r3');
  underOnDelete(around);
  around.setPods(pods('r1', 'r1', 'r3'));
  around.kafka.find(2);
  around.kafka.catchUp(2);
  await around.go(5);
  assert.equal(around.record().holder, undefined);
});

test('while a rebalance holds the record, a broken pod is replaced by its repaired template', async (t) => {
  const around = await outdated(t);
  const rebalance = take(emptyRecord, { id: 'nightly', by: 'sidecar-1' }, { kind: 'rebalance' }, 1);
  assert.ok(rebalance.ok);
  around.putRecord(rebalance.record);
  const { conditions, facts } = await around.go();
  assert.equal(around.there().length, 3, 'a roll waits');
  const waits = conditions.find(({ type }) => type === 'RollWaits');
  assert.equal(waits?.reason, 'Disrupted');
  assert.match(waits?.message ?? '', /wait for the rebalance nightly to end/);
  assert.match(facts?.holds?.[0]?.message ?? '', /another disruption is under way/);
  around.kafka.lose(2);
  const bad = brokerPod(2, 2, { ready: false, runs: false, revision: 'r2', failing: 'CrashLoopBackOff' });
  around.setPods([...pods('r1', 'r1'), bad]);
  await around.go();
  assert.equal(around.there().length, 3, 'there is no other template yet');
  around.setTemplate('r3');
  await around.go();
  assert.deepEqual(around.there(), [0, 1]);
  assert.equal(step(around), 'rebalance executing');
});

test('a cluster that is down as a whole comes up by a repaired template, with nobody to ask', async (t) => {
  const around = await outdated(t);
  around.kafka.away = true;
  await around.later(60_000);
  const down = (ordinal: number, revision: string, generation = 1) =>
    brokerPod(ordinal, generation, { ready: false, runs: false, revision, failing: 'CrashLoopBackOff' });
  around.setPods([down(0, 'r1'), down(1, 'r1'), down(2, 'r1')]);
  for (let gone = 1; gone <= 3; gone++) {
    const { pods: before } = around.context.world();
    for (let left = 6; left > 0 && around.there().length === 3; left--) await around.go(1);
    const there = around.there();
    assert.equal(there.length, 2, `${gone}: ${JSON.stringify(around.record().holder)}`);
    // Its StatefulSet makes it anew; it does not come up before the others have.
    around.setPods(
      before.map((pod, ordinal) =>
        there.includes(ordinal) ? pod : brokerPod(ordinal, 2, { ready: false, revision: 'r2' }),
      ),
    );
  }
});

test('a pod whose container runs is not deleted while nobody can be asked', async (t) => {
  const around = await outdated(t);
  around.kafka.away = true;
  await around.later(60_000);
  around.setPods([0, 1, 2].map((ordinal) => brokerPod(ordinal, 1, { ready: false })));
  await around.go(4);
  assert.equal(around.there().length, 3);
});

test('OnDelete and a partition of the author are respected; a template that must not be rolled out waits', async (t) => {
  const around = await outdated(t, { blocked: () => 'Kafka 4.1 has no ZooKeeper mode.' });
  const report = await around.go();
  const waits = report.conditions.find(({ type }) => type === 'RollWaits');
  assert.deepEqual([waits?.reason, around.there().length], ['Preflight', 3]);
  assert.match(waits?.message ?? '', /kafka to be put right: Kafka 4.1 has no ZooKeeper mode/);
  const held = await outdated(t);
  held.setTemplate('r2', 3);
  await held.go();
  assert.equal(held.there().length, 3);
  const manual = await outdated(t);
  underOnDelete(manual);
  await manual.go();
  assert.equal(manual.there().length, 3);
  underOnDelete(manual, { [keys.rollOnDelete]: 'true' });
  await manual.go();
  assert.equal(manual.there().length, 2, 'the author has asked the sidecar to');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Evidence,
  type PartitionFacts,
  align,
  follow,
  minIsrByTopic,
  scan,
  scannable,
  tableOf,
} from '../../gate/index.ts';
import { evidenceOf } from '../../gate/test/cluster.ts';
import { viewBytes } from '../../kafka/test/view-bytes.ts';
import { Digestion, type Told } from './digest.ts';

const told = (broker: number, partitions: readonly PartitionFacts[]): Told => ({
  broker,
  bytes: viewBytes({ controllerId: 0, serving: [0, 1, 2], partitions }),
});
const replicas = fc.shuffledSubarray([0, 1, 2], { minLength: 1 });
const partitions = fc
  .array(
    replicas.chain((of) =>
      fc.record({
        topic: fc.constantFrom('a', 'b', 'c'),
        leader: fc.constantFrom(-1, ...of),
        replicas: fc.constant(of),
        isr: fc.subarray(of),
      }),
    ),
    { maxLength: 12 },
  )
  .map((facts) => facts.map((one, partition): PartitionFacts => ({ ...one, partition })));
const one: PartitionFacts = { topic: 'a', partition: 0, leader: 0, replicas: [0, 1, 2], isr: [0, 1, 2] };
const terms = { mins: Int32Array.from([2]), stableMs: 45_000, allStable: false };

test('what is scanned of answers is what would be of the evidence whole', () => {
  const views = fc.array(partitions, { maxLength: 3 });
  fc.assert(
    fc.property(views, views, fc.boolean(), (earlier, now, allStable) => {
      const digestion = new Digestion();
      const answers = (all: readonly PartitionFacts[][]) => all.map((facts, broker) => told(broker, facts));
      digestion.digest(answers(earlier), 1_000);
      const { topics, brokers } = digestion.digest(answers(now), 31_000);
      const base = evidenceOf({ brokers: 3, partitions: [], min: {} });
      const tables = now.map(tableOf);
      const first = earlier[0] && follow(undefined, tableOf(earlier[0]), 1_000);
      const history = tables[0] === undefined ? first : follow(first, tables[0], 31_000);
      const whole: Evidence = {
        ...base,
        mode: allStable ? 'zookeeper' : 'kraft',
        views: tables.map((table, broker) => ({
          ...{ ...base.views[0]!, broker, readAtMs: 31_000, partitions: table },
        })),
        ...(history === undefined ? {} : { history }),
      };
      const mins = Int32Array.from(topics, (_topic, i) => (i === 2 ? -1 : i + 1));
      const aligned = align(whole);
      assert.deepEqual(topics, aligned.joined.topics);
      assert.deepEqual(brokers.toSorted(), [...aligned.rowsOf.keys()].toSorted());
      const { stableMs } = scannable(whole, aligned, mins);
      const scans = digestion.scan({ mins, stableMs, allStable });
      for (const broker of [0, 1, 2])
        if (aligned.rowsOf.has(broker))
          assert.deepEqual(scans.get(broker), scan(scannable(whole, aligned, mins), broker));
        else assert.equal(scans.has(broker), false);
    }),
  );
});

test('an ISR is as old as the first read that has shown it so; a clock that was put back begins anew', () => {
  const digestion = new Digestion();
  const unstable = (readAtMs: number, facts = [one]) => {
    digestion.digest([told(0, facts), told(1, facts)], readAtMs);
    return digestion.scan(terms).get(2)?.unstable.count;
  };
  assert.equal(unstable(0), 1);
  assert.equal(unstable(40_000), 1);
  assert.equal(unstable(60_000), 0);
  assert.equal(unstable(70_000, [{ ...one, isr: [0, 2] }]), 0, 'below, which is worse');
  assert.equal(unstable(80_000), 1);
  assert.equal(unstable(20_000), 1);
  assert.equal(unstable(70_000), 0);
});

test('an answer that cannot be judged is no view, and takes no other along', () => {
  const digest = new Digestion().digest([told(0, [one, one]), told(1, [one])], 1_000);
  assert.deepEqual(
    digest.views.map(({ broker }) => broker),
    [1],
  );
  assert.deepEqual(digest.topics, ['a']);
});

test('nothing is scanned twice of what was let go, and the history stays', () => {
  const digestion = new Digestion();
  assert.throws(() => digestion.scan(terms), /Nothing has been read/);
  digestion.digest([told(0, [one])], 0);
  digestion.forget();
  assert.throws(() => digestion.scan(terms), /Nothing has been read/);
  digestion.digest([told(0, [one])], 50_000);
  assert.equal(digestion.scan(terms).get(1)?.unstable.count, 0);
});

test('min.insync.replicas goes by topic: its own, else the highest default, else unknown', () => {
  const minIsr = {
    readAtMs: 0,
    byTopic: new Map([
      ['a', 3],
      ['b', null],
    ] as const),
    defaults: new Map([
      [0, 1],
      [1, 2],
    ]),
  };
  assert.deepEqual([...minIsrByTopic(['a', 'b', 'c'], minIsr)], [3, 2, -1]);
  assert.deepEqual([...minIsrByTopic(['a'], undefined)], [-1]);
});

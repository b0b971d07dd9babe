import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type LoggedRecord,
  type MetadataLog,
  type MetadataRecord,
  type Question,
  judge,
} from './metadata-log.ts';

const orders: MetadataRecord[] = [
  { type: 'topic', topic: 'orders', topicId: 'T' },
  { type: 'partition', topicId: 'T', partition: 0, replicas: [0, 1, 2], isr: [0, 1, 2], leader: 0 },
];
const change = (fields: { isr?: number[]; leader?: number; replicas?: number[] }, partition = 0) =>
  ({ type: 'partition-change', topicId: 'T', partition, ...fields }) satisfies MetadataRecord;
const minIsr = (
  value: number | undefined,
  resource: 'topic' | 'broker' = 'topic',
  name = resource === 'topic' ? 'orders' : '',
): MetadataRecord => ({ type: 'min-isr', resource, name, value });
const other: MetadataRecord = { type: 'other' };

/** Records at seconds, with the offsets of their order. */
const logOf = (...timed: readonly (readonly [seconds: number, ...MetadataRecord[]])[]): MetadataLog => ({
  snapshots: [],
  records: timed
    .flatMap(([seconds, ...records]) => records.map((record) => ({ atMs: seconds * 1000, record })))
    .map((one, offset): LoggedRecord => ({ offset, ...one })),
});
const ask = (more: Partial<Question> = {}): Question => ({
  fromMs: 10_000,
  toMs: 100_000,
  staticMinIsr: 2,
  ...more,
});

test('a partition that loses one of three replicas stays at its minimum', () => {
  const log = logOf(
    [1, ...orders],
    [20, change({ isr: [0, 1] })],
    [50, change({ isr: [0, 1, 2] })],
    [100, other],
  );
  const { dips, partitions } = judge(log, ask());
  assert.deepEqual({ dips, partitions }, { dips: [], partitions: 1 });
});

test('the time with fewer in sync than the minimum is counted to the millisecond, once for each partition', () => {
  const second: MetadataRecord = { ...orders[1]!, partition: 1 } as MetadataRecord;
  const log = logOf(
    [1, ...orders, second],
    [20, change({ isr: [0] }), change({ isr: [0] }, 1)],
    [30.5, change({ isr: [0, 1] })],
    [40, change({ isr: [0, 1] }, 1)],
    [100, other],
  );
  const verdict = judge(log, ask());
  assert.equal(verdict.underMinIsrPartitionSeconds, 30.5);
  assert.equal(verdict.offlinePartitionSeconds, 0);
  assert.deepEqual(verdict.dips[0], {
    kind: 'under-min-isr',
    topic: 'orders',
    partition: 0,
    isr: [0],
    minIsr: 2,
    fromMs: 20_000,
    toMs: 30_500,
  });
});

test('a partition without a leader is offline until it has one', () => {
  const log = logOf(
    [1, ...orders],
    [20, change({ leader: -1 })],
    [21, change({ isr: [1], leader: 1 })],
    [22, change({ isr: [0, 1] })],
    [100, other],
  );
  const verdict = judge(log, ask());
  assert.equal(verdict.offlinePartitionSeconds, 1);
  assert.equal(verdict.underMinIsrPartitionSeconds, 1);
});

test('a dip that began before the interval or outlasts it counts for the time inside', () => {
  const log = logOf([1, ...orders], [5, change({ isr: [0] })], [200, other]);
  assert.equal(judge(log, ask()).underMinIsrPartitionSeconds, 90);
  const after = logOf([1, ...orders], [150, change({ isr: [0] })], [200, other]);
  assert.equal(judge(after, ask()).underMinIsrPartitionSeconds, 0);
});

test("the topic's value goes before the leader's broker, the cluster's default and the static one; never above the replicas", () => {
  const seconds = (...settings: MetadataRecord[]) =>
    judge(logOf([1, ...orders, ...settings, change({ isr: [0, 1] })], [100, other]), ask())
      .underMinIsrPartitionSeconds;
  assert.equal(seconds(), 0);
  assert.equal(seconds(minIsr(3, 'broker')), 90);
  assert.equal(seconds(minIsr(3, 'broker'), minIsr(2, 'broker', '0')), 0);
  assert.equal(seconds(minIsr(2, 'broker'), minIsr(3, 'broker', '1')), 0, 'broker 1 does not lead');
  assert.equal(seconds(minIsr(1, 'broker'), minIsr(3)), 90);
  assert.equal(seconds(minIsr(3), minIsr(undefined)), 0);
  const all = logOf([1, ...orders, minIsr(9)], [100, other]);
  assert.equal(judge(all, ask()).underMinIsrPartitionSeconds, 0, 'three of three');
});

test('a changed minimum opens and closes dips by itself', () => {
  const log = logOf(
    [1, ...orders],
    [20, change({ isr: [0, 1] })],
    [30, minIsr(3)],
    [45, minIsr(2)],
    [100, other],
  );
  assert.equal(judge(log, ask()).underMinIsrPartitionSeconds, 15);
});

test('a deleted topic is not under its minimum any longer, and its name may come back with other settings', () => {
  const log = logOf(
    [1, ...orders, minIsr(3)],
    [20, change({ isr: [0, 1] })],
    [25, { type: 'remove-topic', topicId: 'T' }],
    [
      30,
      { type: 'topic', topic: 'orders', topicId: 'U' },
      { type: 'partition', topicId: 'U', partition: 0, replicas: [0, 1, 2], isr: [0, 1], leader: 0 },
    ],
    [100, other],
  );
  const verdict = judge(log, ask());
  assert.equal(verdict.underMinIsrPartitionSeconds, 5);
  assert.equal(verdict.partitions, 2);
});

test('what a metadata transaction holds takes effect at its end, and not at all where it is given up', () => {
  const log = logOf(
    [1, ...orders],
    [20, { type: 'begin' }, change({ isr: [0] })],
    [30, { type: 'end' }],
    [35, change({ isr: [0, 1] })],
    [40, { type: 'begin' }, change({ leader: -1 }), { type: 'abort' }],
    [100, other],
  );
  const verdict = judge(log, ask());
  assert.deepEqual([verdict.underMinIsrPartitionSeconds, verdict.offlinePartitionSeconds], [5, 0]);
});

test('a log whose beginning is gone is judged from the latest snapshot before the interval', () => {
  const records = logOf(
    [1, ...orders],
    [5, change({ isr: [0] })],
    [20, change({ isr: [0, 1] })],
    [100, other],
  ).records.slice(2);
  const snapshot = {
    endOffset: 3,
    containedUntilMs: 5_000,
    records: [orders[0]!, { ...orders[1]!, isr: [0] } as MetadataRecord],
  };
  const late = { ...snapshot, endOffset: 4, containedUntilMs: 20_000 };
  assert.equal(
    judge({ records, snapshots: [late, snapshot] }, ask()).underMinIsrPartitionSeconds,
    10,
    'from the start of the interval to the change',
  );
  assert.throws(() => judge({ records, snapshots: [late] }, ask()), /no snapshot has the state of/);
  const gap = { ...snapshot, endOffset: 1 };
  assert.throws(() => judge({ records, snapshots: [gap] }, ask()), /begins at offset 2/);
});

test('what the log does not cover is not called healthy', () => {
  assert.throws(() => judge(logOf([1, ...orders], [99, other]), ask()), /ends 1\.0 s before the interval/);
  assert.throws(() => judge(logOf([1, change({ isr: [0] })], [100, other]), ask()), /is not whole/);
  assert.throws(() => judge(logOf([1, ...orders], [100, other]), ask({ toMs: 5 })), /ends before it begins/);
});

test('a controller that was away shows as a silence', () => {
  const log = logOf([1, ...orders], [12, other], [13, other], [40, other], [100.5, other]);
  assert.equal(judge(log, ask({ toMs: 50_000 })).longestSilenceMs, 27_000);
  assert.equal(judge(log, ask()).longestSilenceMs, 60_000);
});

test('topics may be left out', () => {
  const log = logOf([1, ...orders], [20, change({ isr: [] })], [100, other]);
  assert.equal(judge(log, ask({ includes: (topic) => topic !== 'orders' })).partitions, 0);
});

/** States of one partition at whole seconds, and what a sampler that looks at each of them would count. */
const states = fc.array(
  fc.record({
    isr: fc.subarray([0, 1, 2]),
    leader: fc.constantFrom(-1, 0, 1, 2),
    stay: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 1, maxLength: 12 },
);

test('it counts what a sampler of every second counts', () => {
  fc.assert(
    fc.property(states, fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 3 }), (list, from, span, min) => {
      const seconds = list.flatMap((state) => Array.from({ length: state.stay }, () => state));
      let at = 0;
      const timed: [number, ...MetadataRecord[]][] = list.map((state, index) => {
        const fields = { isr: state.isr, leader: state.leader };
        const record: [number, ...MetadataRecord[]] =
          index === 0 ? [at, orders[0]!, { ...orders[1]!, ...fields }] : [at, change(fields)];
        at += state.stay;
        return record;
      });
      const to = from + span;
      const log = logOf(...timed, [Math.max(at, to), other]);
      const last = seconds.at(-1)!;
      const sampled = Array.from({ length: span }, (_, second) => seconds[from + second] ?? last);
      const verdict = judge(log, { fromMs: from * 1000, toMs: to * 1000, staticMinIsr: min });
      assert.equal(verdict.underMinIsrPartitionSeconds, sampled.filter(({ isr }) => isr.length < min).length);
      assert.equal(verdict.offlinePartitionSeconds, sampled.filter(({ leader }) => leader < 0).length);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDump } from './metadata-dump.ts';

const line = (offset: number, payload: object) =>
  `| offset: ${offset} CreateTime: ${1_000 + offset} keySize: -1 valueSize: 22 sequence: -1 headerKeys: [] payload: ${JSON.stringify(payload)}`;
const record = (offset: number, type: string, data: object) => line(offset, { type, version: 0, data });
const batch = (isValid = true) =>
  `baseOffset: 0 lastOffset: 0 count: 1 isControl: false position: 0 CreateTime: 7 size: 91 magic: 2 crc: 1 isvalid: ${isValid}`;

test('the records that the judge needs are read, each with its time; of the others only that they are there', () => {
  const { records, snapshots } = parseDump(
    [
      'Dumping /data/__cluster_metadata-0/00000000000000000000.log',
      'Log starting offset: 0',
      batch(),
      '| offset: 0 CreateTime: 1000 keySize: 4 valueSize: 19 sequence: -1 headerKeys: [] LeaderChange: {"version":0,"leaderId":1}',
      record(1, 'BEGIN_TRANSACTION_RECORD', { name: 'Bootstrap records' }),
      record(2, 'CONFIG_RECORD', {
        resourceType: 4,
        resourceName: '',
        name: 'min.insync.replicas',
        value: '2',
      }),
      record(3, 'END_TRANSACTION_RECORD', {}),
      record(4, 'TOPIC_RECORD', { name: 'orders', topicId: 'T' }),
      record(5, 'CONFIG_RECORD', {
        resourceType: 2,
        resourceName: 'orders',
        name: 'min.insync.replicas',
        value: null,
      }),
      record(6, 'CONFIG_RECORD', {
        resourceType: 2,
        resourceName: 'orders',
        name: 'retention.ms',
        value: '1',
      }),
      record(7, 'PARTITION_RECORD', { partitionId: 0, topicId: 'T', replicas: [1, 2], isr: [1], leader: 1 }),
      record(8, 'PARTITION_CHANGE_RECORD', { partitionId: 0, topicId: 'T', isr: [1, 2] }),
      record(9, 'PARTITION_CHANGE_RECORD', {
        partitionId: 0,
        topicId: 'T',
        leader: -1,
        leaderRecoveryState: 1,
      }),
      record(10, 'NO_OP_RECORD', {}),
      record(11, 'REMOVE_TOPIC_RECORD', { topicId: 'T' }),
    ].join('\n'),
  );
  assert.deepEqual(snapshots, []);
  assert.deepEqual(
    records.map(({ record }) => record),
    [
      { type: 'other' },
      { type: 'begin' },
      { type: 'min-isr', resource: 'broker', name: '', value: 2 },
      { type: 'end' },
      { type: 'topic', topic: 'orders', topicId: 'T' },
      { type: 'min-isr', resource: 'topic', name: 'orders', value: undefined },
      { type: 'other' },
      { type: 'partition', topicId: 'T', partition: 0, replicas: [1, 2], isr: [1], leader: 1 },
      { type: 'partition-change', topicId: 'T', partition: 0, isr: [1, 2] },
      { type: 'partition-change', topicId: 'T', partition: 0, leader: -1 },
      { type: 'other' },
      { type: 'remove-topic', topicId: 'T' },
    ],
  );
  assert.deepEqual(
    records.map(({ atMs }) => atMs),
    Array.from({ length: 12 }, (_, index) => 1_000 + index),
  );
});

test('a snapshot is kept apart from the log, and only where it is whole', () => {
  const snapshot = (end: number, ...rest: string[]) => [
    `Dumping /data/__cluster_metadata-0/0000000000000000000${end}-0000000001.checkpoint`,
    `Snapshot end offset: ${end}, epoch: 1`,
    batch(),
    `| offset: 0 CreateTime: 5 keySize: 4 valueSize: 11 sequence: -1 headerKeys: [] SnapshotHeader {"version":0,"lastContainedLogTimestamp":1004}`,
    record(1, 'TOPIC_RECORD', { name: 'orders', topicId: 'T' }),
    ...rest,
  ];
  const footer = `| offset: 2 CreateTime: 5 keySize: 4 valueSize: 3 sequence: -1 headerKeys: [] SnapshotFooter {"version":0}`;
  const { records, snapshots } = parseDump(
    [
      ...snapshot(5, footer),
      ...snapshot(9),
      'Dumping /data/__cluster_metadata-0/00000000000000000005.log',
      record(5, 'NO_OP_RECORD', {}),
    ].join('\n'),
  );
  assert.deepEqual(snapshots, [
    {
      endOffset: 5,
      containedUntilMs: 1_004,
      records: [{ type: 'topic', topic: 'orders', topicId: 'T' }],
    },
  ]);
  assert.deepEqual(records, [{ offset: 5, atMs: 1_005, record: { type: 'other' } }]);
});

test('a record that the tool could not decode fails the judgement', () => {
  assert.throws(
    () => parseDump('Error at 7, skipping. Unknown metadata id 99'),
    /could not be decoded: Error/,
  );
  assert.throws(() => parseDump(batch(false)), /could not be decoded/);
});

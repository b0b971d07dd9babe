import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { addBatches } from './batches.ts';

const batchOf = (records: number, valueBytes: number, compression: 'none' | 'gzip' = 'none'): Buffer =>
  createRecordsBatch(
    Array.from({ length: records }, (_, index) => ({
      topic: 't',
      partition: 0,
      value: Buffer.alloc(valueBytes, index),
    })),
    { compression },
  ).buffer;

test('batches add up to their bytes and records, compressed ones as they lie in the log', () => {
  const batches = [batchOf(1, 10), batchOf(100, 200, 'gzip'), batchOf(3, 0)];
  const all = Buffer.concat(batches);
  assert.deepEqual(addBatches(all), { bytes: all.length, records: 104 });
});

test('a batch that was cut off counts in full once its header is there', () => {
  const [first, second] = [batchOf(2, 50), batchOf(10, 500)];
  const all = Buffer.concat([first, second]);
  assert.deepEqual(addBatches(all.subarray(0, first.length + 61)), { bytes: all.length, records: 12 });
  assert.deepEqual(addBatches(all.subarray(0, first.length + 60)), { bytes: first.length, records: 2 });
});

test('a batch that compaction has emptied says nothing of what is written', () => {
  const emptied = batchOf(1, 10);
  emptied.writeInt32BE(0, 57);
  const kept = batchOf(4, 10);
  assert.deepEqual(addBatches(Buffer.concat([emptied, kept])), { bytes: kept.length, records: 4 });
});

test('batches of an older format end it', () => {
  const old = batchOf(1, 10);
  old.writeInt8(1, 16);
  assert.deepEqual(addBatches(old), { bytes: 0, records: 0 });
});

test('whatever the bytes are, it comes to an end, and wherever the cut is, no record is made up', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const { records } = addBatches(Buffer.from(bytes));
      assert.ok(records >= 0);
    }),
  );
  const batches = [batchOf(5, 20), batchOf(7, 30, 'gzip'), batchOf(1, 300)];
  const all = Buffer.concat(batches);
  fc.assert(
    fc.property(fc.nat(all.length), (cut) => {
      const { bytes, records } = addBatches(all.subarray(0, cut));
      assert.ok(records <= 13 && bytes <= all.length);
    }),
  );
});

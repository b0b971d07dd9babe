import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossOf } from './loss.ts';
import type { Tally } from './tally.ts';
import { tallyOf } from './verifiable.ts';

const success = (timestamp: number, value: string, partition: number) =>
  JSON.stringify({
    timestamp,
    name: 'producer_send_success',
    key: '1',
    value,
    offset: 3,
    topic: 't',
    partition,
  });
const end = (timestamp: number, sent: number) =>
  [
    JSON.stringify({ timestamp, name: 'shutdown_complete' }),
    JSON.stringify({ timestamp, name: 'tool_data', sent, acked: 3, target_throughput: 2, avg_throughput: 1 }),
  ].join('\n');

test("the tool's output becomes a tally, with the longest gap of any partition", () => {
  const output = [
    '{"timestamp":1,"name":"startup_complete"}',
    success(1_000, '1.0', 0),
    success(1_500, '1.1', 1),
    success(2_000, '1.2', 0),
    'a line of the logging library',
    '{"timestamp":9000,"name":"producer_send_error","key":"1","value":"1.3","topic":"t","exception":"class X","message":"Expiring 1 record(s)"}',
    end(5_000, 4),
  ].join('\n');
  assert.deepEqual(tallyOf(output), {
    client: 'java',
    sent: 4,
    acknowledged: ['1.0', '1.1', '1.2'],
    rejected: [{ value: '1.3', reason: 'Expiring 1 record(s)' }],
    longestGapMs: 3_500,
    longestGapAt: { ms: 3_500, partition: 1, atMs: 1_500 },
  });
});

test('a tool that was killed has said too little', () => {
  assert.throws(() => tallyOf(success(1, '1.0', 0)), /did not end by itself after 1 acknowledgements/);
});

test('lost is what was acknowledged and is not read; what was given up is counted apart', () => {
  const tally = (client: Tally['client'], longestGapMs: number, more: Partial<Tally>): Tally => ({
    client,
    sent: 3,
    acknowledged: [],
    rejected: [],
    longestGapMs,
    longestGapAt: { partition: 0, atMs: 0 },
    ...more,
  });
  const loss = lossOf(
    [
      tally('kafkajs', 700, {
        acknowledged: ['k.0.0', 'k.0.1'],
        rejected: [{ value: 'k.0.2', reason: 'away' }],
      }),
      tally('java', 900, { acknowledged: ['1.0'], rejected: [{ value: '1.1', reason: 'away' }] }),
    ],
    { values: ['k.0.0', 'k.0.2', '1.0'], duplicates: 1 },
    { values: ['k.0.0', 'k.0.1'], duplicates: 0 },
  );
  assert.deepEqual(loss, {
    acknowledged: 3,
    lost: 1,
    unread: 1,
    examples: ['k.0.1'],
    rejected: 2,
    reasons: [['away', 2]],
    longestGapMs: 900,
  });
});

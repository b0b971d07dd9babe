import assert from 'node:assert/strict';
import { test } from 'node:test';
import { episodesOf, told } from './episodes.ts';
import type { Dip } from './metadata-log.ts';

const dip = (kind: Dip['kind'], partition: number, fromMs: number, toMs: number): Dip => ({
  ...{ kind, topic: 'orders', partition, isr: [0], minIsr: 2, fromMs, toMs },
});

test('dips that overlap are one episode, and each partition in it counts once', () => {
  const episodes = episodesOf([
    dip('under-min-isr', 0, 1_000, 3_000),
    dip('under-min-isr', 1, 2_000, 6_000),
    dip('under-min-isr', 0, 5_000, 6_500),
    dip('under-min-isr', 0, 9_000, 9_250),
    dip('offline', 0, 2_500, 2_600),
  ]);
  assert.deepEqual(episodes, [
    { kind: 'under-min-isr', partitions: 2, fromMs: 1_000, toMs: 6_500 },
    { kind: 'offline', partitions: 1, fromMs: 2_500, toMs: 2_600 },
    { kind: 'under-min-isr', partitions: 1, fromMs: 9_000, toMs: 9_250 },
  ]);
  assert.equal(told(episodes[0]!, 500), '2 partitions under min ISR 0.5 s after it began, for 5.5 s in all');
  assert.equal(
    told(episodes[1]!, 500),
    '1 partition without a leader 2.0 s after it began, for 0.1 s in all',
  );
});

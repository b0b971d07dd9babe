import { partitionKey } from '../kafka/index.ts';
import type { ClusterSample } from './sample.ts';
import { sizesOf } from './sizes.ts';

/** Where a rate is from: offsets times bytes per offset, or the growth of the log where the latter is not known. */
export type RateSource = 'offsets' | 'growth';

export interface Rate {
  readonly bytesPerSecond: number;
  readonly source: RateSource;
}

/** What was added over samples, and in which time of them it is known. */
interface Added {
  readonly amount: number;
  readonly seconds: number;
}

type Reading = readonly [takenAtMs: number, value: ReadonlyMap<string, number | bigint>];

/**
 * Adds up what each value has grown by from one sample to the next. A decrease counts as nothing: retention shrinks a log,
 * a topic made again under its name begins at 0, and neither takes back what was written.
 */
function addedOver(readings: readonly Reading[]): Map<string, Added> {
  const added = new Map<string, Added>();
  for (const [index, [takenAtMs, values]] of readings.entries()) {
    const [earlierMs, earlier] = readings[index - 1] ?? [];
    if (earlierMs === undefined || earlier === undefined || takenAtMs <= earlierMs) continue;
    for (const [key, value] of values) {
      const from = earlier.get(key);
      if (from === undefined) continue;
      const sum = added.get(key) ?? { amount: 0, seconds: 0 };
      added.set(key, {
        amount: sum.amount + Math.max(0, difference(value, from)),
        seconds: sum.seconds + (takenAtMs - earlierMs) / 1_000,
      });
    }
  }
  return added;
}

const difference = (a: number | bigint, b: number | bigint): number =>
  typeof a === 'bigint' && typeof b === 'bigint' ? Number(a - b) : Number(a) - Number(b);

const topicOf = (key: string): string => key.slice(0, key.lastIndexOf('-'));

/** Bytes per offset of each partition, else the mean of its topic's other partitions. */
function bytesPerOffsetOf(samples: readonly ClusterSample[]): (key: string) => number | undefined {
  const known = new Map(samples.flatMap((sample) => [...sample.bytesPerOffset]));
  const topics = new Map<string, { sum: number; count: number }>();
  for (const [key, value] of known) {
    const mean = topics.get(topicOf(key)) ?? { sum: 0, count: 0 };
    topics.set(topicOf(key), { sum: mean.sum + value, count: mean.count + 1 });
  }
  return (key) => {
    const mean = topics.get(topicOf(key));
    return known.get(key) ?? (mean && mean.sum / mean.count);
  };
}

/**
 * What producers write to each partition, by `partitionKey`: compressed as it is, one replica's worth. A partition that
 * fewer than two samples know is not in the map.
 */
export function writeRates(samples: readonly ClusterSample[]): Map<string, Rate> {
  const bytesPerOffset = bytesPerOffsetOf(samples);
  const offsets = addedOver(samples.map(({ takenAtMs, latest }) => [takenAtMs, latest]));
  const growth = addedOver(samples.map((sample) => [sample.takenAtMs, sizesOf(sample)]));
  const rates = new Map<string, Rate>();
  for (const [key, { amount, seconds }] of offsets) {
    const each = amount === 0 ? 0 : bytesPerOffset(key);
    const grown = growth.get(key);
    if (each !== undefined) rates.set(key, { bytesPerSecond: (amount * each) / seconds, source: 'offsets' });
    else if (grown !== undefined) rates.set(key, rateOf(grown));
  }
  for (const [key, grown] of growth) if (!offsets.has(key)) rates.set(key, rateOf(grown));
  return rates;
}

const rateOf = ({ amount, seconds }: Added): Rate => ({
  bytesPerSecond: amount / seconds,
  source: 'growth',
});

/**
 * What consumer groups read of each partition, by what they commit. Consumers that commit nothing (a stream processor
 * with its own checkpoints) are missed, and those that read from a follower of their rack count for the leader. Undefined
 * where fewer than two samples asked.
 */
export function readRates(samples: readonly ClusterSample[]): Map<string, number> | undefined {
  const asked = samples.filter(({ committed }) => committed !== undefined);
  if (asked.length < 2) return undefined;
  const bytesPerOffset = bytesPerOffsetOf(samples);
  const added = addedOver(asked.map((sample) => [sample.takenAtMs, committedOf(sample)]));
  const rates = new Map<string, number>();
  for (const [key, { amount, seconds }] of added) {
    const partition = key.slice(0, key.indexOf(' '));
    const rate = (amount * (bytesPerOffset(partition) ?? 0)) / seconds;
    rates.set(partition, (rates.get(partition) ?? 0) + rate);
  }
  return rates;
}

/** By partition and group; names of topics have no blanks. */
const committedOf = ({ committed = [] }: ClusterSample): Map<string, bigint> =>
  new Map(
    committed.flatMap(({ group, offsets }) =>
      offsets.map(({ offset, ...one }) => [`${partitionKey(one)} ${group}`, offset]),
    ),
  );

/** Seconds from the first sample to the last. */
export function spanSeconds(samples: readonly ClusterSample[]): number {
  const times = samples.map(({ takenAtMs }) => takenAtMs);
  return times.length < 2 ? 0 : (Math.max(...times) - Math.min(...times)) / 1_000;
}

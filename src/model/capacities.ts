import type { LogDir } from '../kafka/index.ts';
import type { BrokerSample } from './sample.ts';

/** What the caller knows of a broker, from its volumes and limits. */
export interface GivenCapacity {
  readonly diskBytes?: number;
  readonly networkInBytesPerSecond?: number;
  readonly networkOutBytesPerSecond?: number;
}

/** Where a capacity is from; `assumed` stands for the median of the others, `unlimited` for no limit that could bind. */
export type CapacitySource = 'given' | 'file-system' | 'assumed' | 'unlimited';

export interface Capacity {
  readonly amount: number;
  readonly source: CapacitySource;
}

/**
 * What a directory can hold, in bytes: what Kafka has there and what is free beside it, which on a file system with other
 * things on it is less than its size. Undefined where it does not tell (Kafka before 3.3).
 */
export function bytesOf({ totalBytes, usableBytes, replicas }: LogDir): number | undefined {
  if (totalBytes === undefined || usableBytes === undefined) return undefined;
  const used = replicas.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
  return Math.min(totalBytes, usableBytes + used);
}

/**
 * What a broker's online directories can hold, each of which counts as a file system of its own. Undefined where one does
 * not tell or none is online.
 */
export function diskBytesOf(dirs: readonly LogDir[]): number | undefined {
  let sum = 0;
  for (const dir of dirs) {
    if (dir.error !== undefined) continue;
    const bytes = bytesOf(dir);
    if (bytes === undefined) return undefined;
    sum += bytes;
  }
  return sum > 0 ? sum : undefined;
}

/**
 * One kind of capacity for every broker: the one given, else the one found, else the median of the other brokers', since
 * brokers are mostly alike. Where nothing is known of any, all have the same, ten times the `load` of the whole cluster:
 * even use is then measured, and no limit binds.
 */
export function completed(
  ids: readonly number[],
  known: ReadonlyMap<number, Capacity>,
  load: number,
): Map<number, Capacity> {
  const amounts = [...known.values()].map(({ amount }) => amount).sort((a, b) => a - b);
  const median = amounts[Math.floor((amounts.length - 1) / 2)];
  const other: Capacity =
    median === undefined
      ? { amount: Math.max(1, 10 * load), source: 'unlimited' }
      : { amount: median, source: 'assumed' };
  return new Map(ids.map((id) => [id, known.get(id) ?? other]));
}

/** Disk capacities that are known, in bytes. */
export function knownDisks(
  brokers: readonly BrokerSample[],
  given: ReadonlyMap<number, GivenCapacity>,
): Map<number, Capacity> {
  const known = new Map<number, Capacity>();
  for (const { id, dirs } of brokers) {
    const found = dirs && diskBytesOf(dirs);
    if (found !== undefined) known.set(id, { amount: found, source: 'file-system' });
  }
  return withGiven(known, given, ({ diskBytes }) => diskBytes);
}

/** Adds what the caller gave, which counts before what was found. */
export function withGiven(
  known: ReadonlyMap<number, Capacity>,
  given: ReadonlyMap<number, GivenCapacity>,
  of: (capacity: GivenCapacity) => number | undefined,
): Map<number, Capacity> {
  const all = new Map(known);
  for (const [id, capacity] of given) {
    const amount = of(capacity);
    if (amount !== undefined && amount > 0) all.set(id, { amount, source: 'given' });
  }
  return all;
}

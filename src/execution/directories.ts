import { type DiskState, type Move, type PartitionKey, type Seen, anyDirectory } from './model.ts';

/** The log directory that a plan names for the replica on a broker. */
export function directoryOf(move: Move | undefined, broker: number): string | undefined {
  const path = move?.toDirs?.[move.to.indexOf(broker)];
  return path === anyDirectory ? undefined : path;
}

/** Brokers for whose replicas the plan names a directory. */
export const brokersWithDirectory = (move: Move): number[] =>
  move.to.filter((broker) => directoryOf(move, broker) !== undefined);

/** Those of them that have a replica already: it is moved between two directories of its broker, with no network. */
export const relocatedOn = (move: Move): number[] =>
  brokersWithDirectory(move).filter((broker) => move.from.includes(broker));

/** Where a replica lies on one broker, and where a copy of it is that will replace it. */
export interface Lying {
  readonly in?: string;
  readonly future?: string;
  readonly futureBytes?: number;
}

export function lyingOn({ dirs }: DiskState, key: PartitionKey): Lying {
  const own = dirs.find(({ sizes }) => sizes.has(key));
  const next = dirs.find(({ futures }) => futures.has(key));
  return {
    ...(own === undefined ? {} : { in: own.path }),
    ...(next === undefined ? {} : { future: next.path, futureBytes: next.futures.get(key) ?? 0 }),
  };
}

/** The size of a replica as its broker's disk shows it, 0 where that is not known. */
export function sizeOf(key: PartitionKey, broker: number, seen: Seen): number {
  let bytes = 0;
  for (const dir of seen.disks.get(broker)?.dirs ?? []) bytes = Math.max(bytes, dir.sizes.get(key) ?? 0);
  return bytes;
}

/** Whether a replica lies in the directory that the plan names, with no copy of it elsewhere. */
export function isInPlace(
  seen: Seen,
  key: PartitionKey,
  { broker, path }: { broker: number; path: string },
): boolean {
  const disk = seen.disks.get(broker);
  if (disk === undefined) return false;
  const lying = lyingOn(disk, key);
  return lying.in === path && lying.future === undefined;
}

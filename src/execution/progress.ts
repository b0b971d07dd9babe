import {
  type Journal,
  type Move,
  type Refusal,
  type Seen,
  type TopicPartition,
  keyOf,
  without,
} from './model.ts';
import { brokersWithDirectory, directoryOf, isInPlace, lyingOn, relocatedOn, sizeOf } from './directories.ts';
import type { Standing } from './standing.ts';
import type { Prepared } from './steps.ts';

export interface RefusedMove extends TopicPartition, Refusal {}

/** How far a plan is. Bytes are those of copies, also between two directories of a broker; refused moves are not in the total. */
export interface Progress {
  readonly bytesTotal: number;
  readonly bytesMoved: number;
  /** Partitions whose replicas are where the plan wants them, in the directories that it names. */
  readonly moved: number;
  readonly total: number;
  readonly underWay: number;
  /** Moves of which some replicas have moved and others have not. */
  readonly partWay: number;
  readonly refusedCount: number;
  /** Of these, the ones whose topic was deleted meanwhile: nobody has to decide about them again. */
  readonly goneCount: number;
  /** The first twenty. */
  readonly refused: readonly RefusedMove[];
}

const told = 20;

export function progressOf(
  journal: Journal,
  seen: Seen,
  prepared: Prepared,
  all: readonly Standing[],
): Progress {
  let [bytesTotal, bytesMoved, moved, partWay, refusedCount, goneCount] = [0, 0, 0, 0, 0, 0];
  const refused: RefusedMove[] = [];
  const copying = new Map(
    journal.copies.filter(({ state }) => state !== 'landed').map((one) => [one.move, one]),
  );
  for (const [index, standing] of all.entries()) {
    const move = prepared.plan.moves[index];
    if (move === undefined) continue;
    if (standing.at === 'refused') {
      refusedCount += 1;
      if (standing.refusal.code === 'gone') goneCount += 1;
      const { topic, partition } = move;
      if (refused.length < told) refused.push({ topic, partition, ...standing.refusal });
      continue;
    }
    const toCopy = move.sizeBytes * without(move.to, move.from).length;
    bytesTotal += toCopy + move.sizeBytes * relocatedOn(move).length;
    bytesMoved += relocated(seen, move);
    if (standing.at === 'placed' || standing.at === 'copied') {
      if (allInPlace(seen, move)) moved += 1;
      bytesMoved += toCopy;
      continue;
    }
    const copy = copying.get(index);
    const base = standing.at === 'open' ? standing.before : (copy?.before ?? move.from);
    const arrived = without(base, move.from).length * move.sizeBytes;
    if (arrived > 0) partWay += 1;
    bytesMoved += Math.min(toCopy, arrived + (copy === undefined ? 0 : partial(seen, prepared, copy)));
  }
  const total = all.length - refusedCount;
  const underWay = [...copying.values(), ...(journal.relocations ?? [])].filter(
    ({ state }) => state !== 'queued',
  ).length;
  return { bytesTotal, bytesMoved, moved, total, underWay, partWay, refusedCount, goneCount, refused };
}

/** Bytes that have been copied between directories of brokers. */
function relocated(seen: Seen, move: Move): number {
  let bytes = 0;
  for (const broker of relocatedOn(move)) {
    const disk = seen.disks.get(broker);
    if (disk === undefined) continue;
    const path = directoryOf(move, broker);
    const lying = lyingOn(disk, keyOf(move));
    if (lying.in === path) bytes += move.sizeBytes;
    else if (lying.future === path) bytes += Math.min(move.sizeBytes, lying.futureBytes ?? 0);
  }
  return bytes;
}

const allInPlace = (seen: Seen, move: Move): boolean =>
  brokersWithDirectory(move).every((broker) => {
    const path = directoryOf(move, broker);
    return path === undefined || isInPlace(seen, keyOf(move), { broker, path });
  });

function partial(
  seen: Seen,
  prepared: Prepared,
  copy: { move: number; before: readonly number[]; target: readonly number[]; bytes: number },
): number {
  const key = prepared.keys[copy.move] ?? '';
  const added = without(copy.target, copy.before);
  return added.reduce((sum, broker) => sum + Math.min(copy.bytes, sizeOf(key, broker, seen)), 0);
}

/** One point of the way, for `paceOf`. */
export interface Sample {
  readonly atMs: number;
  readonly bytesMoved: number;
}

export interface Pace {
  readonly bytesPerSecond: number;
  /** Absent while nothing moves. */
  readonly etaSeconds?: number;
}

/** The speed between the first and the last sample, and what is left at that speed. */
export function paceOf(samples: readonly Sample[], { bytesTotal, bytesMoved }: Progress): Pace {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return { bytesPerSecond: 0 };
  const bytesPerSecond = Math.max(0, last.bytesMoved - first.bytesMoved) / ((last.atMs - first.atMs) / 1000);
  if (bytesPerSecond === 0) return { bytesPerSecond };
  return { bytesPerSecond, etaSeconds: Math.ceil((bytesTotal - bytesMoved) / bytesPerSecond) };
}

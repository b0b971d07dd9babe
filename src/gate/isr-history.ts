/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { PartitionTable } from './partitions.ts';
import { join, rowsOf, sameLists } from './partitions.ts';

/**
 * Since when each partition's leader, ISR and replicas have been seen unchanged, in the clock of the reads. A new leader takes its ISR
 * over as caught up (`Partition.makeLeader`): one that never fetches from it leaves the ISR a whole lag later, not sooner.
 */
export interface IsrHistory {
  readonly table: PartitionTable;
  /** By row of `table`, milliseconds. */
  readonly sinceMs: Float64Array;
  readonly lastReadAtMs: number;
}

/** The longest gap between two reads over which "unchanged" is still believed: twice the pause of idle polling. */
export const maxGapMs = 60_000;

/**
 * Folds one more read into the history. What differs, is new, or was last read too long ago starts anew with this read.
 * A read older than the history is passed over.
 */
export function follow(history: IsrHistory | undefined, table: PartitionTable, readAtMs: number): IsrHistory {
  if (history !== undefined && readAtMs < history.lastReadAtMs) return history;
  const sinceMs = new Float64Array(rowsOf(table)).fill(readAtMs);
  const next = { table, sinceMs, lastReadAtMs: readAtMs };
  if (history === undefined || readAtMs - history.lastReadAtMs > maxGapMs) return next;
  const [before, now] = join([history.table, table]).rows;
  for (let row = 0; row < now!.length; row++) {
    const [i, j] = [before![row]!, now![row]!];
    if (i < 0 || j < 0) continue;
    const same =
      history.table.leader[i] === table.leader[j] &&
      sameLists(history.table.isr, i, table.isr, j) &&
      sameLists(history.table.replicas, i, table.replicas, j);
    if (same) sinceMs[j] = history.sinceMs[i]!;
  }
  return next;
}

/** Since when one broker's answers have shown other brokers as fenced, or not at all (before Kafka 4.0 that is the same). */
export type FencedSince = ReadonlyMap<number, number>;

/** One more answer: a broker shown as serving is forgotten, one that is not keeps the time it was first missed. */
export function followFenced(
  before: { readonly since: FencedSince; readonly lastReadAtMs: number } | undefined,
  known: readonly number[],
  answer: { readonly serving: ReadonlySet<number>; readonly readAtMs: number },
): FencedSince {
  const usable = before !== undefined && answer.readAtMs - before.lastReadAtMs <= maxGapMs;
  return new Map(
    known
      .filter((broker) => !answer.serving.has(broker))
      .map((broker) => [broker, (usable ? before.since.get(broker) : undefined) ?? answer.readAtMs]),
  );
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { Evidence, Grounds, MetadataView, MinIsr } from './evidence.ts';
import { limitsOf } from './evidence.ts';
import type { BrokerLists, Joined, PartitionTable } from './partitions.ts';
import { join, sameLists, sameRows } from './partitions.ts';
import type { Scan, Scannable } from './scan.ts';
import { emptyScan, scan } from './scan.ts';

/**
 * Views side by side, with the partitions of each broker: the part of the preparation that grows with the partitions and
 * needs nothing else, so that another thread may do it.
 */
export interface Aligned {
  /** Tables in the order of the views, then the history where there is one. */
  readonly joined: Joined;
  /** By joined row: 1 where every two views show the same. */
  readonly agreed: Uint8Array;
  /** By joined row where `agreed`: since when the ISR that they show is known to be as it is; Infinity where it is not. */
  readonly sinceMs: Float64Array;
  /** Broker → joined rows that any view connects with it, as replica, in-sync or eligible leader. */
  readonly rowsOf: ReadonlyMap<number, Uint32Array>;
}

/** Evidence, with what its partitions say of each broker: made once for each read, judged for each pod. */
export interface Prepared {
  readonly evidence: Grounds;
  /** The same for every question: partitions stay as they were read. */
  readonly scanOf: (broker: number) => Scan;
}

type Views = Pick<Evidence, 'history'> & { readonly views: readonly Pick<MetadataView, 'partitions'>[] };

export function align(read: Views): Aligned {
  const tables = read.views.map(({ partitions }) => partitions);
  const joined = join(read.history === undefined ? tables : [...tables, read.history.table]);
  const agreed = agreement(read, joined);
  return { joined, agreed, sinceMs: stability(read, joined), rowsOf: rowsByBroker(read, joined, agreed) };
}

/** What scans of a read look at. `aligned`: of the views and the history of this very evidence. */
export function scannable(
  evidence: Pick<Evidence, ScannedOf>,
  aligned: Aligned,
  mins: Int32Array,
): Scannable {
  const { views, history, settings, mode } = evidence;
  return {
    aligned,
    views,
    ...(history === undefined ? {} : { history }),
    minIsr: byRow(aligned.joined, mins),
    stableMs: limitsOf(settings.values()).stableMs,
    allStable: mode === 'zookeeper',
  };
}

type ScannedOf = 'views' | 'history' | 'settings' | 'mode';

/** Evidence that is at hand whole: a broker is scanned when it is asked for. */
export function prepare(evidence: Evidence): Prepared {
  const aligned = align(evidence);
  const read = scannable(evidence, aligned, minIsrByTopic(aligned.joined.topics, evidence.minIsr));
  const scans = new Map<number, Scan>();
  const scanOf = (broker: number): Scan => {
    const found = scans.get(broker) ?? scan(read, broker);
    scans.set(broker, found);
    return found;
  };
  return { evidence, scanOf };
}

/** `scans`: of every broker that any view connects with a partition. */
export const prepareScanned = (evidence: Grounds, scans: ReadonlyMap<number, Scan>): Prepared => ({
  evidence,
  scanOf: (broker) => scans.get(broker) ?? emptyScan,
});

function agreement({ views }: Views, { rows, partition }: Joined): Uint8Array {
  const agreed = new Uint8Array(partition.length).fill(views.length > 0 ? 1 : 0);
  for (let a = 0; a < views.length; a++) markMissing(agreed, rows[a]!);
  // Every two, as "same" is not transitive where one of three views tells no eligible leaders.
  for (let a = 0; a < views.length; a++)
    for (let b = a + 1; b < views.length; b++)
      markDifferent(agreed, [views[a]!.partitions, rows[a]!], [views[b]!.partitions, rows[b]!]);
  return agreed;
}

function markMissing(agreed: Uint8Array, rows: Int32Array): void {
  for (let row = 0; row < agreed.length; row++) if (rows[row]! < 0) agreed[row] = 0;
}

type Side = readonly [table: PartitionTable, rows: Int32Array];

function markDifferent(agreed: Uint8Array, [a, rowsA]: Side, [b, rowsB]: Side): void {
  for (let row = 0; row < agreed.length; row++) {
    if (agreed[row] === 1 && !sameRows(a, rowsA[row]!, b, rowsB[row]!)) agreed[row] = 0;
  }
}

function stability({ views, history }: Views, { rows, partition }: Joined): Float64Array {
  const sinceMs = new Float64Array(partition.length).fill(Infinity);
  const [first] = views;
  if (first === undefined || history === undefined) return sinceMs;
  const [now, past] = [rows[0]!, rows[views.length]!];
  for (let row = 0; row < partition.length; row++) {
    const [i, j] = [now[row]!, past[row]!];
    if (i >= 0 && j >= 0 && sameLists(first.partitions.isr, i, history.table.isr, j))
      sinceMs[row] = history.sinceMs[j]!;
  }
  return sinceMs;
}

/** min.insync.replicas as set, in the order of the topics; -1 where it is unknown. */
export function minIsrByTopic(topics: readonly string[], minIsr: MinIsr | undefined): Int32Array {
  const highest = minIsr === undefined ? -1 : Math.max(-1, ...minIsr.defaults.values());
  return Int32Array.from(topics, (topic) => {
    const own = minIsr?.byTopic.get(topic);
    return own === undefined ? -1 : (own ?? highest);
  });
}

/** By joined row, what is told by topic. */
export function byRow({ topicOf }: Joined, byTopic: Int32Array): Int32Array {
  const found = new Int32Array(topicOf.length);
  for (let row = 0; row < found.length; row++) found[row] = byTopic[topicOf[row]!]!;
  return found;
}

function rowsByBroker({ views }: Views, { rows }: Joined, agreed: Uint8Array): Map<number, Uint32Array> {
  const found = new RowsByBroker();
  const lists = views.map(({ partitions: { replicas, isr, elr } }) => [replicas, isr, ...(elr ? [elr] : [])]);
  // Views that agree name the same, unless some of them alone tell of eligible leaders.
  const alike = new Set(lists.map(({ length }) => length)).size <= 1;
  for (let row = 0; row < agreed.length; row++) {
    const looked = alike && agreed[row] === 1 ? 1 : views.length;
    for (let v = 0; v < looked; v++) {
      const at = rows[v]![row]!;
      if (at < 0) continue;
      for (const list of lists[v]!) found.note(row, list, at);
    }
  }
  return found.rowsOf;
}

class RowsByBroker {
  /** By broker. */
  readonly #rows: Uint32Array[] = [];
  readonly #counts: number[] = [];

  /** Rows come in order: one that is noted again is the last one. */
  note(row: number, { first, items }: BrokerLists, at: number): void {
    for (let i = first[at]!; i < first[at + 1]!; i++) {
      const broker = items[i]!;
      const rows = this.#rows[broker] ?? this.#grown(broker);
      const count = this.#counts[broker]!;
      if (count > 0 && rows[count - 1] === row) continue;
      (count === rows.length ? this.#grown(broker) : rows)[count] = row;
      this.#counts[broker] = count + 1;
    }
  }

  get rowsOf(): Map<number, Uint32Array> {
    const found = new Map<number, Uint32Array>();
    this.#rows.forEach((rows, broker) => found.set(broker, rows.slice(0, this.#counts[broker])));
    return found;
  }

  #grown(broker: number): Uint32Array {
    const before = this.#rows[broker];
    const rows = new Uint32Array(before === undefined ? 256 : 2 * before.length);
    if (before === undefined) this.#counts[broker] = 0;
    else rows.set(before);
    return (this.#rows[broker] = rows);
  }
}

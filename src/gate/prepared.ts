/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { Evidence, MetadataView, MinIsr } from './evidence.ts';
import type { BrokerLists, Joined, PartitionTable } from './partitions.ts';
import { join, sameLists, sameRows } from './partitions.ts';
import type { Scan } from './scan.ts';

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

/** Evidence with its views side by side and the partitions of each broker found: made once for each read, judged for each pod. */
export interface Prepared extends Aligned {
  readonly evidence: Evidence;
  /** min.insync.replicas as set, by joined row; -1 where it is unknown. */
  readonly minIsr: Int32Array;
  /** What was found of a broker's partitions, by what was asked: they stay as they were read. */
  readonly scans: Map<string, Scan>;
}

type Views = Pick<Evidence, 'history'> & { readonly views: readonly Pick<MetadataView, 'partitions'>[] };

export function align(read: Views): Aligned {
  const tables = read.views.map(({ partitions }) => partitions);
  const joined = join(read.history === undefined ? tables : [...tables, read.history.table]);
  return {
    joined,
    agreed: agreement(read, joined),
    sinceMs: stability(read, joined),
    rowsOf: rowsByBroker(read, joined),
  };
}

/** `aligned`: of the views and the history of this very evidence. */
export const prepareAligned = (evidence: Evidence, aligned: Aligned): Prepared => ({
  evidence,
  ...aligned,
  minIsr: minIsrByRow(aligned.joined, evidence.minIsr),
  scans: new Map(),
});

export const prepare = (evidence: Evidence): Prepared => prepareAligned(evidence, align(evidence));

function agreement({ views }: Views, { rows, partition }: Joined): Uint8Array {
  const agreed = new Uint8Array(partition.length).fill(views.length > 0 ? 1 : 0);
  // Every two, as "same" is not transitive where one of three views tells no eligible leaders.
  for (let a = 0; a < views.length; a++)
    for (let b = a; b < views.length; b++)
      markDifferent(agreed, [views[a]!.partitions, rows[a]!], [views[b]!.partitions, rows[b]!]);
  return agreed;
}

type Side = readonly [table: PartitionTable, rows: Int32Array];

function markDifferent(agreed: Uint8Array, [a, rowsA]: Side, [b, rowsB]: Side): void {
  for (let row = 0; row < agreed.length; row++) {
    const [i, j] = [rowsA[row]!, rowsB[row]!];
    if (i < 0 || j < 0 || !sameRows(a, i, b, j)) agreed[row] = 0;
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

function minIsrByRow({ topics, topicOf }: Joined, minIsr: MinIsr | undefined): Int32Array {
  const highest = minIsr === undefined ? -1 : Math.max(-1, ...minIsr.defaults.values());
  const byTopic = topics.map((topic) => {
    const own = minIsr?.byTopic.get(topic);
    return own === undefined ? -1 : (own ?? highest);
  });
  const byRow = new Int32Array(topicOf.length);
  for (let row = 0; row < byRow.length; row++) byRow[row] = byTopic[topicOf[row]!]!;
  return byRow;
}

function rowsByBroker({ views }: Views, { rows, partition }: Joined): Map<number, Uint32Array> {
  const found = new Map<number, { rows: Uint32Array; count: number }>();
  const note = (row: number) => (broker: number) => {
    let own = found.get(broker);
    if (own === undefined) found.set(broker, (own = { rows: new Uint32Array(256), count: 0 }));
    if (own.count > 0 && own.rows[own.count - 1] === row) return;
    if (own.count === own.rows.length) {
      const wider = new Uint32Array(2 * own.count);
      wider.set(own.rows);
      own.rows = wider;
    }
    own.rows[own.count++] = row;
  };
  const lists = views.map(({ partitions: { replicas, isr, elr } }) => [replicas, isr, ...(elr ? [elr] : [])]);
  for (let row = 0; row < partition.length; row++) {
    const noted = note(row);
    for (let v = 0; v < views.length; v++) {
      const at = rows[v]![row]!;
      if (at < 0) continue;
      for (const list of lists[v]!) each(list, at, noted);
    }
  }
  return new Map([...found].map(([broker, own]) => [broker, own.rows.slice(0, own.count)]));
}

function each({ first, items }: BrokerLists, row: number, use: (broker: number) => void): void {
  for (let i = first[row]!; i < first[row + 1]!; i++) use(items[i]!);
}

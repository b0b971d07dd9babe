/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { MetadataView } from './evidence.ts';
import type { IsrHistory } from './isr-history.ts';
import type { PartitionTable } from './partitions.ts';
import { lengthAt, listAt, names, sameLists, sameRows } from './partitions.ts';
import type { Aligned } from './prepared.ts';
import type { NamedPartition, Partitions } from './reasons.ts';
import { PartitionCount } from './reasons.ts';

/** All that a scan looks at: views side by side, with what was asked of settings. */
export interface Scannable {
  readonly aligned: Aligned;
  /** In the order in which they are aligned. */
  readonly views: readonly Pick<MetadataView, 'broker' | 'readAtMs' | 'partitions'>[];
  readonly history?: IsrHistory;
  /** min.insync.replicas as set, by joined row; -1 where it is unknown. */
  readonly minIsr: Int32Array;
  readonly stableMs: number;
  /** In ZooKeeper mode no quorum vouches for the views: every ISR has to be stable, not only the critical ones. */
  readonly allStable: boolean;
}

/** What the partitions of a broker say about its going. */
export interface Scan {
  readonly below: Partitions;
  /** That cannot spare a replica ever, as their replication factor is at or below the minimum. */
  readonly atMin: Partitions;
  readonly leaderless: Partitions;
  readonly unstable: Partitions;
  readonly disagree: Partitions;
  readonly unknownMin: Partitions;
  /** The least time that an unstable ISR has been as it is. */
  readonly shortestMs: number;
  /** In-sync replicas that stay: everyone of them is counted on. */
  readonly survivors: ReadonlySet<number>;
}

/** Looks at each partition that any view connects with the broker. Views that the broker gave itself do not count. */
export function scan(read: Scannable, broker: number): Scan {
  const views = read.views.flatMap((view, index) => (view.broker === broker ? [] : [index]));
  const found = new Found();
  const each = new Look(read, { broker, views }, found);
  const rows = read.aligned.rowsOf.get(broker);
  if (rows !== undefined && views.length > 0) for (const row of rows) each.at(row);
  return found.scan;
}

class Found {
  readonly below = new PartitionCount();
  readonly atMin = new PartitionCount();
  readonly leaderless = new PartitionCount();
  readonly unstable = new PartitionCount();
  readonly disagree = new PartitionCount();
  readonly unknownMin = new PartitionCount();
  readonly survivors = new Set<number>();
  shortestMs = Infinity;

  get scan(): Scan {
    const { below, atMin, leaderless, unstable, disagree, unknownMin, survivors, shortestMs } = this;
    return {
      ...{ below: below.value, atMin: atMin.value, leaderless: leaderless.value, unstable: unstable.value },
      ...{ disagree: disagree.value, unknownMin: unknownMin.value, shortestMs, survivors },
    };
  }
}

/** Of a broker that no partition names. */
export const emptyScan: Scan = new Found().scan;

class Look {
  readonly #read: Scannable;
  readonly #broker: number;
  readonly #found: Found;
  readonly #tables: PartitionTable[];
  readonly #rows: Int32Array[];
  readonly #readAtMs: number;
  /** By broker, whether it is among the survivors: rows repeat the same few, and this is quicker to ask than a set. */
  readonly #seen: boolean[] = [];

  constructor(
    read: Scannable,
    { broker, views }: { readonly broker: number; readonly views: readonly number[] },
    found: Found,
  ) {
    this.#read = read;
    this.#broker = broker;
    this.#found = found;
    this.#tables = views.map((v) => read.views[v]!.partitions);
    this.#rows = views.map((v) => read.aligned.joined.rows[v]!);
    this.#readAtMs = Math.min(...views.map((v) => read.views[v]!.readAtMs));
  }

  at(joinedRow: number): void {
    const found = this.#found;
    const row = this.#rows[0]![joinedRow]!;
    if (!this.#agreed(joinedRow, row)) {
      found.disagree.add(() => this.#named(joinedRow));
      return;
    }
    const table = this.#tables[0]!;
    if (table.leader[row]! < 0 && this.#wanted(joinedRow, row))
      found.leaderless.add(() => this.#named(joinedRow));
    const replicas = lengthAt(table.replicas, row);
    const set = this.#read.minIsr[joinedRow]!;
    if (set < 1 || replicas === 0) {
      found.unknownMin.add(() => this.#named(joinedRow));
      return;
    }
    this.#weigh(joinedRow, row, Math.min(set, replicas));
  }

  /** All views that count have the partition and show the same. Where all there are do, the others need no look. */
  #agreed(joinedRow: number, row: number): boolean {
    if (this.#read.aligned.agreed[joinedRow] === 1) return true;
    if (row < 0) return false;
    return this.#tables.every((other, v) => {
      const at = this.#rows[v]![joinedRow]!;
      return at >= 0 && this.#sameAsAll(joinedRow, other, at);
    });
  }

  #sameAsAll(joinedRow: number, table: PartitionTable, row: number): boolean {
    return this.#tables.every((other, v) => {
      const at = this.#rows[v]![joinedRow]!;
      return at >= 0 && sameRows(table, row, other, at);
    });
  }

  /**
   * Whether this broker may become the leader: in sync, or eligible by any view that tells. Where none tells, and nobody is
   * in sync, any replica may be eligible.
   */
  #wanted(joinedRow: number, row: number): boolean {
    const { isr } = this.#tables[0]!;
    if (names(isr, row, this.#broker)) return true;
    const told = this.#tables.flatMap(({ elr }, v) => (elr === undefined ? [] : [{ elr, v }]));
    if (told.length === 0) return lengthAt(isr, row) === 0;
    return told.some(({ elr, v }) => names(elr, this.#rows[v]![joinedRow]!, this.#broker));
  }

  #weigh(joinedRow: number, row: number, min: number): void {
    const { isr, replicas } = this.#tables[0]!;
    const found = this.#found;
    const surviving = this.#countSurvivors(row);
    const total = lengthAt(replicas, row);
    const atMin = min >= total;
    const floor = atMin ? total - 1 : min;
    if (surviving < floor) {
      found.below.add(() => this.#named(joinedRow));
      return;
    }
    if (atMin && names(replicas, row, this.#broker)) found.atMin.add(() => this.#named(joinedRow));
    if (lengthAt(isr, row) > 0 && floor > 0 && (surviving === floor || this.#read.allStable))
      this.#weighStability(joinedRow, row);
  }

  #countSurvivors(row: number): number {
    const { first, items } = this.#tables[0]!.isr;
    let surviving = 0;
    for (let i = first[row]!; i < first[row + 1]!; i++) {
      const member = items[i]!;
      if (member === this.#broker) continue;
      surviving++;
      if (this.#seen[member] === true) continue;
      this.#seen[member] = true;
      this.#found.survivors.add(member);
    }
    return surviving;
  }

  #weighStability(joinedRow: number, row: number): void {
    const sinceMs = this.#since(joinedRow, row);
    const stableMs = this.#readAtMs - sinceMs;
    if (stableMs >= this.#read.stableMs) return;
    this.#found.shortestMs = Math.min(this.#found.shortestMs, Math.max(0, stableMs));
    this.#found.unstable.add(() => this.#named(joinedRow));
  }

  /** Since when the ISR that the views show is known to be as it is; the read itself where the history has another. */
  #since(joinedRow: number, row: number): number {
    const { aligned, views, history } = this.#read;
    const { joined, agreed, sinceMs } = aligned;
    if (agreed[joinedRow] === 1) return Math.min(sinceMs[joinedRow]!, this.#readAtMs);
    const at = history === undefined ? -1 : joined.rows[views.length]![joinedRow]!;
    if (history === undefined || at < 0) return this.#readAtMs;
    const same = sameLists(history.table.isr, at, this.#tables[0]!.isr, row);
    return same ? history.sinceMs[at]! : this.#readAtMs;
  }

  /** In sync by every view that has the partition. */
  #named(joinedRow: number): NamedPartition {
    const { aligned, minIsr } = this.#read;
    const { joined } = aligned;
    const shown = this.#tables.flatMap((table, v) => {
      const at = this.#rows[v]![joinedRow]!;
      return at < 0 ? [] : [{ isr: listAt(table.isr, at), replicas: listAt(table.replicas, at) }];
    });
    const [first] = shown;
    const replicas = first?.replicas ?? [];
    const set = minIsr[joinedRow]!;
    return {
      topic: joined.topics[joined.topicOf[joinedRow]!]!,
      partition: joined.partition[joinedRow]!,
      isr: (first?.isr ?? []).filter((broker) => shown.every(({ isr }) => isr.includes(broker))),
      replicas,
      min: set < 1 ? -1 : Math.min(set, replicas.length),
    };
  }
}

import type { MetadataView } from '../../gate/evidence.ts';
import { type IsrHistory, follow } from '../../gate/isr-history.ts';
import type { PartitionTable } from '../../gate/partitions.ts';
import { type Aligned, align, byRow } from '../../gate/prepared.ts';
import { type Scan, scan } from '../../gate/scan.ts';
// By its file: the rest of the client does not belong into the thread that this runs in.
import { type BrokerView, type ViewBytes, readView } from '../../kafka/view-columns.ts';
import { type Standing, type Troubles, findStanding, findTroubles } from './standing.ts';

/** One broker's answer. */
export interface Told {
  readonly broker: number;
  readonly bytes: ViewBytes;
}

/** What a read says of the cluster: it grows with the topics and with what is out of order, not with the partitions. */
export interface Digest extends Troubles {
  /** All that are told of; sorted. */
  readonly topics: readonly string[];
  /** In the order of the answers; those that cannot be judged are left out. */
  readonly views: readonly DigestedView[];
  /** Brokers that any view connects with a partition. */
  readonly brokers: readonly number[];
}

export interface DigestedView extends Omit<BrokerView, 'partitions'> {
  readonly broker: number;
  readonly standing: Standing;
}

/** What a scan needs beside the partitions. */
export interface ScanTerms {
  /** min.insync.replicas as set, in the order of the topics; -1 where it is unknown. */
  readonly mins: Int32Array;
  readonly stableMs: number;
  readonly allStable: boolean;
}

interface Read {
  readonly views: readonly Pick<MetadataView, 'broker' | 'readAtMs' | 'partitions'>[];
  readonly aligned: Aligned;
}

/** All that grows with the partitions of reads: their answers as tables, and since when ISRs are as they are. */
export class Digestion {
  #history: IsrHistory | undefined;
  #read: Read | undefined;

  /** `readAtMs`: when they were asked. */
  digest(told: readonly Told[], readAtMs: number): Digest {
    this.#read = undefined;
    const legible = told.flatMap(({ broker, bytes }) => {
      const view = legibleView(bytes);
      return view === undefined ? [] : [{ broker, readAtMs, ...view }];
    });
    const [first] = legible;
    if (first !== undefined) this.#history = followed(this.#history, first.partitions, readAtMs);
    const aligned = align({ views: legible, ...this.#known() });
    this.#read = { views: legible, aligned };
    const { topics } = aligned.joined;
    return {
      topics,
      views: legible.map(({ partitions, broker, controllerId, serving }) => ({
        ...{ broker, controllerId, serving },
        standing: findStanding(partitions),
      })),
      brokers: [...aligned.rowsOf.keys()],
      ...findTroubles(first?.partitions, topics),
    };
  }

  /** By broker, of the last digest: all that it names. */
  scan({ mins, stableMs, allStable }: ScanTerms): Map<number, Scan> {
    if (this.#read === undefined) throw new Error('Nothing has been read that could be scanned');
    const { aligned, views } = this.#read;
    const minIsr = byRow(aligned.joined, mins);
    const read = { aligned, views, ...this.#known(), minIsr, stableMs, allStable };
    return new Map([...aligned.rowsOf.keys()].map((broker) => [broker, scan(read, broker)]));
  }

  /** What was read is not needed any more, but for the history. */
  forget(): void {
    this.#read = undefined;
  }

  #known(): { history?: IsrHistory } {
    return this.#history === undefined ? {} : { history: this.#history };
  }
}

/** A partition that stands twice in pages of a moment ago cannot be judged: no view then. */
function legibleView(bytes: ViewBytes): BrokerView | undefined {
  try {
    return readView(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A clock that was put back would hold the history for ever: it begins anew then. */
function followed(history: IsrHistory | undefined, table: PartitionTable, readAtMs: number): IsrHistory {
  const usable = history !== undefined && readAtMs >= history.lastReadAtMs;
  return follow(usable ? history : undefined, table, readAtMs);
}

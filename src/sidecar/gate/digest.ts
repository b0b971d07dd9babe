import { type IsrHistory, follow } from '../../gate/isr-history.ts';
import type { PartitionTable } from '../../gate/partitions.ts';
import { type Aligned, align } from '../../gate/prepared.ts';
// By its file: the rest of the client does not belong into the thread that this runs in.
import { type BrokerView, type ViewBytes, readView } from '../../kafka/view-columns.ts';
import { type Standing, findStanding } from './sync.ts';

/** What a read of Kafka has brought, with what is known from earlier ones. */
export interface Undigested {
  readonly views: readonly { readonly bytes: ViewBytes; readonly readAtMs: number }[];
  readonly history?: IsrHistory;
}

export interface Digest extends Aligned {
  /** Undefined where an answer cannot be judged; `joined` is of the others. */
  readonly views: readonly (DigestedView | undefined)[];
  readonly history?: IsrHistory;
}

export interface DigestedView extends BrokerView {
  readonly standing: Standing;
}

/** All that grows with the partitions of a read: its answers as tables, since when ISRs are as they are, and views side by side. */
export function digest({ views, history: before }: Undigested): Digest {
  const read = sharing(views.map(({ bytes }) => legible(bytes)));
  const first = read.findIndex((view) => view !== undefined);
  const history = followed(before, read[first]?.partitions, views[first]?.readAtMs);
  const aligned = align({
    views: read.filter((view) => view !== undefined),
    ...(history === undefined ? {} : { history }),
  });
  const digested = read.map((view) => view && { ...view, standing: findStanding(view.partitions) });
  return { ...aligned, views: digested, ...(history === undefined ? {} : { history }) };
}

/** A partition that stands twice in pages of a moment ago cannot be judged: no view then. */
function legible(bytes: ViewBytes): BrokerView | undefined {
  try {
    return readView(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A clock that was put back would hold the history for ever: it begins anew then. */
function followed(
  history: IsrHistory | undefined,
  table: PartitionTable | undefined,
  readAtMs = 0,
): IsrHistory | undefined {
  if (table === undefined) return history;
  const usable = history !== undefined && readAtMs >= history.lastReadAtMs;
  return follow(usable ? history : undefined, table, readAtMs);
}

/** Views that name the same topics have one list of them: between threads it is copied once. */
function sharing(views: readonly (BrokerView | undefined)[]): (BrokerView | undefined)[] {
  const topics = views.find((view) => view !== undefined)?.partitions.topics ?? [];
  return views.map((view) => {
    if (view === undefined || !sameTexts(view.partitions.topics, topics)) return view;
    return { ...view, partitions: { ...view.partitions, topics } };
  });
}

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

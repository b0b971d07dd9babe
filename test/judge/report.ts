import { table } from '../../src/cli/output/table.ts';

/** What one scene cost on one kind of cluster. */
export interface Measure {
  readonly acknowledged: number;
  readonly lost: number;
  /** Acknowledged, and not seen by the consumer group that read along. */
  readonly unread: number;
  readonly rejected: number;
  readonly underMinIsrPartitionSeconds: number;
  readonly offlinePartitionSeconds: number;
  readonly longestGapMs: number;
  readonly durationMs: number;
  /** What else there is to say, such as a drain that never ended. */
  readonly notes: readonly string[];
}

/** A measure, or why there is none. */
export type Result = { readonly measure: Measure } | { readonly failed: string };

/** Kinds of clusters, in the order in which the table shows them. */
export const sides = ['warden', 'plain', 'probed'] as const;
export type Side = (typeof sides)[number];

export const sideTitles: Readonly<Record<Side, string>> = {
  warden: 'with kafka-warden',
  plain: 'without',
  probed: 'without, with a probe',
};

export interface Row {
  readonly scene: string;
  readonly results: Readonly<Partial<Record<Side, Result>>>;
}

interface Column {
  readonly title: string;
  readonly cell: (measure: Measure) => string;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Nothing but nothing is shown as 0: what rounds to it is shown in milliseconds. */
const partitionSeconds = (value: number): string =>
  value > 0 && value < 0.05 ? `${(value * 1000).toFixed(0)} ms` : value.toFixed(1);

const columns: readonly Column[] = [
  { title: 'lost acked', cell: ({ lost }) => String(lost) },
  { title: 'rejected', cell: ({ rejected }) => String(rejected) },
  {
    title: 'under min ISR',
    cell: ({ underMinIsrPartitionSeconds }) => partitionSeconds(underMinIsrPartitionSeconds),
  },
  { title: 'offline', cell: ({ offlinePartitionSeconds }) => partitionSeconds(offlinePartitionSeconds) },
  { title: 'longest gap', cell: ({ longestGapMs }) => seconds(longestGapMs) },
  { title: 'duration', cell: ({ durationMs }) => seconds(durationMs) },
  { title: 'acked', cell: ({ acknowledged }) => String(acknowledged) },
  { title: 'unread', cell: ({ unread }) => String(unread) },
];

const cells = (result: Result): string[] =>
  columns.map(({ cell }) => ('measure' in result ? cell(result.measure) : 'failed'));

/** The kinds of one row that were run, in their order. */
const resultsOf = ({ results }: Row): [Side, Result][] =>
  sides.flatMap((side): [Side, Result][] => {
    const result = results[side];
    return result === undefined ? [] : [[side, result]];
  });

/** Each scene with kafka-warden above the same without it; what else there is to say stands below. */
export function reportOf(rows: readonly Row[]): string {
  const head = ['scene', '', ...columns.map(({ title }) => title)];
  const body = rows.flatMap((row) =>
    resultsOf(row).map(([side, result], index) => [
      index === 0 ? row.scene : '',
      sideTitles[side],
      ...cells(result),
    ]),
  );
  return `${table([head, ...body])}
Lost and rejected: messages of both producers. Under min ISR and offline: partition-seconds by the metadata log.
Gap: the longest time of any partition without an acknowledgement. Without: a plain StatefulSet with a plain budget.
${notesOf(rows)}`;
}

function notesOf(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) =>
    resultsOf(row).flatMap(([side, result]) => {
      const notes = 'measure' in result ? result.measure.notes : [`failed: ${result.failed}`];
      return notes.map((note) => `  ${row.scene}, ${sideTitles[side]}: ${note}\n`);
    }),
  );
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}

/** Whether the rows with kafka-warden keep what is promised: nothing lost, unread, refused, under its minimum or offline. */
export const promisesKept = (rows: readonly Row[]): boolean =>
  rows.every(({ results: { warden: result } }) => {
    if (result === undefined) return true;
    if ('failed' in result) return false;
    const { lost, unread, rejected, underMinIsrPartitionSeconds, offlinePartitionSeconds } = result.measure;
    return [lost, unread, rejected, underMinIsrPartitionSeconds, offlinePartitionSeconds].every(
      (figure) => figure === 0,
    );
  });

import { table } from '../../src/cli/output/table.ts';

/** What one scenario cost on one kind of cluster. */
export interface Measure {
  readonly acknowledged: number;
  readonly lost: number;
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

export interface Row {
  readonly scenario: string;
  readonly with?: Result;
  readonly without?: Result;
}

interface Column {
  readonly title: string;
  readonly cell: (measure: Measure) => string;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const columns: readonly Column[] = [
  { title: 'lost acked', cell: ({ lost }) => String(lost) },
  { title: 'rejected', cell: ({ rejected }) => String(rejected) },
  {
    title: 'under min ISR',
    cell: ({ underMinIsrPartitionSeconds }) => underMinIsrPartitionSeconds.toFixed(1),
  },
  { title: 'offline', cell: ({ offlinePartitionSeconds }) => offlinePartitionSeconds.toFixed(1) },
  { title: 'longest gap', cell: ({ longestGapMs }) => seconds(longestGapMs) },
  { title: 'duration', cell: ({ durationMs }) => seconds(durationMs) },
  { title: 'acked', cell: ({ acknowledged }) => String(acknowledged) },
];

const cells = (result: Result | undefined): string[] => {
  if (result === undefined) return columns.map(() => '-');
  return 'measure' in result ? columns.map(({ cell }) => cell(result.measure)) : columns.map(() => 'failed');
};

/** A title over the two columns that belong to it, and the values of both sides beside each other. */
export function reportOf(rows: readonly Row[]): string {
  const pairs = (of: readonly string[], and: readonly string[]) =>
    of.flatMap((cell, index) => [cell, and[index] ?? '']);
  const head = ['', ...columns.flatMap(({ title }) => [title, ''])];
  const sides = ['scenario', ...columns.flatMap(() => ['with', 'without'])];
  const body = rows.map((row) => [row.scenario, ...pairs(cells(row.with), cells(row.without))]);
  return `${table([head, sides, ...body])}\nPartition-seconds by the metadata log; "with" and "without" kafka-warden, the latter a plain StatefulSet with a plain budget.\n${notesOf(rows)}`;
}

function notesOf(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ scenario, ...sides }) =>
    (['with', 'without'] as const).flatMap((side) => {
      const result = sides[side];
      if (result === undefined) return [];
      const notes = 'measure' in result ? result.measure.notes : [`failed: ${result.failed}`];
      return notes.map((note) => `  ${scenario}, ${side}: ${note}\n`);
    }),
  );
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}

/** Whether the rows with kafka-warden keep what is promised: nothing lost, refused, under its minimum or offline. */
export const promisesKept = (rows: readonly Row[]): boolean =>
  rows.every(
    ({ with: result }) =>
      result === undefined ||
      ('measure' in result &&
        result.measure.lost === 0 &&
        result.measure.rejected === 0 &&
        result.measure.underMinIsrPartitionSeconds === 0 &&
        result.measure.offlinePartitionSeconds === 0),
  );

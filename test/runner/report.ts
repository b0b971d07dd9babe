import { inspect, styleText } from 'node:util';
import type { Counts, FileRun, Listener, TestEnd } from './execute.ts';
import { shown } from './files.ts';

type Style = Parameters<typeof styleText>[0];

const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout });

const duration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

const marks = {
  passed: ['green', '✔'],
  failed: ['red', '✖'],
  skipped: ['gray', '﹣'],
  todo: ['yellow', '◇'],
} as const;

const line = (end: TestEnd): string => {
  const [style, mark] = marks[end.outcome];
  const indent = '  '.repeat(end.nesting + 1);
  const note = end.outcome === 'skipped' && end.reason ? ` (skipped: ${end.reason})` : '';
  return `${indent}${styled(style, `${mark} ${end.name}`)}${note} ${styled('gray', `(${duration(end.durationMs)})`)}`;
};

/** The error itself, without the wrapper that Node's runner puts around it. */
const cause = (error: unknown): unknown =>
  error instanceof Error && 'failureType' in error && error.cause !== undefined ? error.cause : error;

const errorText = (error: unknown): string => {
  const inner = cause(error);
  return (typeof inner === 'string' ? inner : inspect(inner, { depth: 6, colors: process.stdout.isTTY }))
    .split('\n')
    .map((text) => `      ${text}`)
    .join('\n');
};

/** A suite or a parent test fails by its subtests, which have been printed. */
const ownFailure = (end: TestEnd): boolean =>
  end.outcome === 'failed' &&
  !(end.error instanceof Error && 'failureType' in end.error && end.error.failureType === 'subtestsFailed');

const summary = ({ file, counts, durationMs }: FileRun): string => {
  const parts = [`${counts.passed} passed`];
  for (const kind of ['failed', 'cancelled', 'skipped', 'todo'] as const) {
    if (counts[kind] > 0) parts.push(`${counts[kind]} ${kind}`);
  }
  return `${shown(file)}: ${parts.join(', ')} in ${duration(durationMs)}`;
};

/**
 * Prints one file's run: a line for each test, failures in full, and what the tests themselves printed where one of
 * them failed. `live` prints as it happens, which suits files that run alone; else a file is printed when it ends.
 */
export const reporter = ({ live }: { live: boolean }): Listener => {
  const lines: string[] = [];
  const output: string[] = [];
  const print = (text: string) => (live ? console.log(text) : lines.push(text));
  let begun = false;
  const begin = (file: string) => {
    if (live && !begun) console.log(styled('bold', shown(file)));
    begun = true;
  };
  return {
    test(file, end) {
      begin(file);
      print(line(end));
      if (ownFailure(end)) print(`${errorText(end.error)}\n      at ${shown(file)}:${end.line ?? 1}`);
    },
    output(file, text) {
      begin(file);
      if (live) process.stdout.write(text);
      else output.push(text);
    },
    end(run) {
      const verdict = styled(run.ok ? 'green' : 'red', summary(run));
      const printed =
        run.ok || output.length === 0 ? [] : ['  printed by the tests:', output.join('').trimEnd()];
      console.log([...lines, ...printed, verdict].join('\n'));
    },
  };
};

/** Adds up what several files counted. */
export const totals = (runs: readonly FileRun[]): Counts => {
  const sum: Counts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
  for (const { counts } of runs) {
    for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key];
  }
  return sum;
};

const list = (title: string, entries: readonly string[]): void => {
  if (entries.length > 0) console.log(`\n${title}\n${entries.map((entry) => `  ${entry}`).join('\n')}`);
};

/** Prints what was skipped and why, what failed, and Node's closing lines with the totals over all files. */
export const printClosing = (runs: readonly FileRun[], durationMs: number): void => {
  const each = runs.flatMap(({ file, tests }) => tests.map((end) => ({ file, end })));
  const skipped = each.filter(({ end }) => end.outcome === 'skipped' && !end.suite);
  const failed = each.filter(({ end }) => ownFailure(end));
  list(
    'skipped:',
    skipped.map(({ file, end }) => `${shown(file)}: ${end.name}: ${end.reason ?? 'no reason given'}`),
  );
  list(
    'failed:',
    failed.map(({ file, end }) => `${shown(file)}:${end.line ?? 1}: ${end.name}`),
  );
  const { tests, suites, passed, failed: failures, cancelled, skipped: skips, todo } = totals(runs);
  const counts = { tests, suites, pass: passed, fail: failures, cancelled, skipped: skips, todo };
  console.log('');
  for (const [name, count] of Object.entries(counts)) console.log(`ℹ ${name} ${count}`);
  console.log(`ℹ duration_ms ${Math.round(durationMs)}`);
};

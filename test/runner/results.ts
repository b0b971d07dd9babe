import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { FileRun, TestEnd } from './execute.ts';
import { resultsFolder, shown } from './files.ts';
import { totals } from './report.ts';

const git = (...args: string[]): string => {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
};

const firstLine = (error: unknown): string => {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text = inner instanceof Error ? inner.message : inspect(inner);
  return text.split('\n', 1)[0] ?? '';
};

const testResult = (end: TestEnd) => ({
  name: end.name,
  nesting: end.nesting,
  outcome: end.outcome,
  durationMs: Math.round(end.durationMs),
  ...(end.reason !== undefined && { reason: end.reason }),
  ...(end.error !== undefined && { error: firstLine(end.error) }),
  ...(end.notes !== undefined && { notes: end.notes }),
});

const markdown = (result: ReturnType<typeof resultOf>): string => {
  const { counts } = result;
  const rows = result.files.flatMap(({ file, tests }) =>
    tests.map(
      (test) =>
        `| ${file} | ${'– '.repeat(test.nesting)}${test.name.replaceAll('|', '\\|')} | ${test.outcome}${test.reason ? `: ${test.reason}` : ''} | ${(test.durationMs / 1000).toFixed(1)} |`,
    ),
  );
  const said = result.files
    .flatMap(({ tests }) => tests)
    .flatMap(({ name, notes = [] }) =>
      notes.length === 0 ? [] : [`- ${name}`, ...notes.map((one) => `  - ${one}`)],
    );
  return [
    `# Shard ${result.shard}`,
    '',
    `Commit ${result.commit}${result.clean ? '' : ' (with uncommitted changes)'}, ${result.date}, Node ${result.node}, ` +
      `${result.cores} cores, ${result.memoryGib} GiB. ` +
      `${counts.tests} tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.cancelled} cancelled, ` +
      `${counts.skipped} skipped, in ${(result.durationMs / 60_000).toFixed(1)} min.`,
    '',
    '| file | test | outcome | seconds |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    ...(said.length === 0 ? [] : ['What the tests said:', '', ...said, '']),
  ].join('\n');
};

/** What was checked out; to be asked before the tests, since commits may be made while they run. */
export const checkout = () => ({
  commit: git('rev-parse', 'HEAD'),
  // What earlier runs left is no part of what is run.
  clean: git('status', '--porcelain', '--untracked-files=no', '--', ':/', ':!/test/results') === '',
});

const machine = () => ({
  date: new Date().toISOString(),
  node: process.version,
  cores: cpus().length,
  memoryGib: Math.round(totalmem() / 2 ** 30),
});

/** Of what, when and on what something is run. */
export const provenance = () => ({ ...checkout(), ...machine() });

/** One run of a shard. */
export interface ShardRun {
  readonly shard: string;
  readonly runs: readonly FileRun[];
  readonly durationMs: number;
  readonly tested: ReturnType<typeof checkout>;
}

const resultOf = ({ shard, runs, durationMs, tested }: ShardRun) => ({
  schema: 1,
  shard,
  ...tested,
  ...machine(),
  durationMs: Math.round(durationMs),
  ok: runs.every((run) => run.ok),
  counts: totals(runs),
  files: runs.map((run) => ({
    file: shown(run.file),
    ok: run.ok,
    durationMs: Math.round(run.durationMs),
    tests: run.tests.map(testResult),
  })),
});

/** Writes `test/results/SHARD.json` and a readable `SHARD.md` beside it; returns the path of the first. */
export const writeResults = (run: ShardRun): string => {
  const result = resultOf(run);
  const path = join(resultsFolder, `${run.shard}.json`);
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(join(resultsFolder, `${run.shard}.md`), markdown(result));
  return shown(path);
};

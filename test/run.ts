/**
 * The test runner behind `npm test`.
 *
 * ```
 * node test/run.ts                 units and properties two files at a time, then brokers on loopback, the cluster tests and journeys one by one
 * node test/run.ts --unit          the first part only
 * node test/run.ts --full           lists the shards of what takes longer (npm run e2e:full)
 * node test/run.ts --shard NAME    test/e2e/NAME, results written to test/results/NAME.json and .md
 * node test/run.ts FILE...         only these files
 * ```
 * The last lines are the totals over everything that ran; the exit code is 1 when anything failed.
 */
import { parseArgs } from 'node:util';
import { execute, type FileRun } from './runner/execute.ts';
import { shardFiles, shardNames, suites } from './runner/files.ts';
import { printClosing, reporter } from './runner/report.ts';
import { checkout, writeResults } from './runner/results.ts';

const requiredMajor = 24;

if (Number(process.versions.node.split('.')[0]) < requiredMajor) {
  console.error(
    `The tests need Node ${requiredMajor} and this is ${process.version}. ` +
      'Start them with `npm test`: npm puts the Node that the project installs first on the path.',
  );
  process.exit(2);
}

const { values, positionals } = parseArgs({
  options: { unit: { type: 'boolean' }, full: { type: 'boolean' }, shard: { type: 'string' } },
  allowPositionals: true,
  strict: false,
});

const runAll = async (files: readonly string[], concurrency: number): Promise<FileRun[]> => {
  const waiting = [...files];
  const runs: FileRun[] = [];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const live = concurrency === 1;
      runs.push(await execute(file, reporter({ live })));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return runs;
};

const started = performance.now();

const finish = (runs: readonly FileRun[]): void => {
  printClosing(runs, performance.now() - started);
  process.exitCode = runs.every((run) => run.ok) && runs.length > 0 ? 0 : 1;
};

/** Runs files that share the test cluster. Where the cluster fails, that is said and fails the run; totals still come. */
const runOnCluster = async (
  files: readonly string[],
): Promise<{ runs: FileRun[]; clusterFailed: boolean }> => {
  const runs: FileRun[] = [];
  try {
    const { withSharedCluster } = await import('./runner/shared-cluster.ts');
    await withSharedCluster(async () => runs.push(...(await runAll(files, 1))));
    return { runs, clusterFailed: false };
  } catch (error) {
    console.error('\nThe test cluster failed:', error);
    return { runs, clusterFailed: true };
  }
};

const runShard = async (name: string): Promise<void> => {
  const files = shardFiles(name);
  if (files.length === 0) {
    const known = shardNames();
    console.error(`There is no shard ${JSON.stringify(name)} with tests under test/e2e.`);
    console.error(known.length > 0 ? `Shards: ${known.join(', ')}` : 'No shard exists yet.');
    process.exitCode = 2;
    return;
  }
  const tested = checkout();
  const { runs, clusterFailed } = await runOnCluster(files);
  const durationMs = performance.now() - started;
  console.log(`\nresults written to ${writeResults({ shard: name, runs, durationMs, tested })}`);
  finish(runs);
  if (clusterFailed) process.exitCode = 1;
};

const runSuites = async (unitOnly: boolean): Promise<void> => {
  const { unit, loopback, serial } = suites();
  const runs = await runAll(unit, 2);
  if (!unitOnly) runs.push(...(await runAll(loopback, 1)));
  const shared = unitOnly ? { runs: [], clusterFailed: false } : await runOnCluster(serial);
  finish([...runs, ...shared.runs]);
  if (shared.clusterFailed) process.exitCode = 1;
};

// `--shard` without a name arrives as `true`: an empty name lists the shards.
if (values.full === true || values.shard !== undefined)
  await runShard(typeof values.shard === 'string' ? values.shard : '');
else if (positionals.length > 0) finish(await runAll(positionals, 1));
else await runSuites(values.unit === true);

/**
 * `npm run bench:disruptions [-- --scenario NAME]… [--side with|without] [--kafka 4.1|3.9] [--probe] [--json]`: drains, a rolling restart and scaling of a
 * hardened Kafka with kafka-warden beside the same on a plain StatefulSet with a plain budget, each under two producers. What was lost, refused and
 * out of sync stands in one table. Both begin as manifests without a readiness probe, as people first write them; `--probe` gives the plain one a
 * probe on its client port. Runs on the test cluster (test/cluster), one that stands or one that it starts and ends.
 * Ends with 1 where kafka-warden's side does not keep its promises.
 */
import { parseArgs } from 'node:util';
import { clusterUnavailable, startCluster, type Cluster, type KafkaLine } from '../test/cluster/index.ts';
import { promisesKept, reportOf, type Result, type Row } from '../test/judge/report.ts';
import { measure } from './disruptions/measure.ts';
import { type Scenario, scenarios } from './disruptions/scenarios.ts';
import { type Side, type Subject, startSubject } from './disruptions/subjects.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    side: { type: 'string' },
    kafka: { type: 'string', default: '4.1' },
    probe: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

const lines: readonly KafkaLine[] = ['4.1', '3.9'];
const line =
  lines.find((one) => one === values.kafka) ??
  refuse(`There is no Kafka ${values.kafka} here: ${lines.join(', ')}.`);
const wanted = values.scenario ?? scenarios.map(({ name }) => name);
const chosen = wanted.map(
  (name) =>
    scenarios.find((one) => one.name === name) ??
    refuse(`There is no scenario ${name}: ${scenarios.map((one) => one.name).join(', ')}.`),
);
// The plain Kafka comes first, on a cluster that has no kafka-warden yet.
const sides = (['without', 'with'] as const).filter(
  (side) => values.side === undefined || values.side === side,
);
if (sides.length === 0) refuse(`There is no side ${values.side}: with, without.`);
const unavailable = clusterUnavailable();
if (unavailable !== undefined) refuse(unavailable);

const startedAt = performance.now();
const say = (text: string) =>
  process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);

/** A scenario that fails is a row that says so; the nodes are put back for the next one. */
async function resultOf(subject: Subject, scenario: Scenario): Promise<Result> {
  try {
    return { measure: await measure(subject, scenario) };
  } catch (error) {
    for (const node of await subject.cluster.nodes()) await subject.cluster.kubectl(['uncordon', node]);
    return { failed: (error as Error).message.slice(0, 600) };
  }
}

async function runSide(cluster: Cluster, side: Side): Promise<Map<string, Result>> {
  const results = new Map<string, Result>();
  say(`${side} kafka-warden: starting three brokers of Kafka ${line}`);
  const subject = await startSubject(cluster, side, { line, hasProbe: values.probe });
  try {
    for (const scenario of chosen) {
      say(`${side} kafka-warden: ${scenario.title}`);
      const result = await resultOf(subject, scenario);
      results.set(scenario.name, result);
      say(JSON.stringify(result));
    }
  } finally {
    await subject.end().catch((error: unknown) => say(`not removed: ${String(error)}`));
  }
  return results;
}

const bySide = new Map<Side, Map<string, Result>>();
{
  await using cluster = await startCluster();
  for (const side of sides) bySide.set(side, await runSide(cluster, side));
}

const rows = chosen.map(({ name, title }): Row => {
  const [ours, plain] = [bySide.get('with')?.get(name), bySide.get('without')?.get(name)];
  return {
    scenario: title,
    ...(ours === undefined ? {} : { with: ours }),
    ...(plain === undefined ? {} : { without: plain }),
  };
});
console.log(values.json ? JSON.stringify({ kafka: line, rows }, undefined, 2) : reportOf(rows));
process.exitCode = promisesKept(rows) ? 0 : 1;

/**
 * `npm run bench:disruptions [-- --scene NAME]… [--side warden|plain|probed]… [--kafka 4.1|3.9] [--stored]`: drains, a rolling restart, an upgrade and scaling of
 * a hardened Kafka with kafka-warden beside the same on a plain StatefulSet with a plain budget, each under two producers and consumers.
 * What was lost, refused and out of sync stands in one table. Both begin as manifests without a readiness probe, as people first write them;
 * `probed` (only where it is asked for) is the plain one with a probe on its client port. Runs on the test cluster (test/cluster), one that stands or one
 * that it starts and ends. Each part is stored in test/results/disruptions, and the table is made of what is stored; `--stored` runs nothing.
 * Ends with 1 where kafka-warden's side does not keep its promises.
 */
import { parseArgs } from 'node:util';
import { clusterUnavailable, startCluster, type Cluster, type KafkaLine } from '../test/cluster/index.ts';
import { promisesKept, reportOf, type Result, type Side, sides, sideTitles } from '../test/judge/report.ts';
import { provenance } from '../test/runner/results.ts';
import { measure } from './disruptions/measure.ts';
import { originOf, rowsOf, store, storedParts, storeTable } from './disruptions/parts.ts';
import { type Scene, scenes } from './disruptions/scenes.ts';
import { type Subject, startSubject } from './disruptions/subjects.ts';

const { values } = parseArgs({
  options: {
    scene: { type: 'string', multiple: true },
    side: { type: 'string', multiple: true },
    kafka: { type: 'string', default: '4.1' },
    stored: { type: 'boolean', default: false },
  },
});

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}

const lines: readonly KafkaLine[] = ['4.1', '3.9'];
const usualLine =
  lines.find((one) => one === values.kafka) ??
  refuse(`There is no Kafka ${values.kafka} here: ${lines.join(', ')}.`);
const chosen = (values.scene ?? scenes.map(({ name }) => name)).map(
  (name) =>
    scenes.find((one) => one.name === name) ??
    refuse(`There is no scene ${name}: ${scenes.map((one) => one.name).join(', ')}.`),
);
// The plain Kafka comes first, on a cluster that has no kafka-warden yet.
const order: readonly Side[] = ['plain', 'probed', 'warden'];
const unknown = values.side?.find((name) => !order.some((side) => side === name));
if (unknown !== undefined) refuse(`There is no side ${unknown}: ${sides.join(', ')}.`);
const chosenSides = order.filter((side) => (values.side ?? ['plain', 'warden']).includes(side));

const startedAt = performance.now();
// What the cluster's image is made of now, whatever is checked out when a part is done.
const origin = provenance();
const say = (text: string) =>
  process.stderr.write(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);

/** A scene that fails is a row that says so; the nodes are put back for the next one. */
async function resultOf(subject: Subject, scene: Scene): Promise<Result> {
  try {
    return { measure: await measure(subject, scene) };
  } catch (error) {
    for (const node of await subject.cluster.nodes()) await subject.cluster.kubectl(['uncordon', node]);
    // A command's last words say why.
    return { failed: (error as Error).message.slice(-600) };
  }
}

/** Runs scenes that begin with one line of Kafka, one after the other, on one cluster of Kafka. */
async function runScenes(cluster: Cluster, side: Side, kafka: KafkaLine): Promise<void> {
  const these = chosen.filter(({ line = usualLine }) => line === kafka);
  if (these.length === 0) return;
  say(`${sideTitles[side]}: starting three brokers of Kafka ${kafka}`);
  const subject = await startSubject(cluster, side, kafka);
  try {
    for (const scene of these) {
      say(`${sideTitles[side]}: ${scene.title}`);
      const result = await resultOf(subject, scene);
      store({ schema: 1, scene: scene.name, title: scene.title, side, kafka, ...origin, result });
      say(JSON.stringify(result));
    }
  } finally {
    await subject.end().catch((error: unknown) => say(`not removed: ${String(error)}`));
  }
}

if (!values.stored) {
  const unavailable = clusterUnavailable();
  if (unavailable !== undefined) refuse(unavailable);
  await using cluster = await startCluster();
  for (const side of chosenSides) for (const kafka of lines) await runScenes(cluster, side, kafka);
}

const parts = storedParts(scenes);
const rows = rowsOf(scenes, parts);
const text = `${reportOf(rows)}\n${originOf(parts)}`;
console.log(text);
if (parts.length > 0) console.error(`written to ${storeTable(text)}`);
process.exitCode = promisesKept(rows) ? 0 : 1;

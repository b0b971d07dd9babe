/**
 * Proves shapes on the test cluster that stands, or on one that is started for it:
 *
 * ```
 * node test/shapes/run-shape.ts NAME...      these; a name may end in * for all that begin so
 * node test/shapes/run-shape.ts              all that are run
 *   --keep             leave the namespaces, to look at
 *   --parallel N       how many side by side (1)
 *   --install          install kafka-warden anew, also where it is installed
 *   --evidence FOLDER  write what was seen of a failure to FOLDER/NAME.txt, not to standard error
 * ```
 * Prints a line for each as JSON when it ends, and a table at last; the exit code is 1 when any failed.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCluster, type Cluster } from '../cluster/index.ts';
import { installWarden, wardenNamespace } from '../support/warden.ts';
import { proveShape, type Proof } from './prove.ts';
import { readShape, shapeNames } from './shape.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: 'boolean', default: false },
    install: { type: 'boolean', default: false },
    parallel: { type: 'string', default: '1' },
    evidence: { type: 'string' },
  },
});

function chosen(): string[] {
  if (positionals.length === 0) return shapeNames().filter((name) => readShape(name).runs);
  return positionals.flatMap((wanted) =>
    wanted.endsWith('*') ? shapeNames().filter((name) => name.startsWith(wanted.slice(0, -1))) : [wanted],
  );
}

async function isInstalled(cluster: Cluster): Promise<boolean> {
  const get = ['-n', wardenNamespace, 'get', 'deployment/kafka-warden', '--ignore-not-found', '-o', 'name'];
  return (await cluster.kubectl(get)) !== '';
}

function tell({ failure, ...proof }: Proof): void {
  const reason = failure && {
    step: failure.step,
    error: failure.error instanceof Error ? failure.error.message.slice(0, 400) : String(failure.error),
  };
  console.log(JSON.stringify({ ...proof, ...(reason && { failure: reason }) }));
  if (failure === undefined) return;
  const text = `${proof.name}: ${failure.step}: ${reason?.error ?? ''}\n${failure.evidence}\n`;
  if (values.evidence === undefined) console.error(text);
  else writeFileSync(join(values.evidence, `${proof.name}.txt`), text);
}

async function proveAll(cluster: Cluster, names: readonly string[]): Promise<Proof[]> {
  const waiting = [...names];
  const proofs: Proof[] = [];
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const proof = await proveShape(cluster, name, { keep: values.keep });
      proofs.push(proof);
      tell(proof);
    }
  };
  await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
  return proofs;
}

await using cluster = await startCluster();
if (values.install || !(await isInstalled(cluster))) await installWarden(cluster);
const proofs = await proveAll(cluster, chosen());
console.table(
  proofs.map(({ name, outcome, ok, seconds, failure }) => ({
    name,
    outcome,
    ok,
    seconds,
    failed: failure?.step ?? '',
  })),
);
process.exitCode = proofs.every(({ ok }) => ok) ? 0 : 1;

import { after, before, suite, test } from 'node:test';
import { clusterUnavailable, startCluster, type Cluster } from '../cluster/index.ts';
import { installWarden } from '../support/warden.ts';
import { shapesOf, type Group } from './groups.ts';
import { proveShape, type Proof } from './prove.ts';
import { readShape } from './shape.ts';

/** How many shapes are proved side by side: a machine of two cores starts two clusters at once in about the time of one. */
const concurrency = 2;

/**
 * The tests of a shard, or of every second of its shapes, so that no file of tests takes too long: one for each shape, with every
 * step as a diagnostic.
 */
export function shapesSuite(group: Group, half?: 'odd' | 'even'): void {
  const names = shapesOf(group).filter((_, i) => half === undefined || (i % 2 === 0) === (half === 'odd'));
  suite(`shapes: ${group}`, { skip: clusterUnavailable() ?? false, concurrency }, () => {
    let cluster: Cluster;
    before(async () => {
      cluster = await startCluster();
      await installWarden(cluster);
    });
    after(async () => {
      await cluster?.[Symbol.asyncDispose]();
    });

    for (const name of names) {
      const { shape, runs, notRun } = readShape(name);
      const scope = runs ? '' : ` (at admission only: ${notRun ?? ''})`;
      test(`${name}: ${shape}${scope}`, async (t) => {
        const proof = await proveShape(cluster, name);
        for (const step of proof.steps) t.diagnostic(`${step.name}: ${step.seconds} s`);
        throwFailure(proof);
      });
    }
  });
}

function throwFailure({ failure }: Proof): void {
  if (failure === undefined) return;
  const reason = failure.error instanceof Error ? failure.error.message : String(failure.error);
  throw new Error(`${failure.step}: ${reason}\n${failure.evidence}`, { cause: failure.error });
}

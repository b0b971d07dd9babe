import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { keys } from '../names.ts';
import { harden, profilePins, type Outcome, type StatefulSet } from './index.ts';

/**
 * What each profile version makes of each fixture, to the letter: a published version's output never changes, because it would
 * roll every cluster that is pinned to it. `UPDATE_GOLDEN=1` writes files for what is new or not yet published.
 */
const folder = join(import.meta.dirname, 'golden');
const update = process.env['UPDATE_GOLDEN'] === '1';
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => file.slice(0, -'.in.yaml'.length));

const read = (file: string) => parse(readFileSync(join(folder, file), 'utf8')) as unknown;

function expectFile(file: string, actual: unknown): void {
  const plain = JSON.parse(JSON.stringify(actual)) as unknown;
  if (update || !existsSync(join(folder, file))) {
    assert.ok(update, `${file} is missing: run with UPDATE_GOLDEN=1 and read what it writes`);
    writeFileSync(join(folder, file), stringify(plain, { lineWidth: 0, singleQuote: true }));
  }
  assert.deepEqual(plain, read(file));
}

function created(set: StatefulSet, pin: string): Outcome {
  const annotations = { ...set.metadata?.annotations, [keys.profile]: pin };
  return harden({ ...set, metadata: { ...set.metadata, annotations } }, { namespace: 'demo' });
}

/** A set that was hardened while it ran under OrderedReady, written again. */
function ordered(set: StatefulSet, pin: string): Outcome {
  const { workload } = created(set, pin);
  const old = structuredClone(workload);
  if (old.spec !== undefined) old.spec.podManagementPolicy = 'OrderedReady';
  return harden(set, { namespace: 'demo', old });
}

for (const name of names)
  describe(name, () => {
    const manifest = read(`${name}.in.yaml`) as StatefulSet;
    for (const pin of profilePins.filter((p) => p.startsWith('apache-kafka/')))
      test(`is what profile ${pin} makes of it`, () => {
        const outcome = name === 'ordered-ready' ? ordered(manifest, pin) : created(manifest, pin);
        expectFile(`${name}.out.${pin.split('/')[1]}.yaml`, outcome.workload);
      });
    test('is reported as found', () => {
      const { decision, findings } = harden(manifest, { namespace: 'demo' });
      expectFile(`${name}.findings.yaml`, { decision, findings });
    });
  });

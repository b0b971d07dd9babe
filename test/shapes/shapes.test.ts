import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import {
  harden,
  unharden,
  type Decision,
  type Finding,
  type StatefulSet,
} from '../../src/hardening/index.ts';
import { applyApiDefaults } from '../../src/hardening/test/api-defaults.ts';
import { serverSideApply, threeWayMerge } from '../../src/hardening/test/merge.ts';
import { keys } from '../../src/names.ts';
import { shapesDocument } from '../../scripts/shapes.ts';
import { outcomesOf, type SetOutcome } from './outcomes.ts';
import { expectedOf, readShape, shapeNames, type Shape } from './shape.ts';

/**
 * What becomes of each shape, to the letter. A golden keeps the profile version that it was made with: what a published version
 * makes of a shape never changes. `UPDATE_GOLDEN=1` writes goldens by the newest version; read them before they are committed.
 */
interface Golden {
  set: string;
  decision: Decision;
  /** The pin of a hardened set. */
  profile?: string;
  findings: Finding[];
  /** The hardened object. */
  workload?: StatefulSet;
}

const update = process.env['UPDATE_GOLDEN'] === '1';
const plain = <T>(value: T) => JSON.parse(JSON.stringify(value)) as T;
const pathOf = (shape: Shape) => join(import.meta.dirname, 'golden', `${shape.name}.yaml`);

function goldenOf({ set, outcome: { decision, findings, workload } }: SetOutcome): Golden {
  const profile = workload.metadata?.annotations?.[keys.profile];
  const name = set.metadata?.name ?? '';
  return plain(
    decision === 'hardened' && profile !== undefined
      ? { set: name, decision, profile, findings, workload }
      : { set: name, decision, findings },
  );
}

function storedGoldens(shape: Shape): Golden[] {
  const path = pathOf(shape);
  if (update) {
    const made = outcomesOf(shape).map(goldenOf);
    writeFileSync(path, stringify(made, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false }));
  }
  assert.ok(existsSync(path), `${path} is missing: run with UPDATE_GOLDEN=1 and read what it writes`);
  return parse(readFileSync(path, 'utf8')) as Golden[];
}

const specOf = (set: StatefulSet) => plain(applyApiDefaults(set).spec);

type Write = (last: StatefulSet, live: StatefulSet, next: StatefulSet) => StatefulSet;

const writes: Record<string, Write> = {
  'kubectl apply': threeWayMerge,
  'server-side apply': serverSideApply,
  PUT: (_last, _live, next) => next,
};

function staysHardened({ set, outcome: { workload }, context }: SetOutcome): void {
  assert.deepEqual(harden(workload, context).patch, [], 'hardening again changes something');
  const live = applyApiDefaults(workload);
  for (const [name, write] of Object.entries(writes)) {
    const again = harden(applyApiDefaults(write(set, live, set)), { ...context, old: live });
    assert.equal(again.decision, 'hardened', name);
    assert.deepEqual(specOf(again.workload), specOf(live), `${name} of the same manifest makes a revision`);
  }
}

for (const shape of shapeNames().map(readShape))
  describe(`${shape.name}: ${shape.shape}`, () => {
    const goldens = storedGoldens(shape);
    const pinned = outcomesOf(
      shape,
      goldens.map((golden) => golden.profile),
    );
    for (const [i, made] of outcomesOf(shape).entries()) {
      const { set, outcome } = made;
      const name = set.metadata?.name ?? '';
      const expected = expectedOf(shape, set);
      test(`${name} is ${expected}, to the letter`, () => {
        assert.equal(outcome.decision, expected);
        assert.deepEqual(pinned[i] && goldenOf(pinned[i]), goldens[i]);
      });
      if (expected === 'hardened')
        test(`${name} stays as it is under every way of applying it again, and comes back by unharden`, () => {
          staysHardened(made);
          const back = unharden(applyApiDefaults(outcome.workload));
          assert.deepEqual(specOf(back), specOf(set));
          assert.deepEqual(back.metadata?.annotations ?? {}, set.metadata?.annotations ?? {});
        });
      else
        test(`${name} is left as it was written`, () => {
          assert.deepEqual(outcome.patch, []);
          assert.deepEqual(outcome.workload, set);
        });
    }
  });

test('every golden is of a shape that is there', () => {
  const goldens = readdirSync(join(import.meta.dirname, 'golden')).map((file) => file.replace(/\.yaml$/, ''));
  assert.deepEqual(goldens.sort(), shapeNames());
});

test('docs/shapes.md is up to date: node scripts/shapes.ts', () => {
  const path = join(import.meta.dirname, '../../docs/shapes.md');
  assert.equal(existsSync(path) ? readFileSync(path, 'utf8') : '', shapesDocument());
});

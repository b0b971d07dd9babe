import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyPatch, changes, patchBetween } from './diff.ts';
import { harden, rules } from './index.ts';
import { manifests } from './test/arbitrary.ts';
import { kafka } from './test/manifest.ts';
import { append, at, clone, drop, elementKey, pathOf, pathText, pointer, put, type Json } from './tree.ts';

const namespace = 'demo';

test('every operation of a patch carries a rule that can be explained', () => {
  fc.assert(
    fc.property(manifests, (manifest) => {
      for (const { rule } of harden(manifest, { namespace }).patch) assert.ok(rules[rule], rule);
    }),
    { numRuns: 100 },
  );
});

test('an operation carries the rule that asked for it', () => {
  const { patch } = harden(kafka({ env: { A: '1' } }), { namespace });
  const ruleOf = (text: string) => patch.find((p) => (p.value as { name?: string }).name === text)?.rule;
  assert.equal(ruleOf('CLUSTER_ID'), 'identity');
  assert.equal(ruleOf('WARDEN_ZONE'), 'rack');
  assert.equal(ruleOf('WARDEN_VOTERS'), 'launcher');
  assert.equal(patch.find((p) => p.path.endsWith('/terminationGracePeriodSeconds'))?.rule, 'shutdown');
  assert.equal(patch.find((p) => p.path.endsWith('/podManagementPolicy'))?.rule, 'update-strategy');
  assert.equal(patch.find((p) => p.path.endsWith('/topologySpreadConstraints'))?.rule, 'spread');
  assert.equal(patch.find((p) => p.path.includes('/metadata/annotations'))?.rule, 'profile');
});

test('a patch is minimal: what stands there is neither moved nor written again', () => {
  const { patch } = harden(kafka({ env: { A: '1' }, annotations: { a: 'b' } }), { namespace });
  assert.deepEqual([...new Set(patch.map((p) => p.op))], ['add']);
  assert.ok(patch.every((p) => !p.path.includes('/env/0')));
  assert.ok(patch.some((p) => p.path === '/metadata/annotations/kafka-warden.io~1profile'));
});

test('hardening does not change what it is given', () => {
  fc.assert(
    fc.property(manifests, (manifest) => {
      const copy = clone(manifest);
      const { workload } = harden(manifest, { namespace });
      harden(workload, { namespace, old: workload });
      assert.deepEqual(manifest, copy);
    }),
    { numRuns: 100 },
  );
});

const key = fc.constantFrom('a', 'b', 'c/d', '~e');
const values: fc.Arbitrary<Json> = fc.letrec<{ node: Json }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Json>(0, 1, 'x', true, null),
    fc.dictionary(key, tie('node'), { noNullPrototype: true }),
    fc.array(tie('node'), { maxLength: 3 }),
    fc
      .uniqueArray(key, { maxLength: 3 })
      .chain((names) =>
        fc.tuple(
          ...names.map((name) =>
            fc.dictionary(key, tie('node'), { noNullPrototype: true }).map((rest) => ({ ...rest, name })),
          ),
        ),
      ),
  ),
})).node;
const trees = fc.dictionary(key, values, { noNullPrototype: true });

test('a patch between any two objects turns one into the other', () => {
  fc.assert(
    fc.property(trees, trees, (before, after) => {
      const patched = applyPatch(
        before,
        patchBetween(before, after, () => 'profile'),
      );
      assert.deepEqual(patched, after);
    }),
    { numRuns: 1_000 },
  );
});

test('no change is seen between an object and its copy, and each change is at its place', () => {
  fc.assert(
    fc.property(trees, trees, (before, after) => {
      assert.deepEqual(changes(before, clone(before)), []);
      for (const { path, after: value } of changes(before, after)) assert.deepEqual(at(after, path), value);
    }),
  );
});

test('what is put at a place stands there, and dropping it gives the object back', () => {
  fc.assert(
    fc.property(trees, fc.array(key, { minLength: 1, maxLength: 4 }), (tree, path) => {
      const copy = clone(tree);
      if (path.some((_, i) => Array.isArray(at(tree, path.slice(0, i))))) return;
      assert.deepEqual(at(put(tree, path, 'new'), path), 'new');
      const depth = path.findIndex((_, i) => at(tree, path.slice(0, i + 1)) === undefined);
      if (
        depth >= 0 &&
        path.every((_, i) => i >= depth || typeof at(tree, path.slice(0, i + 1)) === 'object')
      )
        if (at(tree, path.slice(0, depth)) !== null)
          assert.deepEqual(drop(put(tree, path, 'new'), path, depth), copy);
      assert.deepEqual(tree, copy, 'nothing is changed in place');
    }),
  );
});

test('paths survive as text, whatever they contain', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (path) => {
      assert.deepEqual(pathOf(pathText(path)), path);
    }),
  );
});

test('an element is found by its name, the last of several, wherever it stands', () => {
  const tree: Json = { env: [{ name: 'A', value: '1' }, { name: 'B' }, { name: 'A', value: '2' }] };
  assert.deepEqual(at(tree, ['env', '[A]', 'value']), '2');
  assert.equal(pointer(tree, ['env', '[A]', 'value']), '/env/2/value');
  assert.equal(pointer(tree, ['env', '[C]']), '/env/-');
  assert.equal(elementKey({ mountPath: '/data', name: 'data' }), '/data');
  assert.deepEqual(append({}, ['a', 'b'], [1]), { a: { b: [1] } });
});

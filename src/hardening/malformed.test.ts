import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { harden, unharden, type StatefulSet } from './index.ts';
import { kafka } from './test/manifest.ts';
import { manifests } from './test/arbitrary.ts';
import { clone, isObject, type Json } from './tree.ts';

const namespace = 'demo';
const decide = (value: unknown) => harden(value as StatefulSet, { namespace });

describe('an object that the API server would not take is refused with its place', () => {
  const cases: [string, unknown, string, RegExp][] = [
    ['nothing', null, '', /must be an object/],
    ['a list', [], '', /must be an object, but is a list/],
    ['no metadata', { kind: 'StatefulSet' }, '/metadata', /missing/],
    ['no name', { metadata: {}, spec: {} }, '/metadata/name', /missing/],
    ['no spec', { metadata: { name: 'kafka' } }, '/spec', /missing/],
    ['no template', { metadata: { name: 'kafka' }, spec: {} }, '/spec/template', /missing/],
    [
      'no pod spec',
      { metadata: { name: 'kafka' }, spec: { template: {} } },
      '/spec/template/spec',
      /missing/,
    ],
    [
      'no containers',
      { metadata: { name: 'kafka' }, spec: { template: { spec: {} } } },
      '/spec/template/spec/containers',
      /missing/,
    ],
    [
      'a number in an environment variable',
      kafka({ container: { env: [{ name: 'KAFKA_NODE_ID', value: 1 as unknown as string }] } }),
      '/spec/template/spec/containers/0/env/0/value',
      /must be a string, but is a number: put it in quotes/,
    ],
    [
      'a command that is text',
      kafka({ container: { command: 'run' as unknown as string[] } }),
      '/spec/template/spec/containers/0/command',
      /must be a list, but is a string/,
    ],
    [
      'replicas that are text',
      kafka({ spec: { replicas: '3' as unknown as number } }),
      '/spec/replicas',
      /must be a whole number/,
    ],
    [
      'a number in an annotation',
      kafka({ annotations: { 'a/b': 1 as unknown as string } }),
      '/metadata/annotations/a~1b',
      /must be a string/,
    ],
    ['an empty entry', kafka({ before: [null as never] }), '/spec/template/spec/containers/0', /must be/],
  ];
  for (const [name, value, path, message] of cases)
    test(name, () => {
      const { decision, findings, patch } = decide(value);
      assert.equal(decision, 'refused');
      assert.deepEqual(patch, []);
      assert.equal(findings[0]?.rule, 'malformed');
      assert.equal(findings[0].path, path);
      assert.match(findings[0].message, message);
    });
});

test('other kinds pass unseen', () => {
  for (const value of [
    { kind: 'List', items: [kafka()] },
    { kind: 'Deployment' },
    { apiVersion: 'v1', kind: 'Secret' },
  ])
    assert.equal(decide(value).decision, 'ignored');
});

test('whatever stands in one place, nothing throws', () => {
  const junk = fc.constantFrom<Json>(
    null,
    0,
    '',
    'x',
    true,
    [],
    {},
    [null],
    [{}],
    { name: 'x' },
    [[]],
    -1,
    1.5,
  );
  fc.assert(
    fc.property(manifests, fc.nat(), junk, (manifest, where, value) => {
      const broken = withJunk(manifest, where, value);
      const { decision, workload } = decide(broken);
      if (decision === 'hardened') {
        assert.deepEqual(decide(workload).patch, []);
        unharden(workload);
      }
    }),
    { numRuns: 600 },
  );
});

/** The manifest with another value in the n-th of its places. */
function withJunk(manifest: StatefulSet, n: number, value: Json): Json {
  const copy = clone(manifest) as unknown as Json;
  const places: (() => void)[] = [];
  const visit = (node: Json): void => {
    if (Array.isArray(node))
      node.forEach((inner, i) => {
        places.push(() => (node[i] = value));
        visit(inner);
      });
    else if (isObject(node))
      for (const key of Object.keys(node)) {
        places.push(() => (node[key] = value));
        visit(node[key] ?? null);
      }
  };
  visit(copy);
  places[n % places.length]?.();
  return copy;
}

test('an object of many containers and variables is hardened in bounded time', () => {
  const env = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, i) => [`KAFKA_UNUSED_${i}`, 'x'.repeat(200)]),
  );
  const after = Array.from({ length: 100 }, (_, i) => ({ name: `side-${i}`, image: 'corp/side:1' }));
  const set = kafka({ env, after });
  const since = performance.now();
  assert.equal(harden(set, { namespace }).decision, 'hardened');
  assert.ok(performance.now() - since < 1_000);
});

test('a removed version of the API is refused where it is Kafka, and no matter elsewhere', () => {
  const old = (image: string) => ({ ...kafka({ image }), apiVersion: 'apps/v1beta1' });
  const { decision, findings } = harden(old('apache/kafka:4.1.0'), { namespace: 'demo' });
  assert.equal(decision, 'refused');
  assert.match(findings[0]?.message ?? '', /no version apps\/v1beta1 any more/);
  assert.equal(harden(old('postgres:17'), { namespace: 'demo' }).decision, 'ignored');
});

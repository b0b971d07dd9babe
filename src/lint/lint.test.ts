import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { Json, JsonObject } from '../hardening/tree.ts';
import { allRules, lint } from './index.ts';
import { budget, configMap, headless, object, service, set } from './test/objects.ts';

const folder = join(import.meta.dirname, '../hardening/golden');
const goldens = readdirSync(folder)
  .filter((name) => name.endsWith('.in.yaml'))
  .map((name) => parse(readFileSync(join(folder, name), 'utf8')) as JsonObject);

const others = [
  headless(),
  service('outside', { type: 'NodePort' }),
  budget('kafka', { maxUnavailable: 1 }),
  configMap('config', { 'server.properties': 'listeners=PLAINTEXT://:9092\n' }),
  object('networking.k8s.io/v1', 'Ingress', 'way', { spec: { rules: [{ http: { paths: [] } }] } }),
  object('batch/v1', 'CronJob', 'nightly', {
    spec: {
      jobTemplate: { spec: { template: { spec: { containers: [{ name: 'c', image: 'apache/kafka' }] } } } },
    },
  }),
];

/** Something else at a place of an object, chosen by numbers. */
function mutated(value: Json, [head = 0, ...rest]: readonly number[], next: Json): Json {
  if (Array.isArray(value) && value.length > 0) {
    const index = head % value.length;
    return value.with(index, mutated(value[index] ?? null, rest, next));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return next;
  const keys = Object.keys(value);
  const key = keys[head % Math.max(1, keys.length)];
  return key === undefined ? next : { ...value, [key]: mutated(value[key] ?? null, rest, next) };
}

const subjectsOf = (values: readonly Json[]) =>
  values.flatMap((value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [{ value, namespace: 'shop' }]
      : [],
  );

suite('linting', () => {
  test('never throws, whatever stands where, and every finding is of a known rule at one of the objects', () => {
    const anything = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.string(),
      fc.constant([]),
      fc.constant({}),
      fc.constant([null]),
      fc.constant({ name: 1 }),
    );
    const place = fc.array(fc.nat(20), { maxLength: 9 });
    const all = [...goldens, ...others];
    fc.assert(
      fc.property(fc.nat(all.length - 1), fc.nat(all.length - 1), place, anything, (i, j, path, next) => {
        const subjects = subjectsOf([mutated(all[i] ?? null, path, next as Json), all[j] ?? null, ...others]);
        for (const finding of lint(subjects).findings) {
          assert.ok(finding.rule in allRules, finding.rule);
          assert.ok(subjects.includes(finding.subject));
          assert.ok(finding.path === '' || finding.path.startsWith('/'), finding.path);
          assert.ok(finding.message !== '' && finding.remedy !== '');
        }
      }),
      { numRuns: 300 },
    );
  });

  test('says nothing twice', () => {
    for (const golden of goldens) {
      const found = lint(subjectsOf([golden, ...others])).findings;
      const keys = found.map(
        ({ rule, path, message, subject }) =>
          `${JSON.stringify(subject.value['metadata'])} ${rule} ${path} ${message}`,
      );
      assert.deepEqual(keys, [...new Set(keys)]);
    }
  });

  test('does not depend on the order of the objects', () => {
    const values = [set({ env: { KAFKA_LISTENERS: 'PLAINTEXT://:9092' } }), ...others];
    const summary = (list: readonly Json[]) =>
      lint(subjectsOf(list))
        .findings.map(({ rule, path, message }) => `${rule} ${path} ${message}`)
        .toSorted();
    assert.deepEqual(summary(values.toReversed()), summary(values));
  });

  test('tells what admission does, and in strict mode what it would refuse', () => {
    const subject = {
      value: set({ env: { KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1' } }),
      namespace: 'shop',
    };
    const strict = lint([subject], { mode: 'strict' });
    assert.equal(strict.decisions.get(subject), 'refused');
    assert.ok(strict.findings.some((f) => f.rule === 'durability' && f.action === 'refused'));
  });
});

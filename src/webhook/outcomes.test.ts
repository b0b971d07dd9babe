import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { harden } from '../hardening/index.ts';
import type { StatefulSet } from '../hardening/model.ts';
import { jsonEqual } from './json-equal.ts';
import { judgeWith, memory } from './outcomes.ts';

const set = (name: string, replicas = 3, resourceVersion = '1') =>
  ({
    metadata: { name, resourceVersion, annotations: { a: 'b' } },
    spec: { replicas },
  }) as unknown as StatefulSet;

/** Counts how often the core is asked. */
function counted() {
  let calls = 0;
  const core: typeof harden = (workload) => {
    calls += 1;
    return { decision: 'unchanged', patch: [], findings: [], workload };
  };
  return { judge: judgeWith('harden', core), calls: () => calls };
}

test('a set that differs only in what no rule reads is judged once', () => {
  const { judge, calls } = counted();
  judge({ workload: set('kafka'), old: set('kafka'), namespace: 'a' });
  judge({ workload: set('kafka', 3, '2'), old: set('kafka', 3, '1'), namespace: 'a' });
  assert.equal(calls(), 1);
});

test('another spec, another old object, another namespace or a missing old object is judged anew', () => {
  const { judge, calls } = counted();
  judge({ workload: set('kafka'), old: set('kafka'), namespace: 'a' });
  judge({ workload: set('kafka', 4), old: set('kafka'), namespace: 'a' });
  judge({ workload: set('kafka'), old: set('kafka', 4), namespace: 'a' });
  judge({ workload: set('kafka'), old: undefined, namespace: 'a' });
  judge({ workload: set('kafka'), old: set('kafka'), namespace: 'b' });
  assert.equal(calls(), 5);
  judge({ workload: set('kafka'), old: set('kafka', 4), namespace: 'a' });
  judge({ workload: set('kafka'), old: undefined, namespace: 'a' });
  assert.equal(calls(), 5);
});

test('memory is bounded, over sets and over the states of one', () => {
  const { judge, calls } = counted();
  for (let index = 0; index <= memory.sets; index += 1)
    judge({ workload: set(`kafka-${index}`), old: undefined, namespace: 'a' });
  const before = calls();
  judge({ workload: set('kafka-0'), old: undefined, namespace: 'a' });
  assert.equal(calls(), before + 1);
  for (let replicas = 1; replicas <= memory.statesOfOne; replicas += 1)
    judge({ workload: set('kafka-0', 100 + replicas), old: undefined, namespace: 'a' });
  judge({ workload: set('kafka-0'), old: undefined, namespace: 'a' });
  assert.equal(calls(), before + 2 + memory.statesOfOne);
});

test('JSON values are equal exactly when their canonical texts are', () => {
  const canonical = (value: unknown): string =>
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    );
  const value = fc.jsonValue({ maxDepth: 3, noUnicodeString: true });
  fc.assert(
    fc.property(value, value, (a, b) => {
      const parsed = JSON.parse(JSON.stringify(a)) as unknown;
      assert.ok(jsonEqual(parsed, JSON.parse(JSON.stringify(a))));
      assert.equal(jsonEqual(parsed, JSON.parse(JSON.stringify(b))), canonical(a) === canonical(b));
    }),
  );
});

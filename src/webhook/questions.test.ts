import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { judgeWith } from './outcomes.ts';
import { questions } from './questions.ts';

const template = new URL('../../deploy/chart/templates/webhooks.yaml', import.meta.url);

test('the chart asks exactly the questions that are answered', () => {
  const view = {
    setsOf: () => [],
    hardenedSet: () => undefined,
    largestReplication: () => undefined,
    zoneOf: () => undefined,
  };
  const answered = questions(judgeWith('harden'), { view }).map(({ path }) => path);
  const asked = [...readFileSync(template, 'utf8').matchAll(/^ *path: (\S+)$/gm)].map(([, path]) => path);
  assert.deepEqual(asked.toSorted(), answered.toSorted());
});

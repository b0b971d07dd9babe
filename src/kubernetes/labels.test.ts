import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selects, selectsLabels } from './labels.ts';

const labels = { app: 'kafka', tier: 'data' };

test('an empty selector selects everything and an absent one nothing', () => {
  assert.equal(selects({}, labels), true);
  assert.equal(selects(undefined, labels), false);
});

test('every label and every expression must match', () => {
  assert.equal(selects({ matchLabels: { app: 'kafka' } }, labels), true);
  assert.equal(selects({ matchLabels: { app: 'kafka', tier: 'web' } }, labels), false);
  const expressions = [
    { key: 'app', operator: 'In', values: ['kafka', 'other'] },
    { key: 'tier', operator: 'Exists' },
    { key: 'zone', operator: 'DoesNotExist' },
    { key: 'zone', operator: 'NotIn', values: ['a'] },
  ];
  assert.equal(selects({ matchExpressions: expressions }, labels), true);
  for (const { key, operator } of [
    { key: 'app', operator: 'NotIn' },
    { key: 'app', operator: 'DoesNotExist' },
    { key: 'zone', operator: 'Exists' },
    { key: 'zone', operator: 'In' },
    { key: 'app', operator: 'Unheard' },
  ]) {
    assert.equal(
      selects({ matchExpressions: [{ key, operator, values: ['kafka'] }] }, labels),
      false,
      operator,
    );
  }
});

test('labels of a Service match where all of them are there', () => {
  assert.equal(selectsLabels({}, labels), true);
  assert.equal(selectsLabels({ app: 'kafka' }, labels), true);
  assert.equal(selectsLabels({ app: 'zookeeper' }, labels), false);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { approveClusterRole, group, keys } from '../../names.ts';
import { bytesOf } from './amounts.ts';
import { terminalPhases, weekdays } from './kafka-rebalance.ts';

const template = (name: string): string =>
  readFileSync(new URL(`../../../deploy/chart/templates/${name}`, import.meta.url), 'utf8');

const crd = template('crd-kafkarebalance.yaml');
const approvals = template('approvals.yaml');
const roles = template('sidecar-role.yaml');

/** The rules of one ClusterRole: resources and verbs of each. */
const rulesOf = (text: string, name: string): string[] => {
  const role = text.split('\n---\n').find((one) => one.includes(`\n  name: ${name}\n`)) ?? assert.fail(name);
  return [...role.matchAll(/resources: \[(.*)\]\n +verbs: \[(.*)\]/g)].map(
    ([, resources = '', verbs = '']) => `${resources}: ${verbs}`,
  );
};

test('the schema knows the phases and days that the program writes and reads', () => {
  const phases = /enum: \[(New, .*)\]/.exec(crd)?.[1]?.split(', ') ?? [];
  assert.deepEqual(phases, [
    'New',
    'Proposing',
    'Proposed',
    'Approved',
    'Executing',
    'Stopping',
    'Done',
    'Stopped',
    'Failed',
  ]);
  for (const phase of terminalPhases) assert.ok(phases.includes(phase));
  assert.ok(crd.includes(`enum: [${weekdays.join(', ')}]`));
});

test('the columns show what a person looks for', () => {
  const columns = [...crd.matchAll(/^ {8}- name: (.+)$/gm)].map(([, name]) => name);
  for (const name of ['Cluster', 'Mode', 'Phase', 'Move', 'Move (bytes)', 'Progress', 'ETA', 'Reason', 'Age'])
    assert.ok(columns.includes(name), name);
});

/** The template as YAML, without what Helm puts there. */
const parsed = (text: string): unknown => parse(text.replace(/\{\{.*?\}\}/g, ''));

/** All checks of a schema, wherever they stand. */
const checksIn = (value: unknown): { rule: string; message: string }[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    key === 'x-kubernetes-validations' ? (one as { rule: string; message: string }[]) : checksIn(one),
  );
};

test('every check of the schema names what is wrong and what to do', () => {
  const checks = checksIn(parsed(crd));
  assert.equal(checks.length, 11);
  for (const { message } of checks) assert.match(message, /choose|name the|remove|raise|give|create another/);
});

test('property: what the schema takes for an amount, the program reads', () => {
  const pattern = /^pattern: (.*)$/m.exec(
    template('_helpers.tpl').split('kafka-warden.quantity" -')[1] ?? '',
  )?.[1];
  assert.ok(pattern !== undefined);
  const quantity = fc.stringMatching(new RegExp(pattern)).filter((text) => text.length <= 12);
  fc.assert(
    fc.property(quantity, (text) => {
      const value = bytesOf(text);
      // Less than a byte, and more than any cluster holds: those the condition InvalidSpec names.
      const extreme = /^\d{5,}|^0\.|P/.test(text);
      assert.ok(value === undefined ? extreme : value > 0, text);
    }),
  );
});

test('the policy asks for the right where the annotation or the limits change', () => {
  assert.ok(approvals.includes(`'${keys.approve}' in object.metadata.annotations`));
  assert.match(approvals, /\.check\('approve'\)/);
  assert.match(approvals, /failurePolicy: Fail/);
  assert.match(approvals, /validationActions: \[Deny\]/);
});

test('a role of its own approves; the sidecar makes and approves what scaling in moves', () => {
  const rights = (text: string, name: string) =>
    rulesOf(text, name).filter((rule) => rule.includes('kafkarebalances'));
  assert.deepEqual(rights(approvals, approveClusterRole), [
    'kafkarebalances: get, list, watch, patch, approve',
  ]);
  assert.deepEqual(rights(roles, 'kafka-warden-sidecar'), [
    'kafkarebalances: get, list, watch, create, patch, delete, approve',
    'kafkausers/status, kafkarebalances/status, kafkaclusters/status: get, update, patch',
    'kafkausers/finalizers, kafkarebalances/finalizers: update',
  ]);
  assert.deepEqual(rights(roles, 'kafka-warden-edit'), [
    'kafkausers, kafkarebalances: get, list, watch, create, update, patch, delete, deletecollection',
  ]);
  assert.equal(roles.split('approve]').length, 2, 'no role of people');
  assert.ok(!approvals.includes('aggregate-to'));
  assert.ok(roles.includes(group));
});

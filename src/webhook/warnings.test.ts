import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Finding } from '../hardening/model.ts';
import { fitWarnings, maxWarningLength } from './response.ts';
import { warningsOf } from './warnings.ts';

const finding = (more: Partial<Finding> = {}): Finding => ({
  rule: 'durability',
  severity: 'warning',
  path: '/spec',
  message: 'min.insync.replicas is 1',
  remedy: 'Leave it out.',
  action: 'reported',
  ...more,
});

test('a finding is one line with rule, what, and remedy', () => {
  assert.deepEqual(warningsOf([finding()]), [
    'kafka-warden [durability] min.insync.replicas is 1. Leave it out.',
  ]);
  assert.deepEqual(warningsOf([finding({ remedy: 'Nothing to do.' })]), [
    'kafka-warden [durability] min.insync.replicas is 1.',
  ]);
});

test('what is left to a person comes before what was fixed', () => {
  const findings = [
    finding({ severity: 'error', action: 'fixed', message: 'done' }),
    finding({ severity: 'warning', message: 'open' }),
  ];
  assert.deepEqual(warningsOf(findings), [
    'kafka-warden [durability] open. Leave it out.',
    'kafka-warden [durability] fixed: done. Leave it out.',
  ]);
});

test('a remedy that would be cut stands in a line of its own', () => {
  const [what, remedy] = warningsOf([finding({ message: 'x'.repeat(200), remedy: 'y'.repeat(100) })]);
  assert.equal(what, `kafka-warden [durability] ${'x'.repeat(200)}.`);
  assert.equal(remedy, `kafka-warden [durability] Remedy: ${'y'.repeat(100)}.`);
});

test('rule and remedy of each finding survive the limits of the API server, the gravest first', () => {
  const text = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 180 });
  const findings = fc.array(
    fc.record({ message: text, remedy: text, severity: fc.constantFrom('error', 'warning', 'info') }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(findings, (parts) => {
      const given = parts.map((part, index) => finding({ ...part, rule: `rule-${index}` }));
      const lines = warningsOf(given);
      for (const line of lines) assert.ok(line.length <= maxWarningLength);
      assert.equal(fitWarnings(lines).length, new Set(lines).size);
      const severities = lines.map((line) => given[Number(/\[rule-(\d)\]/.exec(line)?.[1])]?.severity ?? '');
      const order = ['error', 'warning', 'info'];
      assert.deepEqual(
        severities,
        severities.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)),
      );
    }),
  );
});

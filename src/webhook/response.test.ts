import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import jsonpatch from 'jsonpatch';
import type { PatchOperation } from '../hardening/model.ts';
import { auditOf, envelope, fitWarnings, maxWarningLength, maxWarningsLength } from './response.ts';

const operation: fc.Arbitrary<PatchOperation> = fc.oneof(
  fc.record({
    op: fc.constantFrom('add' as const, 'replace' as const),
    path: fc.string().map((text) => `/${text}`),
    value: fc.jsonValue(),
    rule: fc.string({ minLength: 1 }),
  }),
  fc.record({ op: fc.constant('remove' as const), path: fc.string(), rule: fc.string({ minLength: 1 }) }),
);

interface Sent {
  response: { uid: string; allowed: boolean; patch?: string; patchType?: string; warnings?: string[] };
}
const sent = (...answer: Parameters<typeof envelope>) =>
  JSON.parse(JSON.stringify(envelope(...answer))) as Sent;

test('every patch arrives as it was decided, without the rules', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(operation, { minLength: 1 }), (uid, patch) => {
      const { response } = sent(uid, { allowed: true, patch });
      assert.equal(response.uid, uid);
      assert.equal(response.patchType, 'JSONPatch');
      const decoded: unknown = JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString('utf8'));
      const expected = patch.map(({ rule: _rule, ...rest }) => rest);
      assert.deepEqual(decoded, JSON.parse(JSON.stringify(expected)));
    }),
  );
});

test('a decoded patch applies as RFC 6902 says', () => {
  const patch: PatchOperation[] = [
    { op: 'add', path: '/list/-', value: 'ä', rule: 'a' },
    { op: 'remove', path: '/old~1key', rule: 'b' },
  ];
  const { response } = sent('u', { allowed: true, patch });
  const decoded = JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString('utf8')) as object[];
  assert.deepEqual(jsonpatch.apply_patch<object>({ list: [], 'old/key': 1 }, decoded), { list: ['ä'] });
});

test('an answer without a patch names no patch type: the API server refuses the one without the other', () => {
  assert.deepEqual(sent('u', { allowed: true, patch: [], warnings: [] }).response, {
    uid: 'u',
    allowed: true,
  });
});

test('warnings always fit what the API server takes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { maxLength: 200 }), (warnings) => {
      const fitting = fitWarnings(warnings);
      for (const line of fitting)
        assert.ok(line.length <= maxWarningLength && !line.includes('\n') && line.isWellFormed());
      assert.ok(Buffer.byteLength(fitting.join('')) <= maxWarningsLength + maxWarningLength * 4);
    }),
  );
});

test('where warnings are left out, the last one says how many', () => {
  const warnings = Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(90)}`);
  const fitting = fitWarnings(warnings);
  assert.match(fitting.at(-1) ?? '', new RegExp(`^… and ${100 - (fitting.length - 1)} more`));
});

test('the audit annotation names the rule of each operation', () => {
  const patch: PatchOperation[] = [
    { op: 'add', path: '/a', value: 1, rule: 'listeners' },
    { op: 'remove', path: '/b', rule: 'probes' },
  ];
  assert.equal(auditOf(patch), 'listeners: add /a; probes: remove /b');
});

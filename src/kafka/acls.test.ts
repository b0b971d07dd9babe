import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Acl, aclKey, aclOperations, fromWire, toWire } from './acls.ts';

const anyAcl: fc.Arbitrary<Acl> = fc.record({
  permission: fc.constantFrom('allow' as const, 'deny' as const),
  resourceType: fc.constantFrom(
    'topic' as const,
    'group' as const,
    'cluster' as const,
    'transactionalId' as const,
  ),
  resourceName: fc.string({ minLength: 1 }),
  pattern: fc.constantFrom('literal' as const, 'prefixed' as const),
  principal: fc.string().map((name) => `User:${name}`),
  host: fc.constantFrom('*', '10.0.0.1'),
  operation: fc.constantFrom(...aclOperations),
});

test('an entry comes back from the wire as it went', () => {
  fc.assert(fc.property(anyAcl, (acl) => assert.deepEqual(fromWire(toWire(acl)), { ...acl })));
});

test('two entries have one key only if they are equal', () => {
  fc.assert(
    fc.property(anyAcl, anyAcl, (a, b) => {
      assert.equal(aclKey(a) === aclKey(b), JSON.stringify(toWire(a)) === JSON.stringify(toWire(b)));
    }),
  );
});

test('an entry of an unknown kind is left out', () => {
  const [operation] = aclOperations;
  const acl = toWire({
    permission: 'allow',
    resourceType: 'topic',
    resourceName: 'a',
    pattern: 'literal',
    principal: 'User:a',
    host: '*',
    operation: operation!,
  });
  assert.equal(fromWire({ ...acl, operation: 99 as 3 }), undefined);
});

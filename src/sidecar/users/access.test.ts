import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Acl, aclKey } from '../../kafka/acls.ts';
import { accessProblem, aclChanges, aclsOf, nameProblem } from './access.ts';
import type { AclRule, KafkaUser } from './kafka-user.ts';

const user = (acls: AclRule[], username?: string): KafkaUser => ({
  apiVersion: 'kafka-warden.io/v1alpha1',
  kind: 'KafkaUser',
  metadata: { name: 'alice', uid: 'u' },
  spec: { cluster: 'kafka', acls, ...(username === undefined ? {} : { username }) },
});

test('a name that Kafka could take for a super user is refused', () => {
  for (const name of [
    'CN=kafka-node,O=kafka-warden',
    'CN=kafka-warden',
    'a,b',
    '*',
    'ANONYMOUS',
    'anonymous',
    '',
    '-a',
    'a b',
    'ä',
  ]) {
    assert.notEqual(nameProblem(name), undefined, name);
  }
  for (const name of ['alice', 'orders.reader', 'a_b', 'x@example.org', 'A-1']) {
    assert.equal(nameProblem(name), undefined, name);
  }
});

test('no accepted name contains what distinguished names or wildcards are made of', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      if (nameProblem(name) === undefined) assert.doesNotMatch(name, /[=,*"\\\s]/);
    }),
  );
});

test('each operation of a rule becomes an entry, with the defaults filled in', () => {
  const acls = aclsOf(
    user([{ resource: { type: 'topic', name: 'orders' }, operations: ['Read', 'Write', 'Read'] }]),
  );
  assert.deepEqual(acls, [
    {
      permission: 'allow',
      resourceType: 'topic',
      resourceName: 'orders',
      pattern: 'literal',
      principal: 'User:alice',
      host: '*',
      operation: 'Read',
    },
    { ...acls[0], operation: 'Write' },
  ]);
});

test('the cluster has one name, whatever is written', () => {
  const [acl] = aclsOf(
    user([{ resource: { type: 'cluster', name: 'x', pattern: 'prefixed' }, operations: ['Create'] }], 'bob'),
  );
  assert.equal(acl?.resourceName, 'kafka-cluster');
  assert.equal(acl?.pattern, 'literal');
  assert.equal(acl?.principal, 'User:bob');
});

test('a rule without a resource name, or with an operation that Kafka does not have, is a problem', () => {
  assert.match(
    accessProblem(user([{ resource: { type: 'group' }, operations: ['Read'] }])) ?? '',
    /group names none/,
  );
  assert.match(
    accessProblem(user([{ resource: { type: 'topic', name: 'a' }, operations: ['Fly' as 'Read'] }])) ?? '',
    /Fly/,
  );
  assert.equal(accessProblem(user([{ resource: { type: 'cluster' }, operations: ['All'] }])), undefined);
});

const anyAcl: fc.Arbitrary<Acl> = fc.record({
  permission: fc.constantFrom('allow' as const, 'deny' as const),
  resourceType: fc.constant('topic' as const),
  resourceName: fc.constantFrom('a', 'b'),
  pattern: fc.constantFrom('literal' as const, 'prefixed' as const),
  principal: fc.constant('User:alice'),
  host: fc.constant('*'),
  operation: fc.constantFrom('Read' as const, 'Write' as const),
});
const anyAcls = fc.uniqueArray(anyAcl, { selector: aclKey });

/** What the authorizer would say: a denial wins, a literal entry or a prefix applies. */
const allowed = (acls: readonly Acl[], name: string, operation: string): boolean => {
  const applies = (acl: Acl) =>
    acl.operation === operation &&
    (acl.pattern === 'literal' ? acl.resourceName === name : name.startsWith(acl.resourceName));
  const hits = acls.filter(applies);
  return (
    hits.some(({ permission }) => permission === 'allow') &&
    !hits.some(({ permission }) => permission === 'deny')
  );
};

test('changes lead to the wanted entries, and no step allows what neither the old nor the new rules allow', () => {
  fc.assert(
    fc.property(anyAcls, anyAcls, (held, wanted) => {
      const { addDeny, addAllow, removeAllow, removeDeny } = aclChanges(held, wanted);
      const gone = (acls: Acl[], some: readonly Acl[]) =>
        acls.filter((a) => !some.some((b) => aclKey(a) === aclKey(b)));
      const first = [...held, ...addDeny];
      const second = [...first, ...addAllow];
      const third = gone(second, removeAllow);
      const last = gone(third, removeDeny);
      assert.deepEqual(last.map(aclKey).sort(), wanted.map(aclKey).sort());
      const requests = ['a', 'b', 'ab'].flatMap((name) =>
        ['Read', 'Write'].map((operation) => ({ name, operation })),
      );
      for (const { name, operation } of requests) {
        const may = (acls: readonly Acl[]) => allowed(acls, name, operation);
        assert.ok([held, wanted].some(may) || ![first, second, third].some(may));
      }
    }),
  );
});

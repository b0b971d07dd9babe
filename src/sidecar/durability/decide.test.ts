import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Durability, decideDurability } from './decide.ts';

const known: Durability = {
  wanted: 2,
  clusterDefault: undefined,
  effective: [2, 2, 2],
  eligibleLeaderReplicas: false,
  severalSets: false,
  underReplicated: 0,
  allRegistered: true,
};

test('a static value is read and left alone', () => {
  assert.deepEqual(decideDurability(known), { action: 'none', value: 2 });
  assert.deepEqual(decideDurability({ ...known, effective: [1, 2, 2] }), { action: 'none', value: 1 });
});

test('a dynamic default below the layout is raised when every replica is in sync', () => {
  assert.deepEqual(decideDurability({ ...known, clusterDefault: 1 }), { action: 'set', value: 2 });
  assert.equal(decideDurability({ ...known, clusterDefault: 1, underReplicated: 1 }).action, 'wait');
  assert.equal(decideDurability({ ...known, clusterDefault: 1, allRegistered: false }).action, 'wait');
});

test('with eligible leader replicas a default that was never set counts as low', () => {
  const decision = decideDurability({ ...known, eligibleLeaderReplicas: true, effective: [1, 1, 1] });
  assert.deepEqual(decision, { action: 'set', value: 2 });
});

test('a higher value is a person’s choice and stays', () => {
  assert.deepEqual(decideDurability({ ...known, clusterDefault: 3 }), { action: 'none', value: 3 });
});

test('nothing is ever lowered, and nothing set while a replica is behind', () => {
  const any = fc.record({
    wanted: fc.integer({ min: 1, max: 4 }),
    clusterDefault: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    effective: fc.array(fc.integer({ min: 1, max: 4 })),
    eligibleLeaderReplicas: fc.boolean(),
    severalSets: fc.boolean(),
    underReplicated: fc.nat(2),
    allRegistered: fc.boolean(),
  });
  fc.assert(
    fc.property(any, (one) => {
      const decision = decideDurability(one);
      if (decision.action !== 'set') return;
      assert.ok(decision.value > (one.clusterDefault ?? 0));
      assert.ok(one.underReplicated === 0 && one.allRegistered);
    }),
  );
});

test('brokers of several StatefulSets get the default of their cluster, whatever they started with', () => {
  const some = { ...known, severalSets: true, effective: [1, 2, 2] };
  assert.deepEqual(decideDurability(some), { action: 'set', value: 2 });
  assert.equal(decideDurability({ ...some, allRegistered: false }).action, 'wait');
  assert.equal(decideDurability({ ...some, effective: [2, 2, 2] }).action, 'none');
});

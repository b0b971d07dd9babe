import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FinalizeFacts, decideEligibleLeaders, decideMetadataVersion } from './finalize.ts';

const ranges = (max: number, elr = 1) =>
  new Map([
    ['metadata.version', { min: 7, max }],
    ['eligible.leader.replicas.version', { min: 0, max: elr }],
  ]);

const facts = (more: Partial<FinalizeFacts> = {}): FinalizeFacts => ({
  mode: 'kraft',
  finalized: new Map([['metadata.version', 21]]),
  nodes: [0, 1, 2].map((id) => ({ id, pod: `kafka-${id}`, supported: ranges(27) })),
  stale: [],
  underReplicated: 0,
  ...more,
});

const asked = (value: string) => new Map([['kafka', value]]);
const reason = (decision: ReturnType<typeof decideMetadataVersion>) =>
  decision?.action === 'refuse' ? decision.reason : decision?.action;

test('nobody asks, nothing happens', () => {
  assert.equal(decideMetadataVersion(new Map(), facts()), undefined);
  assert.equal(decideEligibleLeaders(new Map(), facts()), undefined);
  assert.equal(decideEligibleLeaders(asked('false'), facts()), undefined);
});

test('what every node has is finalized, once', () => {
  assert.deepEqual(decideMetadataVersion(asked('4.1'), facts()), {
    action: 'update',
    feature: 'metadata.version',
    level: 27,
    message: 'metadata.version goes to 4.1-IV1.',
  });
  const done = facts({ finalized: new Map([['metadata.version', 27]]) });
  assert.equal(reason(decideMetadataVersion(asked('4.1'), done)), 'done');
});

test('one node without it is enough for a no, a controller too, by its name', () => {
  const [a, b] = facts().nodes;
  const old = { id: 1000, pod: 'ctl-0', supported: ranges(21) };
  const decision = decideMetadataVersion(asked('4.1'), facts({ nodes: [a!, b!, old] }));
  assert.equal(reason(decision), 'NotSupported');
  assert.match(decision?.message ?? '', /^ctl-0 run software without metadata\.version 4\.1-IV1/);
});

test('it waits for a node that does not answer, for a roll, and for replicas that are behind', () => {
  const [a] = facts().nodes;
  const silent = { id: 1, pod: 'kafka-1' };
  assert.equal(reason(decideMetadataVersion(asked('4.1'), facts({ nodes: [a!, silent] }))), 'wait');
  assert.equal(reason(decideMetadataVersion(asked('4.1'), facts({ nodes: [] }))), 'wait');
  assert.equal(reason(decideMetadataVersion(asked('4.1'), facts({ busy: 'kafka-1 is not ready' }))), 'wait');
  assert.equal(reason(decideMetadataVersion(asked('4.1'), facts({ underReplicated: 1 }))), 'wait');
});

test('it never goes back, and takes no nonsense, no contradiction and no ZooKeeper', () => {
  const newer = facts({ finalized: new Map([['metadata.version', 27]]) });
  assert.equal(reason(decideMetadataVersion(asked('3.9'), newer)), 'NeverBack');
  assert.equal(reason(decideMetadataVersion(asked('newest'), facts())), 'NotAVersion');
  const two = new Map([
    ['kafka', '4.1'],
    ['ctl', '4.0'],
  ]);
  const decision = decideMetadataVersion(two, facts());
  assert.equal(reason(decision), 'Conflicting');
  assert.match(decision?.message ?? '', /kafka: 4\.1, ctl: 4\.0/);
  assert.equal(reason(decideMetadataVersion(asked('4.1'), facts({ mode: 'zookeeper' }))), 'ZooKeeper');
});

test('a registration of a broker that is gone is named, since Kafka would refuse by it', () => {
  const decision = decideMetadataVersion(asked('4.1'), facts({ stale: [7] }));
  assert.equal(reason(decision), 'StaleRegistrations');
  assert.match(decision?.message ?? '', /Brokers 7 .*unregister --id ID/);
});

test('eligible leader replicas are a step of their own, after metadata.version', () => {
  assert.equal(reason(decideEligibleLeaders(asked('true'), facts())), 'MetadataVersionTooOld');
  const ready = facts({ finalized: new Map([['metadata.version', 27]]) });
  const decision = decideEligibleLeaders(asked('true'), ready);
  assert.ok(decision?.action === 'update' && decision.level === 1);
  const on = facts({
    finalized: new Map([
      ['metadata.version', 27],
      ['eligible.leader.replicas.version', 1],
    ]),
  });
  assert.equal(reason(decideEligibleLeaders(asked('true'), on)), 'done');
  assert.equal(reason(decideEligibleLeaders(asked('false'), on)), 'NeverBack');
  assert.equal(reason(decideEligibleLeaders(asked('yes'), ready)), 'NotAValue');
});

test('an update goes up, to what every node supports, and only while nothing else is under way', () => {
  const node = fc.record({
    id: fc.nat(5),
    pod: fc.constant('kafka-0'),
    supported: fc.option(
      fc.integer({ min: 7, max: 33 }).map((max) => ranges(max)),
      { nil: undefined },
    ),
  });
  const any = fc.record({
    mode: fc.constantFrom('kraft' as const, 'zookeeper' as const),
    finalized: fc.integer({ min: 1, max: 33 }).map((level) => new Map([['metadata.version', level]])),
    nodes: fc.array(node),
    stale: fc.array(fc.nat(9), { maxLength: 1 }),
    underReplicated: fc.nat(1),
    busy: fc.option(fc.constant('a roll'), { nil: undefined }),
  });
  fc.assert(
    fc.property(any, fc.integer({ min: 1, max: 33 }), (known, level) => {
      const decision = decideMetadataVersion(asked(String(level)), known);
      if (decision?.action !== 'update') return;
      assert.ok(decision.level > (known.finalized.get('metadata.version') ?? 0));
      assert.ok(known.nodes.length > 0);
      for (const { supported } of known.nodes)
        assert.ok(decision.level <= (supported?.get('metadata.version')?.max ?? 0));
      assert.deepEqual([known.stale.length, known.underReplicated, known.busy], [0, 0, undefined]);
      assert.equal(known.mode, 'kraft');
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keys } from '../../names.ts';
import { approvalOf } from './approval.ts';
import { isTerminal, type KafkaRebalance, phaseOf, type RebalanceSpec } from './kafka-rebalance.ts';
import type { Decision, Execution, Proposal, Seen } from './lifecycle-types.ts';
import { nextOf } from './lifecycle.ts';
import { readSettings } from './settings.ts';
import { now, rebalanceOf } from './test/samples.ts';

const hashes = ['ab', 'cd', 'ef'].map((digits) => digits.repeat(32));

/** What people and the world do to an object, in any order. */
type Happening =
  | { readonly kind: 'pass' }
  | { readonly kind: 'annotate'; readonly key: string; readonly value: string | undefined }
  | { readonly kind: 'spec'; readonly spec: Partial<RebalanceSpec> }
  | { readonly kind: 'found'; readonly hash: string; readonly partitions: number }
  /** Approves the plan that the status shows. */
  | { readonly kind: 'agree' }
  | { readonly kind: 'drift' | 'lose' | 'forge' | 'restart' | 'delete' }
  | { readonly kind: 'lease'; readonly held: boolean }
  | { readonly kind: 'executor'; readonly state: Execution['state']; readonly refused: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 10, arbitrary: fc.constant({ kind: 'pass' } as const) },
  { weight: 3, arbitrary: fc.constant({ kind: 'agree' } as const) },
  fc.record({
    kind: fc.constant('annotate' as const),
    key: fc.constantFrom(keys.approve, keys.stop, keys.refresh),
    value: fc.constantFrom(undefined, 'true', 'ab'.repeat(6), ...hashes),
  }),
  fc.record({
    kind: fc.constant('spec' as const),
    spec: fc.constantFrom<Partial<RebalanceSpec>>(
      {},
      { tolerance: '0.1' },
      { tolerance: '9' },
      { autoApprove: { maxBytes: '1Gi' } },
      { autoApprove: { maxBytes: '1k' } },
      { autoApprove: { maxBytes: '1Gi', windows: [{ from: '01:00', to: '02:00' }] } },
    ),
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('found' as const),
      hash: fc.constantFrom(...hashes),
      partitions: fc.constantFrom(3, 3, 3, 0),
    }),
  },
  fc.record({
    kind: fc.constantFrom(
      'drift' as const,
      'lose' as const,
      'forge' as const,
      'restart' as const,
      'delete' as const,
    ),
  }),
  fc.record({ kind: fc.constant('lease' as const), held: fc.boolean() }),
  fc.record({
    kind: fc.constant('executor' as const),
    state: fc.constantFrom<Execution['state']>('running', 'stopping', 'done', 'stopped', 'failed'),
    refused: fc.constantFrom(0, 0, 2),
  }),
);

/** A duty in small: it carries out actions and writes the status as the interface says. */
class Duty {
  rebalance: KafkaRebalance = rebalanceOf();
  stored: string | undefined;
  drifted = false;
  lease = false;
  proposal: Proposal | undefined;
  execution: Execution | undefined;

  seen(): Seen {
    const { rebalance, execution, proposal } = this;
    return {
      rebalance,
      all: [rebalance],
      lease: this.lease ? { state: 'held', what: 'a drain' } : { state: 'free' },
      now,
      stored:
        this.stored === undefined
          ? { state: 'lost', message: 'gone' }
          : { state: 'sound', hash: this.stored },
      drift: this.drifted ? { count: 1, examples: ['orders-0 is elsewhere'] } : { count: 0, examples: [] },
      ...(proposal && { proposal }),
      ...(execution && { execution }),
    };
  }

  pass(): Decision {
    const decision = nextOf(this.seen());
    const { action } = decision;
    if (action.do === 'propose') {
      this.proposal = { state: 'running', request: action.request };
      this.drifted = false;
    }
    if (action.do === 'store') {
      this.stored = this.proposal?.state === 'ready' ? this.proposal.plan.hash : undefined;
      this.proposal = undefined;
    }
    if (action.do === 'start') this.execution = { hash: action.hash, state: 'running' };
    this.rebalance = { ...this.rebalance, status: decision.status };
    const ended = ['done', 'stopped', 'failed'].includes(this.execution?.state ?? '');
    if (ended) this.execution = undefined;
    return decision;
  }

  apply(what: Happening): void {
    const { metadata, spec } = this.rebalance;
    const touch = (next: Partial<KafkaRebalance>) => void (this.rebalance = { ...this.rebalance, ...next });
    if (what.kind === 'annotate') {
      const { [what.key]: _gone, ...rest } = metadata.annotations ?? {};
      const annotations = what.value === undefined ? rest : { ...rest, [what.key]: what.value };
      touch({ metadata: { ...metadata, annotations } });
    } else if (what.kind === 'agree')
      this.apply({ kind: 'annotate', key: keys.approve, value: this.rebalance.status?.plan?.hash });
    else if (what.kind === 'spec') touch({ spec: { cluster: spec.cluster, ...what.spec } });
    else if (what.kind === 'delete') touch({ metadata: { ...metadata, deletionTimestamp: now } });
    else if (what.kind === 'lease') this.lease = what.held;
    else this.world(what);
  }

  world(what: Happening): void {
    if (what.kind === 'drift') this.drifted = true;
    if (what.kind === 'lose') this.stored = undefined;
    if (what.kind === 'forge') this.stored = 'ff'.repeat(32);
    if (what.kind === 'restart') this.proposal = undefined;
    if (what.kind === 'found' && this.proposal !== undefined) {
      const { request } = this.proposal;
      const plan = {
        hash: what.hash,
        chunks: 1,
        partitions: what.partitions,
        createdAt: '2026-11-23T11:00:00Z',
      };
      const summary = {
        move: '1 MiB',
        bytesToMove: 2 ** 20,
        shareToMove: 0.1,
        replicaMoves: 3,
        leaderChanges: 0,
      };
      this.proposal = { state: 'ready', request, plan, summary };
    }
    if (what.kind === 'executor' && this.execution !== undefined)
      this.execution = { ...this.execution, state: what.state, refusedCount: what.refused };
  }
}

const story = fc.array(happening, { maxLength: 80, size: 'max' });

test('property: nothing is begun but the stored plan, approved by exactly its hash or within the limits', () => {
  let started = 0;
  fc.assert(
    fc.property(story, (happenings) => {
      const duty = new Duty();
      for (const what of happenings) {
        duty.apply(what);
        if (what.kind !== 'pass') continue;
        const { rebalance, stored, execution } = duty;
        const { action, status } = duty.pass();
        const begins = status.phase === 'Executing' && execution === undefined;
        assert.equal(action.do === 'start', begins);
        if (action.do !== 'start') continue;
        started += 1;
        const { plan, summary, approval } = rebalance.status ?? {};
        const read = readSettings(rebalance.spec);
        assert.ok('settings' in read && plan && summary);
        const verdict = approvalOf(
          rebalance,
          { ...summary, hash: plan.hash },
          read.settings.autoApprove,
          now,
        );
        assert.ok(verdict.approved);
        assert.deepEqual([action.hash, stored, approval?.hash], [plan.hash, plan.hash, plan.hash]);
        assert.equal(rebalance.metadata.annotations?.[keys.stop] === 'true', false);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(started > 50, `only ${started} stories led to an execution`);
});

test('property: an end stays, and nothing is done for it but to stop', () => {
  fc.assert(
    fc.property(story, (happenings) => {
      const duty = new Duty();
      for (const what of happenings) {
        duty.apply(what);
        if (what.kind !== 'pass') continue;
        const before = phaseOf(duty.rebalance);
        const { action, status } = duty.pass();
        if (!isTerminal(before)) continue;
        assert.equal(status.phase, before);
        assert.ok(action.do === 'nothing' || action.do === 'stop');
      }
    }),
    { numRuns: 2000 },
  );
});

test('property: a stop reaches an end, from wherever, and begins nothing', () => {
  fc.assert(
    fc.property(story, (happenings) => {
      const duty = new Duty();
      for (const what of happenings)
        if (what.kind === 'pass') duty.pass();
        else duty.apply(what);
      duty.apply({ kind: 'annotate', key: keys.stop, value: 'true' });
      const { action } = duty.pass();
      assert.ok(['nothing', 'stop'].includes(action.do));
      if (action.do === 'stop') duty.apply({ kind: 'executor', state: 'stopped', refused: 0 });
      duty.pass();
      assert.ok(isTerminal(phaseOf(duty.rebalance)));
    }),
    { numRuns: 2000 },
  );
});

test('property: a pass over what has not changed writes nothing', () => {
  fc.assert(
    fc.property(story, (happenings) => {
      const duty = new Duty();
      for (const what of happenings)
        if (what.kind === 'pass') duty.pass();
        else duty.apply(what);
      for (let i = 0; i < 4; i += 1) duty.pass();
      const settled = duty.rebalance.status;
      const { events } = duty.pass();
      assert.deepEqual(duty.rebalance.status, settled);
      assert.ok(events.length === 0 || isTerminal(phaseOf(duty.rebalance)));
    }),
    { numRuns: 1000 },
  );
});

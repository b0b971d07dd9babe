import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Evidence } from '../../gate/index.ts';
import { prepare } from '../../gate/index.ts';
import { confirm, emptyRecord, reserve } from '../../gate/record.ts';
import { type Sketch, evidenceOf, nowMs, partition, pod, three } from '../../gate/test/cluster.ts';
import { type Stop, mayStop, shutdownMs, unknownForMs } from './may-stop.ts';

const asked = (nodeId: number, more: Partial<Stop> = {}): Stop => ({
  pod: pod(nodeId, { terminating: true }),
  nowMs,
  askedSinceMs: nowMs,
  killedAtMs: nowMs + 360_000,
  wanted: true,
  waiting: [],
  ...more,
});

const answer = (facts: Partial<Evidence>, stop: Stop, sketch: Sketch = three) =>
  mayStop(prepare(evidenceOf(sketch, facts)), stop);

/** The pods of three brokers, of which some end. */
const ending = (...ids: number[]) => [0, 1, 2].map((id) => pod(id, { terminating: ids.includes(id) }));

/** Replica 2 of orders-0 is not in sync. */
const behind: Sketch = { ...three, partitions: [partition('orders', 0, [0, 1, 2], [0, 1])] };

describe('a pod that ends', () => {
  test('stops at once where the others can spare it', () => {
    assert.deepEqual(answer({ pods: ending(1) }, asked(1)), {
      answer: 'stop',
      why: 'the others can spare it',
    });
  });

  test('waits while a partition would fall below its minimum, and says which', () => {
    const said = answer({ pods: ending(1) }, asked(1), behind);
    assert.equal(said.answer, 'wait');
    assert.match(said.why, /orders-0: ISR 0,1 of 0,1,2, min 2/);
    assert.ok(!said.why.includes('\n'));
    assert.equal(
      answer({ pods: ending(2) }, asked(2), behind).answer,
      'stop',
      'it holds nothing that is in sync',
    );
  });

  test('waits while a broker that is counted on does not answer', () => {
    const pings = new Map(
      [0, 1, 2].map((id) => [id, { sentAtMs: nowMs - 300, ...(id === 0 ? {} : { tookMs: 5 }) }]),
    );
    assert.equal(answer({ pods: ending(1), pings }, asked(1)).answer, 'wait');
  });

  test('waits for voters that catch up, not for a majority that no waiting brings', () => {
    const quorum = evidenceOf(three).quorum!;
    const late = quorum.voters.map((voter) => (voter.id === 2 ? { ...voter, lastCaughtUpMs: 1 } : voter));
    assert.equal(answer({ pods: ending(1), quorum: { ...quorum, voters: late } }, asked(1)).answer, 'wait');
    const alone = { ...quorum, voters: quorum.voters.slice(0, 1) };
    const single: Sketch = { brokers: 1, partitions: [partition('orders', 0, [0])], min: { orders: 1 } };
    assert.equal(answer({ quorum: alone, pods: [pod(0)] }, asked(0), single).answer, 'stop');
  });

  test('does not wait for what only holds evictions up: another’s lease, a record that cannot be read, a changed ISR', () => {
    const other = reserve(
      emptyRecord,
      { id: 'eviction/uid-2', by: 's' },
      { pod: 'kafka-2', podUid: 'uid-2' },
      nowMs,
    );
    assert.ok(other.ok);
    const facts: Partial<Evidence>[] = [
      { record: { known: false, problem: 'damaged' } },
      { record: { known: true, record: other.record } },
    ];
    for (const one of facts) assert.equal(answer({ pods: ending(1), ...one }, asked(1)).answer, 'stop');
  });

  test('waits no longer than leaves its controlled shutdown the time that it may need', () => {
    const stop = asked(1, { killedAtMs: nowMs + shutdownMs - 1 });
    assert.match(answer({ pods: ending(1) }, stop, behind).why, /no time/);
    const { killedAtMs: _gone, ...anew } = asked(1);
    assert.equal(
      answer({}, anew, behind).answer,
      'wait',
      'a container that is started anew has no such time',
    );
  });

  test('stops where all of its set end, and where a person has let it go', () => {
    assert.equal(answer({ pods: ending(0, 1, 2) }, asked(1, { wanted: false }), behind).answer, 'stop');
    const free = asked(1, { pod: pod(1, { terminating: true, override: true }) });
    assert.equal(answer({ pods: ending(1) }, free, behind).answer, 'stop');
  });

  test('waits ten seconds for Kafka to be read, not more', () => {
    assert.equal(mayStop(undefined, asked(1)).answer, 'wait');
    assert.equal(mayStop(undefined, asked(1, { askedSinceMs: nowMs - unknownForMs })).answer, 'stop');
  });

  test('waits as long where what is known is too old or too little', () => {
    const old = { nowMs: nowMs + 3_600_000, killedAtMs: nowMs + 4_000_000 };
    const cases: [string, Evidence, Partial<Stop>][] = [
      ['no views', evidenceOf(three, { pods: ending(1), views: [] }), {}],
      ['an hour old', evidenceOf(three, { pods: ending(1) }), old],
    ];
    for (const [name, evidence, more] of cases) {
      const at = more.nowMs ?? nowMs;
      const said = (askedSinceMs: number) => mayStop(prepare(evidence), asked(1, { ...more, askedSinceMs }));
      assert.equal(said(at).answer, 'wait', name);
      const later = said(at - unknownForMs);
      assert.equal(later.answer, 'stop', `${name}: ${later.why}`);
    }
  });

  test('waits on for what was in the way when it was last seen, though nothing is seen any more', () => {
    const long = { askedSinceMs: nowMs - 2 * unknownForMs };
    const seen = answer({ pods: ending(1) }, asked(1, long), behind);
    assert.equal(seen.known, true);
    const held = asked(1, { ...long, held: seen.why });
    const unseen = prepare(evidenceOf(three, { pods: ending(1), views: [] }));
    for (const evidence of [undefined, unseen])
      assert.deepEqual(mayStop(evidence, held), { answer: 'wait', why: seen.why });
    assert.equal(answer({ pods: ending(1) }, held).answer, 'stop', 'it is seen to have passed');
  });
});

describe('of several pods that end at once', () => {
  test('one goes, and the others wait for it', () => {
    const pods = ending(1, 2);
    const waiting = ['uid-2', 'uid-1'];
    assert.equal(answer({ pods }, asked(2, { waiting })).answer, 'stop');
    assert.equal(answer({ pods }, asked(1, { waiting })).answer, 'wait');
    assert.equal(
      answer({ pods }, asked(1, { waiting: ['uid-1'] })).answer,
      'wait',
      'the other is on its way out',
    );
  });

  test('the one that holds the record goes first', () => {
    const claim = { id: 'eviction/uid-1', by: 's' };
    const reserved = reserve(
      emptyRecord,
      claim,
      { pod: 'kafka-1', podUid: 'uid-1', broker: 1, set: 'kafka' },
      nowMs,
    );
    assert.ok(reserved.ok);
    const held = confirm(reserved.record, claim, 'uid-1', nowMs);
    assert.ok(held.ok);
    const facts = { pods: ending(1, 2), record: { known: true, record: held.record } as const };
    const waiting = ['uid-2', 'uid-1'];
    assert.equal(answer(facts, asked(1, { waiting })).answer, 'stop');
    assert.equal(answer(facts, asked(2, { waiting })).answer, 'wait');
  });
});

/** Clusters of three to five brokers, three replicas a partition, some of which are not in sync. */
const clusters = fc.integer({ min: 3, max: 5 }).chain((brokers) => {
  const ids = Array.from({ length: brokers }, (_, id) => id);
  const one = fc.shuffledSubarray(ids, { minLength: 3, maxLength: 3 }).chain((replicas) =>
    fc.record({
      replicas: fc.constant(replicas),
      isr: fc.shuffledSubarray(replicas, { minLength: 1 }),
    }),
  );
  return fc.record({
    sketch: fc.array(one, { minLength: 1, maxLength: 6 }).map((all): Sketch => ({
      brokers,
      partitions: all.map(({ replicas, isr }, i) => partition('orders', i, replicas, isr)),
      min: { orders: 2 },
    })),
    ends: fc.constantFrom(...ids),
  });
});

test('it waits exactly where a partition would fall below its minimum that has a replica to catch up', () => {
  fc.assert(
    fc.property(clusters, ({ sketch, ends }) => {
      const hurt = sketch.partitions.some(
        ({ replicas, isr }) => replicas.includes(ends) && isr.filter((id) => id !== ends).length < 2,
      );
      const pods = Array.from({ length: sketch.brokers }, (_, id) => pod(id, { terminating: id === ends }));
      assert.equal(answer({ pods }, asked(ends), sketch).answer, hurt ? 'wait' : 'stop');
    }),
  );
});

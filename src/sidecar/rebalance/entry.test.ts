import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Journal, type Move, begin, defaultLimits } from '../../execution/index.ts';
import { type DisruptionRecord, emptyRecord, take } from '../../gate/record.ts';
import { claimOf, entryJson, entryOf, leaseFor, leaseOf, limitsOf, remainder, underWayOf } from './entry.ts';
import type { KafkaRebalance } from './kafka-rebalance.ts';
import { estimatedSecondsOf } from './search.ts';

const move = (partition: number, from: number[], to: number[]): Move => ({
  ...{ topic: 'orders', partition, from, to },
  sizeBytes: 1_000_000,
});
const moves = [move(0, [0, 1], [0, 2]), move(1, [1, 0], [1, 2]), move(2, [0, 1], [2, 1])];
const plan = { hash: 'abc', moves };
const journal: Journal = {
  ...begin({ plan, racks: { '0': 'a' }, nowMs: 5 }),
  copies: [2, 0].map((index) => ({
    ...{ move: index, state: 'submitted', before: moves[index]!.from, target: moves[index]!.to },
    ...{ source: 0, bytes: 1_000_000 },
  })),
  refused: { '1': { code: 'no-room', detail: 'broker 2 has no room' } },
};
const entry = {
  name: 'monday',
  uid: 'u-1',
  journal,
  limits: defaultLimits,
  underWay: underWayOf(plan, journal),
};

const held = (of = entry): DisruptionRecord => {
  const outcome = take(emptyRecord, claimOf(of, 'me'), { kind: 'rebalance', journal: entryJson(of) }, 1);
  assert.ok(outcome.ok);
  return outcome.record;
};

suite('what the disruption record holds of an execution', () => {
  test('comes back as it was stored', () => {
    const { lease: _lease, ...read } = entryOf(held()) ?? {};
    assert.deepEqual(read, entry);
    assert.equal(entryOf(emptyRecord), undefined);
  });

  test('fits into a ConfigMap however much Kafka refuses and others throttle, so that it can be stopped', () => {
    const message = (move: number) => `orders-${move}: Kafka refused with POLICY_VIOLATION: not on weekdays`;
    const refused = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, move) => [
        move,
        { code: 'refused-by-kafka' as const, detail: message(move) },
      ]),
    );
    const theirs = Array.from({ length: 100_000 }, (_, partition) => `${partition}:${partition % 7}`).join(
      ',',
    );
    const ref = { type: 'topic', name: 'orders', key: 'leader.replication.throttled.replicas' } as const;
    const ledger = [{ ...ref, before: theirs, written: `${theirs},100000:1` }];
    const many = { ...entry, journal: { ...journal, refused, ledger } };
    const record = held(many);
    assert.deepEqual(leaseOf(record), { state: 'held', what: 'the rebalance monday', uid: 'u-1' });
    const { lease: _lease, ...read } = entryOf(record) ?? assert.fail();
    assert.deepEqual(read.journal.ledger, ledger);
    assert.equal(read.journal.refused[7]?.detail, message(7));
    assert.equal(Object.keys(read.journal.refused).length, 100_000);
    assert.ok(Object.values(read.journal.refused).every(({ code }) => code === 'refused-by-kafka'));
  });

  test('names the KafkaRebalance that holds the lease, and says in words what another holder does', () => {
    assert.deepEqual(leaseOf(held()), { state: 'held', what: 'the rebalance monday', uid: 'u-1' });
    const roll = take(emptyRecord, { id: 'r', by: 'me' }, { kind: 'roll', pod: 'kafka-1' }, 1);
    assert.ok(roll.ok);
    assert.deepEqual(leaseOf(roll.record), { state: 'held', what: 'the roll of kafka-1' });
    assert.deepEqual(leaseOf(emptyRecord), { state: 'free' });
  });

  test('is enough to take back what is under way when the plan is gone with its object', () => {
    const rest = remainder(entry);
    assert.deepEqual(
      rest.journal.copies.map((copy) => rest.plan.moves[copy.move]?.partition),
      [2, 0],
    );
    assert.deepEqual(rest.journal.refused, {});
    const relocating = { from: '/a', to: '/b', bytes: 1, state: 'submitted', sinceMs: 0 } as const;
    const relocations = [1, 3].map((broker) => ({ ...relocating, move: 2, broker }));
    const within = remainder({
      ...entry,
      journal: { ...entry.journal, relocations },
      underWay: [...entry.underWay, move(5, [1, 3], [1, 3]), move(5, [1, 3], [1, 3])],
    });
    assert.deepEqual(
      (within.journal.relocations ?? []).map((one) => within.plan.moves[one.move]?.partition),
      [5, 5],
    );
    assert.equal(within.plan.moves.length, 3);
    assert.equal(rest.plan.hash, rest.journal.plan);
  });
});

test('a broker that is away is not in the way of emptying it', () => {
  const lost = take(emptyRecord, { id: 'loss/u', by: 'me' }, { kind: 'loss', pod: 'kafka-2', broker: 2 }, 1);
  assert.ok(lost.ok);
  const lease = leaseOf(lost.record);
  const spec = (mode: KafkaRebalance['spec']['mode'], brokers: number[]) =>
    ({ spec: { cluster: 'kafka', mode, brokers } }) as unknown as KafkaRebalance;
  assert.deepEqual(leaseFor(spec('remove-brokers', [2]), lease), { state: 'free' });
  assert.equal(leaseFor(spec('remove-brokers', [1]), lease).state, 'held');
  assert.equal(leaseFor(spec('add-brokers', [2]), lease).state, 'held');
});

suite('the limits of an execution', () => {
  test('follow the settings that were approved with the plan', () => {
    const fixed = limitsOf({
      moves,
      execution: { throttle: { bytesPerSecond: 7 }, movesPerBroker: 2, batchBytes: 9, diskReserve: 0.3 },
    });
    assert.deepEqual(fixed.throttle, { floorBytesPerSecond: 7, ceilingBytesPerSecond: 7 });
    assert.deepEqual([fixed.movesPerBroker, fixed.batchBytes, fixed.diskReserve], [2, 9, 0.3]);
  });

  test('keep the floor below the ceiling where only one of them is given', () => {
    const low = limitsOf({ moves, execution: { throttle: { ceilingBytesPerSecond: 1_000 } } }).throttle;
    assert.deepEqual(low, { floorBytesPerSecond: 1_000, ceilingBytesPerSecond: 1_000 });
    const high = limitsOf({ moves, execution: { throttle: { floorBytesPerSecond: 1e9 } } }).throttle;
    assert.deepEqual(high, { floorBytesPerSecond: 1e9, ceilingBytesPerSecond: 1e9 });
  });

  test('let those brokers be away that the plan empties, and no others', () => {
    const emptying = [move(0, [3, 1], [0, 1]), move(1, [1, 3], [1, 0])];
    assert.deepEqual(limitsOf({ moves: emptying, execution: { throttle: {} } }).mayBeAway, [3]);
    assert.deepEqual(limitsOf({ moves, execution: { throttle: {} } }).mayBeAway, []);
  });

  test('give the time that the busiest broker needs at the highest rate', () => {
    const seconds = estimatedSecondsOf({
      ...{ schema: 1, cluster: 'kafka', mode: 'balance', moves },
      execution: { throttle: { bytesPerSecond: 500_000 } },
    });
    assert.equal(seconds, 6, 'broker 2 takes three megabytes');
  });
});

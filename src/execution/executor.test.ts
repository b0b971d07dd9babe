import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Limits, type Move, defaultLimits } from './model.ts';
import { cannotCancel, pauses } from './guards.ts';
import { begin, parseJournal, requestStop } from './journal.ts';
import { aboveIncoming, adapted } from './rates.ts';
import { Executor } from './test/executor.ts';
import { SimulatedKafka } from './test/simulated-kafka.ts';
import { throttleKeys } from './throttles.ts';

const mb = 1_000_000;
const limits: Limits = {
  ...defaultLimits,
  throttle: { floorBytesPerSecond: 10 * mb, ceilingBytesPerSecond: 10 * mb },
};

function cluster(brokers = 5, diskBytes = 100_000 * mb): SimulatedKafka {
  const kafka = new SimulatedKafka();
  for (let id = 0; id < brokers; id++) kafka.addBroker(id, `r${id}`, diskBytes);
  kafka.minIsr.set('t', 2);
  return kafka;
}

function place(kafka: SimulatedKafka, from: number[], to: number[], sizeBytes: number): Move {
  const at = { topic: 't', partition: kafka.partitions.size };
  kafka.addPartition(at, from, sizeBytes);
  return { ...at, from, to, sizeBytes };
}

/** A second a look. */
function look(executor: Executor, times: number, until: () => boolean = () => false): void {
  for (let done = 0; done < times && !until(); done++) {
    executor.round();
    executor.kafka.tick(1_000);
  }
}

const run = (kafka: SimulatedKafka, moves: Move[], own: Limits = limits): Executor =>
  new Executor(kafka, { hash: 'p', moves }, own);

test('a copy starts when its throttles are read back: sources are leaders, new replicas followers', () => {
  const kafka = cluster();
  const executor = run(kafka, [place(kafka, [0, 1, 2], [0, 1, 3], 100 * mb)]);
  look(executor, 30, () => kafka.ours().length > 0);
  assert.equal(kafka.configs.get(`topic/t/${throttleKeys.sources}`), '0:0,0:1,0:2');
  assert.equal(kafka.configs.get(`topic/t/${throttleKeys.destinations}`), '0:3');
  for (const id of [0, 1, 2, 3]) {
    for (const key of throttleKeys.rates)
      assert.equal(kafka.configs.get(`broker/${id}/${key}`), `${10 * mb}`);
  }
  look(executor, 200, () => executor.journal.outcome !== undefined);
  assert.equal(executor.journal.outcome, 'done');
  assert.equal(kafka.configs.size, 0);
});

test('a copy that was chosen and no longer applies is not taken for done', () => {
  const kafka = cluster();
  const executor = run(kafka, [place(kafka, [0, 1, 2], [0, 1, 3], 100 * mb)]);
  executor.round();
  assert.equal(executor.journal.copies[0]?.state, 'queued');
  // A new process has looked at no setting yet.
  executor.restart();
  kafka.partitions.get('t-0')!.isr = [0, 2];
  executor.round();
  assert.deepEqual([executor.journal.outcome, executor.journal.copies], [undefined, []]);
  kafka.partitions.get('t-0')!.isr = [0, 1, 2];
  look(executor, 200, () => executor.journal.outcome !== undefined);
  assert.deepEqual(kafka.partitions.get('t-0')?.replicas, [0, 1, 3]);
});

test('leaders change last, by a preferred election', () => {
  const kafka = cluster();
  const copied = place(kafka, [0, 1, 2], [3, 0, 1], 50 * mb);
  const reordered = place(kafka, [0, 1, 2], [1, 0, 2], 50 * mb);
  const executor = run(kafka, [copied, reordered]);
  look(executor, 60, () => kafka.ours().length > 0);
  assert.equal(kafka.partitions.get('t-1')?.leader, 0);
  look(executor, 200, () => executor.journal.outcome !== undefined);
  assert.deepEqual(kafka.partitions.get('t-0')?.replicas, [3, 0, 1]);
  assert.deepEqual(
    [...kafka.partitions.values()].map(({ leader }) => leader),
    [3, 1],
  );
});

test('a leader that cannot be elected is tried at growing pauses, given up, and told of in the end', () => {
  const kafka = cluster();
  const moves = [0, 1, 2].map(() => place(kafka, [0, 1, 2], [1, 0, 2], 50 * mb));
  kafka.electable = ({ partition }) => partition !== 1;
  const executor = run(kafka, moves);
  const tried: number[] = [];
  for (let seconds = 0; seconds < 300 && executor.journal.outcome === undefined; seconds++) {
    const elected = executor.round().actions.find(({ kind }) => kind === 'elect');
    if (elected !== undefined) tried.push(seconds);
    kafka.tick(1_000);
  }
  assert.equal(executor.journal.outcome, 'done');
  const pauses = tried.slice(2).map((at, index) => at - tried[index + 1]!);
  assert.deepEqual(pauses, [1, 2, 4, 8, 15, 15]);
  assert.equal(executor.journal.ledElsewhere?.count, 1);
  assert.match(executor.journal.ledElsewhere.examples.join(), /t-1: broker 1 could not be elected/);
  assert.equal(executor.said.filter(({ code }) => code === 'leader-elsewhere').length, 1);
});

test('of many leaders all have their turn, however long that takes, and those that come to lead are not told of', () => {
  const kafka = cluster();
  const moves = Array.from({ length: 350 }, () => place(kafka, [0, 1, 2], [1, 0, 2], mb));
  kafka.electable = ({ partition }) => partition >= 150;
  const executor = run(kafka, moves, { ...limits, electionPatienceMs: 20_000 });
  look(executor, 300, () => executor.journal.outcome !== undefined);
  assert.equal(executor.journal.ledElsewhere?.count, 150);
  const led = [...kafka.partitions.values()].filter(({ leader }) => leader === 1);
  assert.equal(led.length, 200);
});

test('a stop waits, or finishes forward, where a cancel would go below min ISR', () => {
  const kafka = cluster();
  const executor = run(kafka, [place(kafka, [0, 1, 2], [0, 4, 3], 400 * mb)], {
    ...limits,
    settleMs: 1_000,
  });
  look(executor, 60, () => kafka.ours().length > 0);
  // The new replica arrives while the one that goes and one that stays are behind.
  const one = kafka.partitions.get('t-0')!;
  one.isr = [one.leader, ...one.adding];
  one.has.set(1, 0);
  one.has.set(2, 0);
  executor.stop();
  executor.round();
  assert.ok(executor.last?.waiting.some(({ code }) => code === 'stop-waits'));
  assert.ok(kafka.ours().length > 0, 'not cancelled');
  look(executor, 300, () => executor.journal.outcome !== undefined);
  assert.equal(executor.journal.outcome, 'stopped');
  const { forward = [], reverted = [] } = executor.journal.stop ?? {};
  assert.equal(forward.length + reverted.length, 1);
  assert.deepEqual(kafka.violations, []);
  assert.equal(cannotCancel({ replicas: [0, 1], isr: [0, 1], leader: 0, seenAtMs: 0 }, [], 2), undefined);
});

test('a revert puts the earlier order back, which Kafka does not keep', () => {
  const kafka = cluster();
  const executor = run(kafka, [place(kafka, [0, 1, 2], [3, 2, 1], 400 * mb)]);
  look(executor, 60, () => kafka.ours().length > 0);
  executor.stop();
  look(executor, 60, () => executor.journal.outcome !== undefined);
  assert.deepEqual(kafka.partitions.get('t-0')?.replicas, [0, 1, 2]);
  assert.deepEqual(executor.journal.stop?.reverted, [0]);
});

test('throttles of a broker that dies are owed after the end, and paid when it returns or through controllers', () => {
  for (const way of ['returns', 'controllers']) {
    const kafka = cluster();
    kafka.configs.set(`broker/3/${throttleKeys.rates[0]}`, '1234');
    const executor = run(kafka, [place(kafka, [0, 1, 2], [0, 1, 3], 400 * mb)]);
    look(executor, 60, () => kafka.ours().length > 0);
    kafka.kill(3);
    executor.stop();
    look(executor, 60, () => executor.journal.outcome !== undefined);
    assert.equal(executor.journal.outcome, 'stopped');
    assert.deepEqual(new Set(executor.journal.ledger.map(({ name }) => name)), new Set(['3']));
    const other = begin({ plan: { hash: 'q', moves: [] }, racks: {}, nowMs: 0, previous: executor.journal });
    assert.equal(other.ledger.length, 2, 'the next plan takes debts over');
    if (way === 'returns') kafka.revive(3);
    else kafka.throughControllers = true;
    look(executor, 10);
    assert.deepEqual([...kafka.configs], [[`broker/3/${throttleKeys.rates[0]}`, '1234']]);
    assert.deepEqual(executor.journal.ledger, []);
  }
});

test('while its broker is away a debt is paid at once where the controllers take it, and kept where they do not', () => {
  const kafka = cluster();
  kafka.throughControllers = true;
  kafka.refusing = () => true;
  kafka.configs.set(`broker/3/${throttleKeys.rates[0]}`, '1234');
  const executor = run(kafka, [place(kafka, [0, 1, 2], [0, 1, 3], 400 * mb)]);
  look(executor, 60, () => kafka.ours().length > 0);
  kafka.kill(3);
  executor.stop();
  look(executor, 60, () => executor.journal.outcome !== undefined);
  assert.equal(executor.journal.outcome, 'stopped', 'the end does not wait for controllers that refuse');
  assert.equal(executor.journal.ledger.length, 2);
  kafka.refusing = () => false;
  look(executor, 2);
  assert.deepEqual(executor.journal.ledger, []);
  assert.ok(!kafka.alive(3));
  assert.deepEqual([...kafka.configs], [[`broker/3/${throttleKeys.rates[0]}`, '1234']]);
});

test('a disk without room keeps its copies waiting, and refuses them when none comes free', () => {
  const kafka = cluster(5, 1_000 * mb);
  kafka.broker(4).otherBytes = 800 * mb;
  const executor = run(kafka, [place(kafka, [0, 1], [0, 4], 100 * mb)], {
    ...limits,
    diskPatienceMs: 60_000,
  });
  look(executor, 20);
  assert.ok(executor.last?.waiting.some(({ code }) => code === 'disk'));
  look(executor, 100, () => executor.journal.outcome !== undefined);
  assert.equal(executor.journal.outcome, 'drifted');
  assert.equal(executor.last?.progress.refused[0]?.code, 'no-room');
});

test('what has drifted is refused with the difference, and the rest is done', () => {
  const kafka = cluster();
  const drifted = place(kafka, [0, 1], [0, 4], 10 * mb);
  const fine = place(kafka, [0, 1], [0, 3], 10 * mb);
  kafka.reassign(drifted, [1, 2], 'others');
  kafka.tick(5_000);
  const executor = run(kafka, [drifted, fine, { ...fine, partition: 9 }]);
  look(executor, 100, () => executor.journal.outcome !== undefined);
  assert.equal(executor.journal.outcome, 'drifted');
  assert.deepEqual(
    executor.last?.progress.refused.map(({ partition, code }) => [partition, code]),
    [
      [0, 'drifted'],
      [9, 'gone'],
    ],
  );
  assert.match(executor.last?.progress.refused[0]?.detail ?? '', /1,2.*0,1 to 0,4/);
  assert.deepEqual(kafka.partitions.get('t-1')?.replicas, [0, 3]);
});

test('nothing new starts while a broker is away, unless the plan empties it', () => {
  const kafka = cluster();
  place(kafka, [0, 4], [0, 4], mb);
  kafka.kill(4);
  const seen = kafka.look(undefined, []);
  assert.deepEqual(
    pauses(seen, limits).map(({ code }) => code),
    ['below-min-isr', 'broker-away'],
  );
  assert.deepEqual(pauses(seen, { ...limits, mayBeAway: [4] }), []);
});

for (const [what, replicas, dead] of [
  ['with as many replicas as its minimum', [0, 4], [4]],
  ['that lost two', [0, 3, 4], [3, 4]],
] as const)
  test(`a partition ${what} comes back by emptying the brokers that are away, and others are moved beside it`, () => {
    const kafka = cluster(6);
    const kept = replicas.filter((id) => !dead.includes(id as 4));
    const lost = place(kafka, [...replicas], [...kept, 1, 2, 5].slice(0, replicas.length), mb);
    const beside = place(kafka, [1, 2, 4], [1, 2, 5], mb);
    for (const id of dead) kafka.kill(id);
    kafka.tick(60_000);
    const executor = run(kafka, [lost, beside], { ...limits, mayBeAway: [...dead] });
    look(executor, 300, () => executor.journal.outcome !== undefined);
    assert.equal(executor.journal.outcome, 'done');
    assert.deepEqual(kafka.partitions.get('t-0')?.isr.toSorted(), [...lost.to].sort());
    // One more that is away and is not emptied keeps everything waiting, as before.
    const other = cluster(6);
    const waits = place(other, [0, 4], [0, 1], mb);
    place(other, [1, 3], [1, 3], mb);
    for (const id of [3, 4]) other.kill(id);
    other.tick(60_000);
    const waiting = run(other, [waits], { ...limits, mayBeAway: [4] });
    look(waiting, 300, () => waiting.journal.outcome !== undefined);
    assert.equal(waiting.journal.outcome, undefined);
  });

test('a copy that keeps a replica for a while, on a broker that dies meanwhile, is taken back and goes on without it', () => {
  const kafka = cluster(6);
  const moves = [place(kafka, [0, 3, 4], [0, 1, 2], 500 * mb)];
  const executor = run(kafka, moves, { ...limits, mayBeAway: [3, 4] });
  look(executor, 60, () => kafka.ours().length > 0);
  assert.equal(kafka.ours().length, 1);
  const kept = [3, 4].find((id) => executor.journal.copies[0]?.target.includes(id)) ?? -1;
  kafka.kill(kept);
  look(executor, 600, () => executor.journal.outcome !== undefined);
  assert.equal(executor.journal.outcome, 'done');
  assert.deepEqual(kafka.partitions.get('t-0')?.isr.toSorted(), [0, 1, 2]);
});

test('the rate halves in trouble, rises in health, and says when producers write more', () => {
  const throttle = { floorBytesPerSecond: 10, ceilingBytesPerSecond: 100 };
  const seen = cluster().look(undefined, []);
  const rate = { bytesPerSecond: 40, changedAtMs: seen.nowMs - 60_000 };
  const well = { adaptEveryMs: limits.adaptEveryMs, producersWait: false };
  assert.equal(adapted(rate, throttle, seen, well).bytesPerSecond, 50);
  assert.equal(adapted(rate, throttle, { ...seen, outOfSync: 1 }, well).bytesPerSecond, 20);
  assert.equal(adapted(rate, throttle, seen, { ...well, producersWait: true }).bytesPerSecond, 20);
  assert.equal(adapted({ ...rate, changedAtMs: seen.nowMs }, throttle, seen, well).bytesPerSecond, 40);
  const raised = aboveIncoming(rate, throttle, { broker: 1, bytesPerSecond: 50 }, 0);
  assert.deepEqual([raised.rate.bytesPerSecond, raised.notice], [75, undefined]);
  const never = aboveIncoming(rate, throttle, { broker: 1, bytesPerSecond: 500 }, 0);
  assert.deepEqual([never.rate.bytesPerSecond, never.notice?.code], [100, 'throttle-below-incoming']);
});

test('a journal of a later version is refused', () => {
  const journal = begin({ plan: { hash: 'p', moves: [] }, racks: {}, nowMs: 1 });
  assert.deepEqual(parseJournal(JSON.stringify(journal)), journal);
  assert.throws(() => parseJournal(JSON.stringify({ ...journal, schema: 2 })), /schema 2/);
  assert.throws(
    () => begin({ plan: { hash: 'q', moves: [] }, racks: {}, nowMs: 1, previous: journal }),
    /stop it first/,
  );
  assert.equal(requestStop(requestStop(journal, 5), 9).stop?.askedAtMs, 5);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Limits, type Move, type Plan, configKey, defaultLimits, keyOf, sameOrder } from './model.ts';
import { settledFor } from './journal.ts';
import { chainOf, prepare } from './steps.ts';
import { Crash, Executor } from './test/executor.ts';
import { SimulatedKafka, type SimPartition, racksOf } from './test/simulated-kafka.ts';
import { throttleKeys } from './throttles.ts';

const limits: Limits = {
  ...defaultLimits,
  batchBytes: 400_000_000,
  movesPerBroker: 2,
  throttle: { floorBytesPerSecond: 5_000_000, ceilingBytesPerSecond: 20_000_000 },
  diskPatienceMs: 120_000,
};

/** What happens besides the executor, one event before each look. */
const event = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ kind: 'nothing' as const }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'lag' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('kill' as const), broker: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('revive' as const), broker: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(6) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('foreign' as const),
      at: fc.nat(30),
      to: fc.nat(5),
      late: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('foreign-cancel' as const), at: fc.nat(30) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('list' as const),
      topic: fc.nat(2),
      key: fc.nat(1),
      edit: fc.constantFrom('add', 'all', 'clear'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rate' as const),
      broker: fc.nat(5),
      key: fc.nat(1),
      to: fc.constantFrom('7777777', null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), topic: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fill' as const), broker: fc.nat(5) }) },
);

type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

const scenario = fc.record({
  seed: fc.array(fc.nat(1_000), { minLength: 60, maxLength: 60 }),
  replicationFactor: fc.integer({ min: 1, max: 3 }),
  partitions: fc.integer({ min: 2, max: 24 }),
  diskBytes: fc.constantFrom(2_000_000_000, 6_000_000_000, 40_000_000_000),
  earlier: fc.constantFrom('none', 'rates', 'lists', 'all'),
  controllers: fc.constantFrom('none', 'there', 'refusing'),
  stopAt: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(60) }),
  events: fc.array(event, { maxLength: 60 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function setUp(one: Scenario): { kafka: SimulatedKafka; plan: Plan } {
  const kafka = new SimulatedKafka();
  for (let id = 0; id < 6; id++) kafka.addBroker(id, `rack-${id % 3}`, one.diskBytes);
  kafka.throughControllers = one.controllers !== 'none';
  if (one.controllers === 'refusing') kafka.refusing = () => Math.floor(kafka.nowMs / 1_000) % 3 !== 0;
  let draw = 0;
  const drawn = (below: number): number => one.seed[draw++ % one.seed.length]! % below;
  const some = (): number[] => {
    const ids = [0, 1, 2, 3, 4, 5];
    return Array.from({ length: one.replicationFactor }, () => ids.splice(drawn(ids.length), 1)[0]!);
  };
  const moves: Move[] = [];
  for (let index = 0; index < one.partitions; index++) {
    const at = { topic: `t${index % 3}`, partition: Math.floor(index / 3) };
    kafka.minIsr.set(at.topic, 1 + (index % 3 === 0 ? 1 : 0));
    const from = some();
    const sizeBytes = drawn(3) === 0 ? 500_000 : (1 + drawn(20)) * 10_000_000;
    kafka.addPartition(at, from, sizeBytes);
    const to = some();
    if (!sameOrder(from, to)) moves.push({ ...at, from, to, sizeBytes });
  }
  if (one.earlier === 'rates' || one.earlier === 'all') {
    // Not so low that what others copy would outlast the test.
    kafka.configs.set(`broker/1/${throttleKeys.rates[0]}`, '1234567');
    kafka.configs.set(`broker/2/${throttleKeys.rates[1]}`, '9999999');
  }
  if (one.earlier === 'lists' || one.earlier === 'all') {
    kafka.configs.set(`topic/t0/${throttleKeys.sources}`, '*');
    kafka.configs.set(`topic/t1/${throttleKeys.destinations}`, '0:77, 1:88');
  }
  return { kafka, plan: { hash: 'p', moves } };
}

/** What the throttle settings should be in the end: those of the start, with what others did to them. */
class Expected {
  readonly configs: Map<string, string>;

  constructor(kafka: SimulatedKafka) {
    this.configs = kafka.snapshotConfigs();
  }

  set(key: string, value: string | null): void {
    if (value === null) this.configs.delete(key);
    else this.configs.set(key, value);
  }
}

interface World {
  readonly kafka: SimulatedKafka;
  readonly plan: Plan;
  readonly expected: Expected;
}

function apply(one: Event, { kafka, plan, expected }: World): void {
  switch (one.kind) {
    case 'kill':
      // One broker at a time, as a cluster with min ISR 2 of 3 is run.
      if ([...kafka.brokers.values()].every(({ alive }) => alive)) kafka.kill(one.broker);
      return;
    case 'revive':
      if (!kafka.alive(one.broker)) kafka.revive(one.broker);
      return;
    case 'foreign':
      return one.late ? undefined : foreign(kafka, plan, one);
    case 'foreign-cancel':
      return foreignCancel(kafka, one.at);
    case 'list':
      return editList(kafka, expected, one);
    case 'rate':
      return editRate(kafka, expected, one);
    case 'delete':
      return deleteTopic(kafka, expected, `t${one.topic}`);
    case 'fill':
      kafka.broker(one.broker).otherBytes += 1_000_000;
      return;
    case 'crash':
    case 'lag':
    case 'nothing':
      return;
  }
}

function foreignCancel(kafka: SimulatedKafka, at: number): void {
  const ours = kafka.ours();
  const chosen = ours[at % Math.max(1, ours.length)];
  if (chosen !== undefined) kafka.reassign(chosen, null, 'others');
}

function deleteTopic(kafka: SimulatedKafka, expected: Expected, topic: string): void {
  kafka.deleteTopic(topic);
  for (const key of expected.configs.keys()) {
    if (key.startsWith(`topic/${topic}/`)) expected.set(key, null);
  }
}

function editRate(
  kafka: SimulatedKafka,
  expected: Expected,
  { broker, key: side, to }: { broker: number; key: number; to: string | null },
): void {
  const key = throttleKeys.rates[side]!;
  const ref = { type: 'broker' as const, name: String(broker), key };
  if (!kafka.alive(broker)) return;
  kafka.write(ref, to, 'kafka');
  expected.set(configKey(ref), to);
}

/** To another place than the plan's: one to the same place could not be told from ours after a crash, and need not be. */
function foreign(kafka: SimulatedKafka, plan: Plan, { at, to }: { at: number; to: number }): void {
  const all = [...kafka.partitions.values()];
  const one = all[at % Math.max(1, all.length)];
  if (one === undefined || one.adding.length > 0 || one.replicas.includes(to) || !kafka.alive(to)) return;
  const target = [to, ...one.replicas.slice(1)];
  const move = plan.moves.find((other) => keyOf(other) === keyOf(one));
  if (move !== undefined && chainOf(move, racksOf(kafka)).some((own) => sameOrder(own, target))) return;
  kafka.reassign(one, target, 'others');
}

/** Theirs are brokers 90 and above; ours never are. */
function editList(
  kafka: SimulatedKafka,
  expected: Expected,
  { topic, key, edit }: { topic: number; key: number; edit: string },
): void {
  const ref = {
    type: 'topic' as const,
    name: `t${topic}`,
    key: key === 0 ? throttleKeys.sources : throttleKeys.destinations,
  };
  const id = configKey(ref);
  const extend = (list: string | null): string | null =>
    edit === 'all'
      ? '*'
      : edit === 'clear'
        ? null
        : list === '*'
          ? '*'
          : [list, `0:9${kafka.nowMs % 97}`].filter(Boolean).join(',');
  if (kafka.write(ref, extend(kafka.configs.get(id) ?? null), 'kafka') !== undefined) return;
  expected.set(id, extend(expected.configs.get(id) ?? null));
}

const calmLooks = 2_500;

/** Every look at Kafka is a second after the last one; events stop in the end, and everything must come to an end. */
function play(one: Scenario): { kafka: SimulatedKafka; executor: Executor; expected: Expected } {
  const { kafka, plan } = setUp(one);
  const expected = new Expected(kafka);
  const executor = new Executor(kafka, plan, limits);
  for (let look = 0; look < one.events.length + calmLooks; look++) {
    const now = one.events[look];
    if (now === undefined) reviveAll(kafka);
    else apply(now, { kafka, plan, expected });
    if (one.stopAt === look) executor.stop();
    kafka.lagging = now?.kind === 'lag';
    attempt(executor, now);
    assertOnlyDebts(executor, kafka);
    kafka.check(limits);
    if (now === undefined && settledFor(executor.journal)) {
      executor.round();
      return { kafka, executor, expected };
    }
    kafka.tick(now === undefined && look % 7 === 0 ? 10_000 : 1_000);
  }
  const { journal, last } = executor;
  throw new Error(`no end after ${calmLooks} looks: ${JSON.stringify({ journal, waiting: last?.waiting })}`);
}

/** What is still to be put back after the end are settings of brokers that are away. */
function assertOnlyDebts({ journal }: Executor, kafka: SimulatedKafka): void {
  if (journal.endedAtMs !== kafka.nowMs) return;
  for (const { type, name } of journal.ledger) {
    assert.ok(
      type === 'broker' && (!kafka.throughControllers || kafka.refusing()) && !kafka.alive(Number(name)),
      `${name} was left`,
    );
  }
}

function reviveAll(kafka: SimulatedKafka): void {
  for (const id of kafka.brokers.keys()) if (!kafka.alive(id)) kafka.revive(id);
}

function attempt(executor: Executor, now: Event | undefined): void {
  let left = now?.kind === 'crash' ? now.after : Infinity;
  const late = () => {
    if (now?.kind === 'foreign' && now.late) foreign(executor.kafka, executor.plan, now);
  };
  try {
    executor.round(() => left-- <= 0, late);
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    executor.restart();
  }
}

const normal = (configs: ReadonlyMap<string, string>): [string, string][] =>
  [...configs].map(([key, value]): [string, string] => [key, value.replace(/\s/g, '')]).sort();

const roomless = ({ journal }: Executor, move: number): boolean =>
  journal.noRoom === true || journal.refused[move]?.code === 'no-room';

/** Each move is done, or known to be under the way that the plan takes, or refused. */
function assertEverySettled(executor: Executor, kafka: SimulatedKafka): void {
  const { journal, last, plan } = executor;
  if (last === undefined || last.progress.refusedCount > 20) return;
  const refused = new Set(last.progress.refused.map(keyOf));
  const { chains } = prepare(plan, journal.racks);
  for (const [index, move] of plan.moves.entries()) {
    const state: SimPartition | undefined = kafka.partitions.get(keyOf(move));
    if (state?.foreign === true) continue;
    const where = state?.replicas ?? [];
    if (state?.touched === false)
      assert.ok(
        !refused.has(keyOf(move)) || roomless(executor, index),
        `${keyOf(move)} was refused for what we did`,
      );
    const placed = sameOrder(where, move.to);
    const onTheWay = chains[index]!.some((replicas) => sameOrder(replicas, where));
    const settled = {
      done: placed,
      drifted: placed || refused.has(keyOf(move)),
      stopped: placed || onTheWay || refused.has(keyOf(move)),
    };
    assert.ok(
      settled[journal.outcome ?? 'done'],
      `${keyOf(move)} is at ${where.join()} when ${journal.outcome}`,
    );
  }
}

test('whatever happens, limits hold, nothing foreign is touched, throttles are put back, and there is an end', () => {
  fc.assert(
    fc.property(scenario, (one) => {
      const { kafka, executor, expected } = play(one);
      assert.deepEqual(kafka.violations, []);
      assert.deepEqual(normal(kafka.configs), normal(expected.configs));
      assertEverySettled(executor, kafka);
    }),
    {
      numRuns: Number(process.env['EXECUTION_RUNS'] ?? 200),
      endOnFailure: process.env['NO_SHRINK'] !== undefined,
    },
  );
});

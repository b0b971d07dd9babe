import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Limits, type Move, type Plan, configKey, defaultLimits, keyOf, sameOrder } from './model.ts';
import { brokersWithDirectory, directoryOf } from './directories.ts';
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
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('foreign-directory' as const), at: fc.nat(90), to: fc.nat(2) }),
  },
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
      key: fc.nat(2),
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
  directories: fc.constantFrom(1, 2, 3),
  diskBytes: fc.constantFrom(2_000_000_000, 6_000_000_000, 40_000_000_000),
  earlier: fc.constantFrom('none', 'rates', 'lists', 'all'),
  controllers: fc.constantFrom('none', 'there', 'refusing'),
  stopAt: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(60) }),
  events: fc.array(event, { maxLength: 60 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function setUp(one: Scenario): { kafka: SimulatedKafka; plan: Plan } {
  const kafka = new SimulatedKafka();
  const dirs = ['/a', '/b', '/c'].slice(0, one.directories);
  for (let id = 0; id < 6; id++) kafka.addBroker(id, `rack-${id % 3}`, one.diskBytes, dirs);
  kafka.throughControllers = one.controllers !== 'none';
  if (one.controllers === 'refusing') kafka.refusing = (atMs) => Math.floor(atMs / 1_000) % 3 !== 0;
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
    const to = drawn(3) === 0 ? from : some();
    const toDirs = to.map(() => (drawn(2) === 0 ? 'any' : dirs[drawn(dirs.length)]!));
    const move = {
      ...at,
      from,
      to,
      sizeBytes,
      ...(toDirs.every((path) => path === 'any') ? {} : { toDirs }),
    };
    if (!sameOrder(from, to) || 'toDirs' in move) moves.push(move);
  }
  if (one.earlier === 'rates' || one.earlier === 'all') {
    // Not so low that what others copy would outlast the test.
    kafka.configs.set(`broker/1/${throttleKeys.rates[0]}`, '1234567');
    kafka.configs.set(`broker/2/${throttleKeys.rates[1]}`, '9999999');
    kafka.configs.set(`broker/3/${throttleKeys.directories}`, '8888888');
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
    case 'revive':
      return killOrRevive(kafka, one);
    case 'foreign':
      return one.late ? undefined : foreign(kafka, plan, one);
    case 'foreign-cancel':
      return foreignCancel(kafka, one.at);
    case 'foreign-directory':
      return foreignDirectory(kafka, one);
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

/** One broker is away at a time, as a cluster with min ISR 2 of 3 is run. */
function killOrRevive(kafka: SimulatedKafka, { kind, broker }: { kind: string; broker: number }): void {
  if (kind === 'revive' && !kafka.alive(broker)) kafka.revive(broker);
  if (kind === 'kill' && [...kafka.brokers.values()].every(({ alive }) => alive)) kafka.kill(broker);
}

function foreignCancel(kafka: SimulatedKafka, at: number): void {
  const ours = kafka.ours();
  const chosen = ours[at % Math.max(1, ours.length)];
  if (chosen !== undefined) kafka.reassign(chosen, null, 'others');
}

/** Somebody else moves a replica to another directory, or back, and may so end what we began. */
function foreignDirectory(kafka: SimulatedKafka, { at, to }: { at: number; to: number }): void {
  const lying = [...kafka.partitions.values()].flatMap((one) =>
    one.replicas.map((id) => ({ one, id, path: kafka.broker(id).dirs[to] })),
  );
  const chosen = lying[at % Math.max(1, lying.length)];
  if (chosen?.path === undefined) return;
  const known = chosen.one.futures.get(chosen.id);
  // One to the same place could not be told from ours.
  if (known?.path !== chosen.path) kafka.alterDirectory(chosen.one, chosen.id, chosen.path, 'others');
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
  const key = [...throttleKeys.rates, throttleKeys.directories][side]!;
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

/** After the end these are not the executor's to tell. */
const changesPlan: ReadonlySet<Event['kind']> = new Set(['delete', 'foreign', 'foreign-directory']);

const calmLooks = 2_500;

/** Every look at Kafka is a second after the last one; events stop in the end, and everything must come to an end. */
function play(one: Scenario): { kafka: SimulatedKafka; executor: Executor; expected: Expected } {
  const { kafka, plan } = setUp(one);
  const expected = new Expected(kafka);
  const executor = new Executor(kafka, plan, limits);
  for (let look = 0; look < one.events.length + calmLooks; look++) {
    const now = one.events[look];
    if (now === undefined) reviveAll(kafka);
    else if (!changesPlan.has(now.kind) || executor.journal.outcome === undefined)
      apply(now, { kafka, plan, expected });
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
  // What was refused at the last look is given up at this one.
  const refusing = kafka.refusing(kafka.nowMs) || kafka.refusing(kafka.nowMs - 1_000);
  for (const { type, name } of journal.ledger) {
    assert.ok(
      type === 'broker' && (!kafka.throughControllers || refusing) && !kafka.alive(Number(name)),
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
    if (now?.kind === 'foreign' && now.late && executor.journal.outcome === undefined)
      foreign(executor.kafka, executor.plan, now);
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
    const state = kafka.partitions.get(keyOf(move)) ?? gone;
    if (state.foreign) continue;
    const where = state.replicas;
    if (!state.touched)
      assert.ok(
        !refused.has(keyOf(move)) || roomless(executor, index),
        `${keyOf(move)} was refused for what we did`,
      );
    const placed = sameOrder(where, move.to) && (state.touched || inDirectories(state, move));
    const onTheWay = chains[index]!.some((replicas) => sameOrder(replicas, where));
    const settled = {
      done: placed,
      drifted: placed || refused.has(keyOf(move)),
      stopped: sameOrder(where, move.to) || onTheWay || refused.has(keyOf(move)),
    };
    assert.ok(
      settled[journal.outcome ?? 'done'],
      `${keyOf(move)} is at ${where.join()} when ${journal.outcome}`,
    );
  }
}

type Settled = Pick<SimPartition, 'foreign' | 'lies' | 'replicas' | 'touched'>;

/** Its topic was deleted. */
const gone: Settled = { foreign: false, touched: true, replicas: [], lies: new Map() };

const inDirectories = ({ lies }: Settled, move: Move): boolean =>
  brokersWithDirectory(move).every((id) => lies.get(id) === directoryOf(move, id));

/** A stop leaves no copy between directories, but where a broker was away and goes on by itself. */
function assertNoFutures({ journal }: Executor, kafka: SimulatedKafka): void {
  if ((journal.stop?.forward.length ?? 0) > 0) return;
  for (const [key, { futures }] of kafka.partitions)
    for (const [id, { path, foreign: others }] of futures)
      assert.ok(others, `${key} is being copied to ${path} on broker ${id} when ${journal.outcome}`);
}

test('whatever happens, limits hold, nothing foreign is touched, throttles are put back, and there is an end', () => {
  fc.assert(
    fc.property(scenario, (one) => {
      const { kafka, executor, expected } = play(one);
      assert.deepEqual(kafka.violations, []);
      assert.deepEqual(normal(kafka.configs), normal(expected.configs));
      assertEverySettled(executor, kafka);
      assertNoFutures(executor, kafka);
    }),
    {
      numRuns: Number(process.env['EXECUTION_RUNS'] ?? 200),
      endOnFailure: process.env['NO_SHRINK'] !== undefined,
    },
  );
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { randomOf } from '../balance/random.ts';
import { rollOrder } from './roll.ts';
import { nextStep } from './roll.ts';
import { emptyRecord, take } from './record.ts';
import type { Decision, RollPod } from './roll-model.ts';
import { Sim } from './test/sim.ts';
import type { Chances } from './test/sim.ts';

const quiet: Chances = { crash: 0, stale: 0, eviction: 0, loss: 0 };
const combined = [{ set: 'kafka', nodes: 3, roles: 'broker,controller' }];
const separate = [
  { set: 'ctl', nodes: 3, roles: 'controller' },
  { set: 'kafka', nodes: 4, roles: 'broker' },
];
const fiveBrokers = [
  { set: 'ctl', nodes: 3, roles: 'controller' },
  { set: 'kafka', nodes: 5, roles: 'broker' },
];
const fourNodes = [{ set: 'kafka', nodes: 5, roles: 'broker,controller' }];

const simOf = (shape = combined, seed = 1): Sim => new Sim(randomOf(seed).next, shape);

/** `FC_RUNS=1000 FC_SEED=7` for more of them, or for the same again. */
const runsOf = () => ({
  numRuns: Number(process.env['FC_RUNS'] ?? 60),
  ...(process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) }),
});

/** Runs until nothing is left to do. */
function settle(sim: Sim, chances: Chances = quiet, ticks = 3000): void {
  for (let i = 0; i < ticks; i++) if (sim.tick(chances).do === 'rest' && sim.settled) return;
  assert.fail(`not settled: ${JSON.stringify(sim.record)} after ${JSON.stringify(sim.tick(quiet))}`);
}

/** Runs until a decision is the one that is waited for. */
function until(sim: Sim, found: (decision: Decision) => boolean, ticks = 1500): Decision {
  for (let i = 0; i < ticks; i++) {
    const decision = sim.tick(quiet);
    if (found(decision)) return decision;
  }
  return assert.fail(`never came to it: ${JSON.stringify(sim.tick(quiet))}`);
}

const waitsFor =
  (what: string) =>
  (decision: Decision): boolean =>
    decision.do === 'wait' && decision.waiting.for === what;

suite('a roll', () => {
  test('takes each pod once, the active controller last', () => {
    const sim = simOf();
    sim.template('kafka', 'r2');
    settle(sim);
    assert.deepEqual(sim.removed, ['kafka-2', 'kafka-1', 'kafka-0']);
    assert.deepEqual(sim.wrongs, []);
  });
  test('of several sets takes controllers before brokers, the active one after all others', () => {
    const sim = simOf(separate);
    sim.template('kafka', 'r2');
    sim.template('ctl', 'r2');
    settle(sim);
    assert.deepEqual(sim.removed, ['ctl-2', 'ctl-1', 'kafka-3', 'kafka-2', 'kafka-1', 'kafka-0', 'ctl-0']);
  });
  test('has a broker lead, and the next one go, only when the others know the address of its new pod', () => {
    const sim = simOf();
    sim.template('kafka', 'r2');
    const waits = until(sim, waitsFor('names'));
    assert.ok(waits.do === 'wait' && waits.waiting.for === 'names');
    assert.equal(waits.waiting.pod, 'kafka-2');
    assert.ok(waits.waiting.leftMs > 0 && waits.waiting.leftMs <= 30_000);
    const fromMs = sim.nowMs;
    until(sim, ({ do: act }) => act === 'elect');
    assert.ok(sim.nowMs - fromMs >= waits.waiting.leftMs);
    assert.equal(sim.removed.length, 1);
  });
  test('waits no longer for an address than it is kept, though the clock of the node is ahead', () => {
    const sim = simOf();
    sim.template('kafka', 'r2');
    until(sim, waitsFor('names'));
    const snapshot = sim.snapshot();
    const { options } = snapshot;
    const pods = snapshot.pods.map((pod) => ({ ...pod, namedAtMs: sim.nowMs + 3_600_000 }));
    const ahead = (nowMs: number) =>
      nextStep({ ...snapshot, pods, nowMs, podsReadAtMs: nowMs, evidenceAtMs: nowMs - 300 });
    assert.ok(waitsFor('names')(ahead(sim.nowMs)));
    assert.ok(!waitsFor('names')(ahead(sim.nowMs + options.namesKeptMs)));
  });
  test('waits anew where the pod was replaced meanwhile and no sidecar has seen it, and once where a clock is ahead', () => {
    const sim = simOf();
    sim.template('kafka', 'r2');
    until(sim, waitsFor('names'));
    const snapshot = sim.snapshot();
    const { holder } = sim.record;
    assert.ok(holder?.state === 'held' && holder.step === 'leaders');
    const nowMs = holder.stepSinceMs + 20_000;
    const sync = new Map([[2, { readAtMs: nowMs - 100, inSync: true, leadersBack: false }]]);
    const named = (atMs: number) =>
      nextStep({
        ...{ ...snapshot, nowMs, sync },
        pods: snapshot.pods.map((pod) => ({ ...pod, namedAtMs: atMs })),
      });
    assert.ok(waitsFor('names')(named(holder.stepSinceMs)));
    const back = named(holder.stepSinceMs + 10_000);
    assert.ok(back.do === 'write' && back.record.holder?.state === 'held');
    assert.deepEqual([back.record.holder.step, back.record.holder.stepSinceMs], ['syncing', nowMs]);
    assert.ok(waitsFor('names')(named(nowMs + 60_000)));
  });
  test('does nothing without a change', () => {
    const sim = simOf();
    assert.deepEqual(sim.tick(quiet), { do: 'rest' });
  });
  test('folds a second change in, whenever it comes', () => {
    for (let after = 0; after < 80; after += 5) {
      const sim = simOf();
      sim.template('kafka', 'r2');
      for (let i = 0; i < after; i++) sim.tick(quiet);
      sim.template('kafka', 'r3');
      settle(sim);
      assert.deepEqual(sim.wrongs, []);
      assert.ok(sim.removed.length <= 6);
    }
  });
  test('waits, naming the reason, while the active controller or the record is unknown', () => {
    const sim = simOf();
    sim.template('kafka', 'r2');
    const { activeController: _unknown, ...snapshot } = sim.snapshot();
    assert.ok(waitsFor('active-controller')(nextStep(snapshot)));
    const damaged = { ...snapshot, record: { known: false, problem: 'no JSON' } } as const;
    assert.ok(waitsFor('record')(nextStep(damaged)));
  });
  test('leaves alone what the set holds back by its own partition', () => {
    const sim = simOf();
    sim.sets[0]!.partition = 2;
    sim.template('kafka', 'r2');
    for (let i = 0; i < 200; i++) sim.tick(quiet);
    assert.deepEqual(sim.removed, ['kafka-2']);
    assert.equal(sim.sets[0]!.partition, 2);
  });
});

function heldByRebalance(sim: Sim): void {
  const taken = take(emptyRecord, { id: 'nightly', by: 's' }, { kind: 'rebalance' }, sim.nowMs);
  assert.ok(taken.ok);
  sim.record = taken.record;
}

suite('a broken image', () => {
  const broken = (): Sim => {
    const sim = simOf(fourNodes);
    sim.template('kafka', 'r2', true);
    until(sim, waitsFor('repair'));
    return sim;
  };
  test('stops after one pod, and the others stay at the old revision even where they are lost', () => {
    const sim = broken();
    assert.deepEqual(sim.removed, ['kafka-4']);
    assert.equal(sim.sets[0]!.partition, 4);
    sim.nodes[1]!.pod = undefined;
    for (let i = 0; i < 200; i++) sim.tick(quiet);
    assert.equal(sim.snapshot().pods.find(({ name }) => name === 'kafka-1')?.revision, 'r1');
    assert.deepEqual(sim.removed, ['kafka-4']);
  });
  for (const [how, revision] of [
    ['repaired', 'r3'],
    ['reverted', 'r1'],
  ] as const)
    test(`goes on when the template is ${how}, and leaves no partition behind`, () => {
      const sim = broken();
      sim.template('kafka', revision);
      settle(sim);
      assert.equal(sim.sets[0]!.partition, 0);
      assert.deepEqual(sim.wrongs, []);
      assert.ok(sim.nodes.every(({ pod }) => pod?.revision === revision));
    });
  test('is held again where somebody sets the partition back, scaled in or not', () => {
    for (const replicas of [5, 4]) {
      const sim = broken();
      sim.scale('kafka', replicas);
      sim.sets[0]!.partition = 0;
      until(sim, ({ do: what }) => what === 'partition');
      assert.equal(sim.sets[0]!.partition, 4);
    }
  });
  test('waits for its repair though the broken pod is scaled away, and goes on after it', () => {
    const sim = broken();
    sim.scale('kafka', 4);
    for (let i = 0; i < 200; i++) sim.tick(quiet);
    assert.ok(waitsFor('repair')(sim.tick(quiet)));
    sim.template('kafka', 'r3');
    settle(sim);
    assert.deepEqual([sim.sets[0]!.partition, sim.wrongs], [0, []]);
  });
  test('that was never started is no matter of the template any more once it is scaled away', () => {
    for (const gone of [true, false]) {
      const sim = simOf(fourNodes);
      sim.template('kafka', 'r2');
      sim.unschedulable = 'kafka-4';
      until(sim, waitsFor('repair'));
      assert.equal(sim.sets[0]!.partition, 4);
      sim.scale('kafka', 4);
      if (gone) sim.nodes[4]!.pod = undefined;
      settle(sim);
      assert.deepEqual([sim.sets[0]!.partition, sim.wrongs], [0, []]);
    }
  });
  test('of a set that cannot be held waits for its repair, and orders nothing', () => {
    const sim = simOf(fourNodes);
    sim.template('kafka', 'r2', true);
    sim.sets[0]!.holdable = false;
    until(sim, waitsFor('repair'));
    for (let i = 0; i < 50; i++) assert.notEqual(sim.tick(quiet).do, 'partition');
    assert.deepEqual([sim.record.holder?.pod, sim.sets[0]!.partition], ['kafka-4', 0]);
    sim.template('kafka', 'r3');
    settle(sim);
    assert.deepEqual(sim.wrongs, []);
  });
  test('whose set cannot be held any more is given back when it is repaired', () => {
    const sim = broken();
    Object.assign(sim.sets[0]!, { holdable: false, partition: 0 });
    for (let i = 0; i < 50; i++) assert.notEqual(sim.tick(quiet).do, 'partition');
    sim.template('kafka', 'r3');
    settle(sim);
    assert.deepEqual(sim.wrongs, []);
  });
  test('that has started and failed after all stays held when it is scaled away and gone', () => {
    const sim = simOf(fourNodes);
    sim.template('kafka', 'r2', true);
    sim.unschedulable = 'kafka-4';
    until(sim, waitsFor('repair'));
    sim.unschedulable = undefined;
    for (let i = 0; i < 20; i++) sim.tick(quiet);
    sim.scale('kafka', 4);
    sim.nodes[4]!.pod = undefined;
    for (let i = 0; i < 100; i++) sim.tick(quiet);
    assert.ok(waitsFor('repair')(sim.tick(quiet)));
    assert.deepEqual([sim.removed, sim.sets[0]!.partition], [['kafka-4'], 4]);
  });
  test('while a rebalance holds the record, nothing is replaced that was up before, may not be rolled out, or follows another', () => {
    const sim = simOf(fourNodes);
    sim.template('kafka', 'r2');
    heldByRebalance(sim);
    const snapshot = sim.snapshot();
    const failed = { everReady: false, ready: false, failing: 'CrashLoopBackOff', serving: 'no' } as const;
    const next = (changes: Partial<RollPod>[], sets = snapshot.sets) =>
      nextStep({ ...snapshot, sets, pods: snapshot.pods.map((pod, i) => ({ ...pod, ...changes[i] })) });
    const found = next([failed, failed]);
    assert.deepEqual([found.do, found.do === 'delete' && found.pod], ['delete', 'kafka-0']);
    assert.ok(waitsFor('lease')(next([{ ...failed, everReady: true }])));
    const { failing: _failing, ...recovering } = failed;
    assert.ok(waitsFor('lease')(next([recovering])));
    const newer = { ...failed, revision: 'r2' };
    assert.ok(waitsFor('lease')(next([newer, failed])), 'the first has not come up yet');
    const blocked = snapshot.sets.map((set) => ({ ...set, blocked: 'Kafka 4.1 has no ZooKeeper mode.' }));
    assert.ok(waitsFor('lease')(next([failed], blocked)));
  });
  test('that is repaired is replaced though a rebalance holds the record', () => {
    const sim = broken();
    heldByRebalance(sim);
    sim.sets[0]!.partition = 0;
    for (let i = 0; i < 20; i++) assert.ok(waitsFor('lease')(sim.tick(quiet)));
    sim.template('kafka', 'r3');
    until(sim, ({ do: what }) => what === 'delete');
    for (let i = 0; i < 20; i++) assert.ok(waitsFor('lease')(sim.tick(quiet)));
    assert.deepEqual([sim.removed, sim.nodes[4]!.pod?.revision], [['kafka-4'], 'r3']);
  });
});

suite('whatever happens', () => {
  const chance = fc.constantFrom(0, 0.02, 0.1, 0.3);
  const runs = fc.record({
    seed: fc.nat(),
    shape: fc.constantFrom(combined, separate, fourNodes),
    chances: fc.record({
      crash: chance,
      stale: chance,
      eviction: fc.constantFrom(0, 0.1),
      loss: fc.constantFrom(0, 0, 0.01),
    }),
    changes: fc.array(fc.record({ at: fc.nat(300), broken: fc.boolean() }), { minLength: 1, maxLength: 4 }),
  });

  /** Those of this tick. */
  const changeTemplate = (
    sim: Sim,
    changes: readonly { at: number; broken: boolean }[],
    tick: number,
  ): void => {
    changes.forEach(({ at, broken }, n) => {
      if (at === tick) sim.template('kafka', `r${n + 2}`, broken);
    });
  };
  /** With a template that works everything settles, nothing went wrong on the way, and nothing is held. */
  const endsWell = (sim: Sim): void => {
    sim.template('kafka', 'r9');
    settle(sim);
    assert.deepEqual(sim.wrongs, []);
    assert.ok(
      sim.sets.every(({ partition }) => partition === 0),
      'a freeze was left behind',
    );
  };

  test('no pod goes while another node is away or a partition would fall below its minimum, and it ends', () => {
    fc.assert(
      fc.property(runs, ({ seed, shape, chances, changes }) => {
        const sim = simOf(shape, seed);
        for (let i = 0; i < 400; i++) {
          changeTemplate(sim, changes, i);
          sim.tick(chances);
        }
        endsWell(sim);
      }),
      runsOf(),
    );
  });

  test('scaled in and out again meanwhile, each disruption ends, and a scale-in has its turn', () => {
    const scales = fc.array(fc.record({ at: fc.nat(380), replicas: fc.constantFrom(3, 4, 5) }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(runs, scales, ({ seed, chances, changes }, scaled) => {
        const sim = simOf(fiveBrokers, seed);
        for (let i = 0; i < 400; i++) {
          changeTemplate(sim, changes, i);
          for (const { at, replicas } of scaled) if (at === i) sim.scale('kafka', replicas);
          sim.tick(chances);
        }
        endsWell(sim);
      }),
      runsOf(),
    );
  });

  test('evictions and losses without a roll end, and let nothing else go', () => {
    fc.assert(
      fc.property(runs, ({ seed, shape, chances }) => {
        const sim = simOf(shape, seed);
        for (let i = 0; i < 400; i++) sim.tick({ ...chances, eviction: 0.1 });
        settle(sim);
        assert.deepEqual(sim.wrongs, []);
      }),
      runsOf(),
    );
  });

  test('a sidecar killed at any one step goes on where it stood', () => {
    const whole = simOf();
    whole.template('kafka', 'r2');
    settle(whole);
    for (let killed = 0; killed < 120; killed++) {
      const sim = simOf();
      sim.template('kafka', 'r2');
      for (let i = 0; i < killed; i++) sim.tick(quiet);
      sim.tick({ ...quiet, crash: 1 });
      settle(sim);
      assert.deepEqual(sim.removed, whole.removed);
      assert.deepEqual(sim.wrongs, []);
    }
  });
});

test('pods that are of no use go first', () => {
  const pod = (name: string, nodeId: number, facts: Partial<RollPod> = {}) =>
    ({
      name,
      set: 'kafka',
      ordinal: nodeId,
      nodeId,
      broker: true,
      everReady: true,
      serving: 'yes',
      ...facts,
    }) as RollPod;
  const order = rollOrder(
    [pod('a', 0), pod('b', 1), pod('c', 2), pod('d', 3, { everReady: false, serving: 'no' })],
    2,
  );
  assert.deepEqual(
    order.map(({ name }) => name),
    ['d', 'b', 'a', 'c'],
  );
});

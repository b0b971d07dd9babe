import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type DirectoryLoad, type Movable, evened } from './evening.ts';

interface Broker {
  readonly dirs: DirectoryLoad[];
  readonly replicas: Movable[];
}

/** A broker whose replicas lie anywhere, with things in its directories that stay and such as come and go. */
const broker: fc.Arbitrary<Broker> = fc
  .record({
    dirs: fc.array(
      fc.record({
        capacity: fc.integer({ min: 50, max: 2_000 }),
        fixed: fc.nat(40),
        coming: fc.nat(40),
        going: fc.nat(40),
      }),
      { minLength: 2, maxLength: 4 },
    ),
    sizes: fc.array(fc.record({ size: fc.nat(60), in: fc.nat(3) }), { maxLength: 40 }),
    reserve: fc.constantFrom(0, 0.15),
  })
  .map(({ dirs, sizes, reserve }) => {
    const replicas = sizes.map((one) => ({ size: one.size, home: one.in % dirs.length }));
    const loads = dirs.map(({ capacity, fixed, coming, going }, d): DirectoryLoad => {
      const own = replicas.filter(({ home }) => home === d).reduce((sum, { size }) => sum + size, 0);
      const stays = own + fixed;
      return {
        capacity,
        limit: capacity * (1 - reserve),
        load: stays + coming,
        peak: stays + coming + going,
      };
    });
    return { dirs: loads, replicas };
  });

const tolerances = fc.constantFrom(0.02, 0.08, 0.3);

function loadsAfter({ dirs, replicas }: Broker, at: Int32Array): number[] {
  const loads = dirs.map(({ load }) => load);
  replicas.forEach(({ size, home }, i) => {
    loads[home]! -= size;
    loads[at[i]!]! += size;
  });
  return loads;
}

/** The plain greedy way: the largest first, each to the least used directory that has room for it beside what is there. */
function greedy({ dirs, replicas }: Broker): number[] {
  const loads = dirs.map(({ load }) => load);
  const peaks = dirs.map(({ peak }) => peak);
  for (const { size, home } of replicas) loads[home]! -= size;
  const order = replicas.map((_, i) => i).sort((a, b) => replicas[b]!.size - replicas[a]!.size || b - a);
  for (const i of order) {
    const { size, home } = replicas[i]!;
    let to = home;
    const use = (d: number) => (loads[d]! + size) / dirs[d]!.capacity;
    for (const d of dirs.keys()) if (use(d) < use(to) && peaks[d]! + size <= dirs[d]!.limit) to = d;
    loads[to]! += size;
    if (to !== home) peaks[to]! += size;
  }
  return loads;
}

function outside(dirs: readonly DirectoryLoad[], loads: readonly number[], tolerance: number): number {
  const total = loads.reduce((sum, one) => sum + one, 0);
  const mean = total / dirs.reduce((sum, { capacity }) => sum + capacity, 0);
  return dirs.reduce((sum, { capacity }, d) => {
    const [least, most] = [(1 - tolerance) * mean * capacity, (1 + tolerance) * mean * capacity];
    return sum + Math.max(0, loads[d]! - most, least - loads[d]!);
  }, 0);
}

const movedBytes = ({ replicas }: Broker, at: Int32Array): number =>
  replicas.reduce((sum, { size, home }, i) => sum + (at[i] === home ? 0 : size), 0);

suite('the directories of one broker', () => {
  test('are never filled beyond their limit, at the worst moment, by what is moved within', () => {
    fc.assert(
      fc.property(broker, tolerances, (one, tolerance) => {
        const { at } = evened(one.dirs, one.replicas, { tolerance, onlyOver: false });
        for (const [d, { peak, limit }] of one.dirs.entries()) {
          const come = one.replicas.filter(({ home }, i) => home !== d && at[i] === d);
          const bytes = come.reduce((sum, { size }) => sum + size, 0);
          assert.ok(bytes === 0 || peak + bytes <= limit + 1e-9);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('are never further from the band than before, and within it wherever the greedy way leads there', () => {
    fc.assert(
      fc.property(broker, tolerances, (one, tolerance) => {
        const { at, before, after } = evened(one.dirs, one.replicas, { tolerance, onlyOver: false });
        const loads = loadsAfter(one, at);
        const was = outside(
          one.dirs,
          loadsAfter(
            one,
            at.map((_, i) => one.replicas[i]!.home),
          ),
          tolerance,
        );
        const is = outside(one.dirs, loads, tolerance);
        assert.ok(Math.abs(was - before) < 1e-6 && Math.abs(is - after) < 1e-6);
        assert.ok(after <= before + 1e-9);
        const scale = 1e-6 * loads.reduce((sum, load) => sum + load, 0);
        if (outside(one.dirs, greedy(one), tolerance) <= 1e-9) assert.ok(is <= scale, `${is} outside`);
      }),
      { numRuns: 2_000 },
    );
  });

  test('stay as they are where they are within the band', () => {
    fc.assert(
      fc.property(broker, (one) => {
        const loads = one.dirs.map(({ load }) => load);
        fc.pre(outside(one.dirs, loads, 0.08) === 0);
        assert.equal(
          movedBytes(one, evened(one.dirs, one.replicas, { tolerance: 0.08, onlyOver: false }).at),
          0,
        );
      }),
      { numRuns: 200 },
    );
  });

  test('of many small replicas hardly more is moved than must leave or come', () => {
    const replicas = Array.from({ length: 400 }, (_, i) => ({ size: 1 + (i % 7), home: i % 10 < 7 ? 0 : 1 }));
    const dirs = [0, 1].map((d): DirectoryLoad => {
      const load = replicas.filter(({ home }) => home === d).reduce((sum, { size }) => sum + size, 0);
      return { capacity: 5_000, limit: 5_000, load, peak: load };
    });
    const { at, after } = evened(dirs, replicas, { tolerance: 0.1, onlyOver: false });
    const mean = (dirs[0]!.load + dirs[1]!.load) / 2;
    const least = dirs[0]!.load - 1.1 * mean;
    assert.equal(after, 0);
    assert.ok(movedBytes({ dirs, replicas }, at) <= least * 1.01 + 1);
  });

  test('exchanges are made where no single move helps', () => {
    const dirs = [
      { capacity: 100, limit: 100, load: 19, peak: 19 },
      { capacity: 100, limit: 100, load: 13, peak: 13 },
    ];
    const replicas = [
      { size: 10, home: 0 },
      { size: 9, home: 0 },
      { size: 7, home: 1 },
      { size: 6, home: 1 },
    ];
    const { at, after } = evened(dirs, replicas, { tolerance: 0.02, onlyOver: false });
    assert.deepEqual([loadsAfter({ dirs, replicas }, at), after], [[16, 16], 0]);
  });

  test('below the band is no reason to move anything where only what is over counts', () => {
    const three = [40, 40, 10].map((load) => ({ capacity: 100, limit: 100, load, peak: load }));
    const replicas = [0, 1, 2].flatMap((home) => Array.from({ length: 10 }, () => ({ size: 1, home })));
    const light = evened(three, replicas, { tolerance: 0.35, onlyOver: true });
    assert.equal(light.before, 0);
    assert.equal(movedBytes({ dirs: three, replicas }, light.at), 0);
    assert.ok(evened(three, replicas, { tolerance: 0.35, onlyOver: false }).before > 0);
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Sim, type Trouble } from './test/sim.ts';

const runs = Number(process.env['FC_RUNS'] ?? 300);

const ordinal = fc.integer({ min: 0, max: 6 });
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Trouble>({ kind: 'time' }) },
  { weight: 2, arbitrary: fc.integer({ min: 2, max: 6 }).map((to): Trouble => ({ kind: 'scale', to })) },
  { weight: 1, arbitrary: ordinal.map((broker): Trouble => ({ kind: 'topic', broker })) },
  { weight: 1, arbitrary: ordinal.map((one): Trouble => ({ kind: 'evict', ordinal: one })) },
  { weight: 2, arbitrary: fc.constantFrom<Trouble>({ kind: 'kill' }, { kind: 'blind' }, { kind: 'lag' }) },
  { weight: 1, arbitrary: fc.constant<Trouble>({ kind: 'hold' }) },
);
const pass = fc.constantFrom('not', 'not', 'not', 'not', 'before', 'between');
const story = fc.array(fc.oneof({ weight: 2, arbitrary: trouble }, { weight: 3, arbitrary: pass }), {
  minLength: 20,
  maxLength: 200,
  size: 'max',
});

function tell(first: number, steps: readonly (Trouble | string)[]): Sim {
  const sim = new Sim(first);
  for (const one of steps)
    if (typeof one === 'string') sim.pass(one as 'not');
    else sim.happen(one);
  return sim;
}

suite('scaling, whatever happens meanwhile', () => {
  // What must never be is asserted where the simulated API server and Kafka carry an action out.
  test('no pod goes that is wanted or holds replicas, and no broker is forgotten that serves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), story, (first, steps) => void tell(first, steps)),
      { numRuns: runs },
    );
  });

  test('it ends as the set asks: pods, registrations and the record are as they should be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), story, (first, steps) => {
        const sim = tell(first, steps);
        sim.endForeign();
        const last: string[] = [];
        for (let i = 0; i < 400 && !sim.isSettled(); i++) {
          sim.pass();
          sim.happen({ kind: 'time' });
          last.push(sim.actions.at(-1) ?? '');
        }
        const { record, pods, registered, rebalances, replicas } = sim;
        assert.ok(
          sim.isSettled(),
          JSON.stringify({
            record,
            pods: [...pods],
            registered: [...registered],
            replicas,
            rebalances: [...rebalances],
            last: sim.actions.slice(-12),
          }),
        );
        const acted = sim.actions.length;
        sim.pass();
        sim.happen({ kind: 'time' });
        sim.pass();
        // A share may still be proposed; nothing is removed any more.
        const after = sim.actions.slice(acted);
        assert.deepEqual(
          after.filter((action) => !['create', 'redirect', 'remove'].includes(action)),
          [],
        );
      }),
      { numRuns: runs },
    );
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { type Duty, dutyLoop } from './duties.ts';
import { createMetrics } from './metrics.ts';

const none = () => undefined;
const tools = () => ({
  log: { debug: none, info: none, warn: none, error: none },
  metrics: createMetrics('kafka'),
});

test('a duty runs again when it is woken, and a duty that follows another waits for its first try', async () => {
  const order: string[] = [];
  const seen = new EventEmitter();
  const duty = (name: string, after: string[] = []): Duty => ({
    name,
    everyMs: 3_600_000,
    after,
    reconcile: async () => {
      order.push(name);
      seen.emit(name, order.length);
      return { conditions: [] };
    },
  });
  const loop = dutyLoop([duty('second', ['first']), duty('first')], tools());
  const stop = new AbortController();
  const both = once(seen, 'second');
  const ended = loop.run(stop.signal);
  await both;
  assert.deepEqual(order, ['first', 'second']);
  const again = once(seen, 'first');
  loop.wake('first');
  await again;
  assert.equal(order.filter((name) => name === 'first').length, 2);
  stop.abort();
  await ended;
});

test('a duty that fails is tried again, is counted, and holds up no other', async () => {
  const { log, metrics } = tools();
  let tries = 0;
  const recovered = Promise.withResolvers<void>();
  const other = Promise.withResolvers<void>();
  const loop = dutyLoop(
    [
      {
        name: 'shaky',
        everyMs: 3_600_000,
        reconcile: async () => {
          tries += 1;
          if (tries === 1) throw new Error('not yet');
          recovered.resolve();
          return { conditions: [], facts: { summary: 'well' } };
        },
      },
      {
        name: 'other',
        everyMs: 3_600_000,
        after: ['shaky'],
        reconcile: async () => {
          other.resolve();
          return { conditions: [] };
        },
      },
    ],
    { log, metrics },
  );
  const stop = new AbortController();
  const ended = loop.run(stop.signal);
  await other.promise;
  await recovered.promise;
  stop.abort();
  await ended;
  assert.equal(tries, 2);
  assert.equal(loop.facts().summary, 'well');
  const { values } = await metrics.reconcileErrors.get();
  assert.deepEqual(
    values.map(({ labels, value }) => [labels.duty, value]),
    [['shaky', 1]],
  );
});

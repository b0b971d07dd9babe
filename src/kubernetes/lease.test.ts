import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { elapsedMs, holdLease } from './lease.ts';
import type { Log } from './object.ts';
import { memoryApi, serveMemoryApi } from './test/memory-api.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const place = { namespace: 'shop', name: 'warden', durationMs: 2_400, renewMs: 300 };
const file = (name: string) => JSON.stringify(join(import.meta.dirname, name));

/** A process that holds the lease and acts every few milliseconds, each time if it still may. */
const holder = `
  import { setTimeout as delay } from 'node:timers/promises';
  const { holdLease } = await import(${file('lease.ts')});
  const { connect } = await import(${file('client.ts')});
  const kube = await connect({ kubeconfig: process.env.CONFIG });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  await holdLease(kube, {
    ...${JSON.stringify(place)}, identity: 'one', log, signal: new AbortController().signal,
    lead: async (term, holds) => {
      while (!term.aborted) {
        if (holds()) process.send(performance.timeOrigin + performance.now());
        await delay(5);
      }
    },
  });`;

async function heard(child: ChildProcess): Promise<void> {
  const ends = once(child, 'exit').then(() => assert.fail('the holder has ended'));
  await Promise.race([once(child, 'message'), ends]);
}

void suite('the lease', () => {
  test(
    'a process that stood still does nothing more once another has taken over',
    { timeout: 60_000 },
    async (t) => {
      const api = memoryApi();
      const server = await serveMemoryApi(api);
      const child = spawn(process.execPath, ['--input-type=module', '-e', holder], {
        env: { ...process.env, CONFIG: `${server.kubeconfig}\n` },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      const end = new AbortController();
      t.after(() => {
        end.abort();
        child.kill('SIGKILL');
        server.close();
      });
      const acts: number[] = [];
      child.on('message', (at) => acts.push(at as number));
      await heard(child);
      const terms: { from: number; to: number }[] = [];
      const clock = () => performance.timeOrigin + performance.now();
      const other = holdLease(api.kube, {
        ...{ ...place, identity: 'two', log: silent, signal: end.signal },
        lead: async (term) => {
          const from = clock();
          // The other is woken in the middle of this term.
          child.kill('SIGCONT');
          await Promise.race([delay(1_000), once(term, 'abort')]);
          terms.push({ from, to: clock() });
        },
      });
      for (let pauses = 0; pauses < 3; pauses++) {
        await heard(child);
        await delay(Math.random() * 300);
        child.kill('SIGSTOP');
        const before = terms.length;
        while (terms.length === before) await delay(20);
      }
      end.abort();
      await other;
      assert.ok(acts.length > 5);
      for (const { from, to } of terms)
        assert.deepEqual(
          acts.filter((at) => at >= from && at <= to),
          [],
        );
    },
  );

  test('the time since a renewal is the longer by either clock', () => {
    const since = { steadyMs: 100, wallMs: 1_000 };
    assert.equal(elapsedMs(since, { steadyMs: 150, wallMs: 60_000 }), 59_000, 'the machine was suspended');
    assert.equal(elapsedMs(since, { steadyMs: 5_100, wallMs: 500 }), 5_000, 'the clock was set back');
  });
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const script = join(import.meta.dirname, 'stop.sh');

/** A process in the place of a container's first one. */
function first(t: TestContext, command: string): ChildProcess {
  const child = spawn('/bin/bash', ['-c', command], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  // With what it has started.
  t.after(() => process.kill(-(child.pid ?? assert.fail()), 'SIGKILL'));
  return child;
}

interface Stop {
  readonly shell?: string;
  readonly hook?: readonly string[];
  readonly seconds?: number;
  readonly status?: string;
}

async function stop(
  pid: number | undefined,
  { shell = '/bin/bash', hook = [], seconds = 20, status }: Stop = {},
) {
  const from = performance.now();
  const child = spawn(shell, [script, ...hook], {
    env: {
      PATH: '/usr/bin:/bin',
      WARDEN_BASH: '/nonexistent',
      WARDEN_FIRST: status ?? `/proc/${pid}/status`,
      WARDEN_HEAR_SECONDS: String(seconds),
    },
    stdio: 'ignore',
    timeout: 40_000,
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, seconds: (performance.now() - from) / 1_000 };
}

for (const shell of ['/bin/bash', '/bin/dash']) {
  test(`a program that handles the signal is told to stop at once (${shell})`, async (t) => {
    const java = first(t, 'trap "exit 0" TERM; echo up; while :; do sleep 1; done');
    await once(java.stdout ?? assert.fail(), 'data');
    const { code, seconds } = await stop(java.pid, { shell });
    assert.equal(code, 0);
    assert.ok(seconds < 5, `${seconds} s`);
  });

  test(`a shell that would not hear it is waited for until the program is there (${shell})`, async (t) => {
    // Node handles SIGTERM only where it is asked to: this one is, after three seconds.
    const node = first(
      t,
      `sleep 3; exec '${process.execPath}' -e 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'`,
    );
    const { code, seconds } = await stop(node.pid, { shell });
    assert.equal(code, 0);
    assert.ok(seconds > 2 && seconds < 15, `${seconds} s`);
  });
}

test('one that never hears it is told all the same in the end', async (t) => {
  const { code, seconds } = await stop(first(t, 'sleep 60; true').pid, { seconds: 2 });
  assert.equal(code, 0);
  assert.ok(seconds >= 1 && seconds < 10, `${seconds} s`);
});

test('where it cannot be asked nobody waits, and the hook of the manifest still decides the outcome', async () => {
  const { code, seconds } = await stop(undefined, {
    status: '/nonexistent',
    hook: ['/bin/sh', '-c', 'exit 3'],
  });
  assert.equal(code, 3);
  assert.ok(seconds < 5, `${seconds} s`);
});

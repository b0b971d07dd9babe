import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { isAlive } from '../cluster/processes.ts';
import { loopbackUnavailable } from '../support/loopback-kafka.ts';
import { until } from '../support/until.ts';

const unavailable = (await loopbackUnavailable()) ?? false;
const support = join(import.meta.dirname, '../support/loopback-kafka.ts');

/** A process that starts a broker, prints the broker's directory and id, and does as it is told. */
const script = (then: string) => `
  import { readFileSync, readdirSync } from 'node:fs';
  const { startLoopback } = await import(${JSON.stringify(support)});
  const kafka = await startLoopback({ brokers: 1 });
  const children = readdirSync('/proc').filter((pid) => {
    try {
      const parent = readFileSync('/proc/' + pid + '/stat', 'utf8').replace(/.*\\) \\S /, '').split(' ')[0];
      return Number(parent) === process.pid;
    } catch { return false; }
  });
  console.log(JSON.stringify({ dir: kafka.logDirs(0)[0], children: children.map(Number) }));
  ${then}`;

void suite('brokers on loopback', { skip: unavailable }, () => {
  for (const [name, then] of [
    ['that fails', 'throw new Error("as a test would");'],
    ['that is killed', 'process.kill(process.pid, "SIGKILL");'],
  ] as const) {
    test(`end with a process ${name}`, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script(then)], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let printed = '';
      child.stdout.on('data', (text: Buffer) => (printed += text.toString()));
      await once(child, 'close');
      const { dir, children } = JSON.parse(printed) as { dir: string; children: number[] };
      assert.equal(children.length, 1);
      await until('the broker is gone', async () => !isAlive(children[0]!, undefined), { everyMs: 50 });
      if (name === 'that fails') assert.equal(existsSync(dir), false);
    });
  }
});

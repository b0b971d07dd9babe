import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, suite, test } from 'node:test';
import { file, kafkaWarden, plainKafka } from './test/session.ts';

const main = resolve(import.meta.dirname, 'main.ts');

const start = (args: string[], { input = '', program = main, node = [] as string[] } = {}) =>
  spawnSync(process.execPath, [...node, program, ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', NODE_TEST_CONTEXT: '' },
  });

suite('the program', () => {
  test('reads standard input and writes standard output', () => {
    const { status, stdout, stderr } = start(['harden', '-f', '-'], { input: plainKafka });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /kafka-warden\.io\/profile/);
    assert.match(stderr, /StatefulSet default\/kafka hardened/);
  });

  test('prints nothing and ends with 3 where something is refused', () => {
    const input = plainKafka.replace('value: "24"', 'value: 24');
    const { status, stdout } = start(['harden', '-f', '-'], { input });
    assert.equal(status, 3);
    assert.equal(stdout, '');
  });

  test('is quiet where its reader goes away', () => {
    const big = file('big.yaml', `${plainKafka}---\n`.repeat(40).replace(/---\n$/, ''));
    const { stdout, stderr, status } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; "$0" "$1" harden -q -f "$2" | head -n 1`, process.execPath, main, big],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
    assert.equal(stdout, '# The orders cluster, three brokers\n');
  });

  test('calls itself as kubectl calls it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-warden-plugin-'));
    after(() => rmSync(folder, { recursive: true }));
    const plugin = join(folder, 'kubectl-kafka_warden');
    symlinkSync(main, plugin);
    const { stdout } = start(['--help'], { program: plugin });
    assert.match(stdout, /^Usage: kubectl kafka-warden /);
  });

  test('the commands on manifests load neither the Kubernetes client, nor Express, nor a Kafka client', () => {
    const hook = file(
      'hook.mjs',
      `import { registerHooks } from 'node:module';
       registerHooks({ resolve(specifier, context, next) {
         const found = next(specifier, context);
         console.error('loaded ' + found.url);
         return found;
       } });`,
    );
    for (const command of ['harden', 'unharden', 'lint', 'explain']) {
      const args = command === 'explain' ? [command] : [command, '-f', '-'];
      const { stderr } = start(args, { input: plainKafka, node: ['--import', hook] });
      assert.match(stderr, /loaded .*src\/hardening/);
      assert.doesNotMatch(
        stderr,
        /loaded .*(client-node|express|kafkajs|@platformatic|undici|pino|src\/(webhook|sidecar|kubernetes|kafka)\/)/,
      );
    }
  });
});

suite('the command line', () => {
  test('help and version end with 0, no command and unknown ones with 2', async () => {
    assert.equal((await kafkaWarden('--help')).code, 0);
    assert.equal((await kafkaWarden('harden', '--help')).code, 0);
    const version = await kafkaWarden('--version');
    assert.equal(version.code, 0);
    assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
    assert.equal((await kafkaWarden()).code, 2);
    const unknown = await kafkaWarden('hardn');
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /Did you mean harden\?/);
  });
});

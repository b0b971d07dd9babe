import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'kafka-warden-runner-'));
after(() => rmSync(folder, { recursive: true }));

const runner = resolve(import.meta.dirname, '../run.ts');

const run = (source: string, { args = [] as string[], timeoutMs = 60_000 } = {}) => {
  const file = join(folder, 'sample.test.ts');
  writeFileSync(file, `import { test } from 'node:test';\n${source}\n`);
  const env: NodeJS.ProcessEnv = { ...process.env, TEST_FILE_TIMEOUT_MS: String(timeoutMs), NO_COLOR: '1' };
  delete env['NODE_TEST_CONTEXT'];
  delete env['FORCE_COLOR'];
  const result = spawnSync(process.execPath, [runner, ...(args.length > 0 ? args : [file])], {
    encoding: 'utf8',
    env,
  });
  return { ...result, closing: result.stdout.trimEnd().split('\n').slice(-8) };
};

test('the last lines are the totals, and a passing run exits with 0', () => {
  const { status, closing } = run(`test('one', () => {}); test('two', { skip: 'no root' }, () => {});`);
  assert.equal(status, 0);
  assert.deepEqual(closing.slice(0, 7), [
    'ℹ tests 2',
    'ℹ suites 0',
    'ℹ pass 1',
    'ℹ fail 0',
    'ℹ cancelled 0',
    'ℹ skipped 1',
    'ℹ todo 0',
  ]);
  assert.match(closing[7]!, /^ℹ duration_ms \d+$/);
});

test('a failure is printed with its error and makes the exit code 1', () => {
  const { status, stdout, closing } = run(`test('breaks', () => { throw new Error('the reason'); });`);
  assert.equal(status, 1);
  assert.match(stdout, /✖ breaks[^]*the reason[^]*sample\.test\.ts:2/);
  assert.ok(closing.includes('ℹ fail 1'));
});

test('a file that throws before any test fails the run', () => {
  const { status, stdout } = run(`throw new Error('no import');`);
  assert.equal(status, 1);
  assert.match(stdout, /no import/);
});

test('a process that hangs is ended at its deadline and the test it stood in is named', () => {
  const { status, stdout, closing } = run(
    `test('waits for ever', async () => { setInterval(() => {}, 1000); await new Promise(() => {}); });`,
    { timeoutMs: 1500 },
  );
  assert.equal(status, 1);
  assert.match(stdout, /ended after 1\.5 s \(TEST_FILE_TIMEOUT_MS\); last begun: waits for ever/);
  assert.ok(closing.includes('ℹ cancelled 1'));
});

test('reasons of skips are printed once more before the totals', () => {
  const { stdout } = run(`test('needs a cluster', { skip: 'not root' }, () => {});`);
  assert.match(stdout, /skipped:\n {2}.*sample\.test\.ts: needs a cluster: not root\n/);
});

test('an unknown shard is refused with a sentence', () => {
  const { status, stderr } = run('', { args: ['--shard', 'no-such-shard'] });
  assert.equal(status, 2);
  assert.match(stderr, /There is no shard "no-such-shard"/);
});

test('what a test says about itself is kept with it, for the results', () => {
  const file = join(folder, 'notes.test.ts');
  writeFileSync(
    file,
    `import { suite, test } from 'node:test';
     suite('whole', () => {
       test('one', (t) => { t.diagnostic('41 MB/s'); t.diagnostic('again'); });
       test('two', () => {});
     });\n`,
  );
  const module = resolve(import.meta.dirname, 'execute.ts');
  const script = `import { execute } from ${JSON.stringify(module)};
    const nobody = { test() {}, output() {}, end() {} };
    const { tests } = await execute(${JSON.stringify(file)}, nobody);
    console.log(JSON.stringify(tests.map(({ name, notes }) => ({ name, notes }))));`;
  const main = join(folder, 'main.ts');
  writeFileSync(main, script);
  const env: NodeJS.ProcessEnv = { ...process.env };
  delete env['NODE_TEST_CONTEXT'];
  const ran = spawnSync(process.execPath, [main], { encoding: 'utf8', env });
  assert.deepEqual(JSON.parse(ran.stdout), [
    { name: 'one', notes: ['41 MB/s', 'again'] },
    { name: 'two' },
    { name: 'whole' },
  ]);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Reassignment, Summary } from '../../balance/index.ts';
import { clusterOf } from '../../balance/test/generate.ts';
import { file, kafkaWarden } from '../test/session.ts';

const model = clusterOf(
  { brokers: 6, partitions: 200, racks: 3, replication: [3], sigma: 0.5, skew: 0.5 },
  1,
);
const plain = file('model.json', JSON.stringify(model));

suite('plan', () => {
  test('reads a gzipped model and writes a plan in the format of kafka-reassign-partitions', async () => {
    const gzipped = file('model.json.gz', gzipSync(JSON.stringify(model)));
    const plan = file('plan.json', '');
    const html = file('report.html', '');
    const args = ['--steps', '300000', '--output', plan, '--html', html];
    const { code, out } = await kafkaWarden('plan', '--model', gzipped, ...args);
    assert.equal(code, 0, out);
    assert.match(out, /moves +\d/);
    const { version, partitions } = JSON.parse(readFileSync(plan, 'utf8')) as Reassignment;
    assert.equal(version, 1);
    assert.ok(partitions.length > 0);
    assert.match(readFileSync(html, 'utf8'), /^<!doctype html>/);
  });

  test('prints the summary as JSON', async () => {
    const { out } = await kafkaWarden('plan', '--model', plain, '--steps', '50000', '--json');
    const { schema, summary } = JSON.parse(out) as { schema: number; summary: Summary };
    assert.equal(schema, 1);
    assert.ok(summary.boundShare <= summary.movedShare);
  });

  test('starts beyond 15% and plans to 8% by default, and in any case to a tolerance that is given', async () => {
    const even = clusterOf(
      { brokers: 6, partitions: 3000, racks: 3, replication: [3], sigma: 0.1, skew: 0 },
      1,
    );
    const evenFile = file('even.json', JSON.stringify(even));
    const wide = ['--model', evenFile, '--steps', '50000', '--json'];
    const summaryOf = async (...args: string[]) => {
      const { code, out } = await kafkaWarden('plan', ...wide, ...args);
      return { code, ...(JSON.parse(out) as { summary: Summary }).summary };
    };
    const still = await summaryOf();
    assert.deepEqual([still.code, still.due, still.tolerance, still.partitionsChanged], [0, false, 0.08, 0]);
    const made = await summaryOf('--tolerance', '0.02');
    assert.ok(made.due && made.partitionsChanged > 0);
    const skewed = await kafkaWarden('plan', '--model', plain, '--steps', '300000', '--json');
    assert.equal((JSON.parse(skewed.out) as { summary: Summary }).summary.due, true);
  });

  test('tells what is moved between the log directories of brokers', async () => {
    const capacity = { disk: 1_000, networkIn: 100, networkOut: 100 };
    const dirs = ['/a', '/b'].map((path) => ({ path, capacity: 500 }));
    const partitions = Array.from({ length: 20 }, (_, partition) => ({
      ...{ topic: 't', partition, size: 10, bytesIn: 1, bytesOut: 1 },
      ...{ replicas: [1], leader: 1, dirs: ['/a'] },
    }));
    const skewed = { brokers: [{ id: 1, state: 'alive', capacity, dirs }], partitions };
    const plan = file('directories.json', '');
    const args = ['--model', file('jbod.json', JSON.stringify(skewed)), '--steps', '1000', '--output', plan];
    const { code, out } = await kafkaWarden('plan', ...args);
    assert.equal(code, 0);
    assert.match(out, /^within +10 replicas, 100 MB between log directories .*; 2 → 0 directories outside$/m);
    const changes = (JSON.parse(readFileSync(plan, 'utf8')) as Reassignment).partitions;
    assert.deepEqual(changes[0]?.log_dirs, ['/b']);
  });

  test('empties the brokers that --brokers names', async () => {
    const args = ['--model', plain, '--steps', '100000', '--mode', 'remove-brokers', '--tolerance', '0.1'];
    // Six brokers in three racks: one less leaves its rack to the other, which no band allows for.
    const { code, out } = await kafkaWarden('plan', ...args, '--brokers', '1,2,3', '--json');
    const { summary } = JSON.parse(out) as { summary: Summary };
    assert.equal(summary.stranded, 0, `exit ${code}`);
    for (const { id, after } of summary.brokers) if (id <= 3) assert.equal(after.replicas, 0);
  });

  test('ends with 2 and says what to change when the model or an option is wrong', async () => {
    const wrong = file('wrong.json', JSON.stringify({ ...model, brokers: [] }));
    const cases: [string[], RegExp][] = [
      [['--model', wrong], /brokers: none is left to carry load/],
      [['--model', file('text.json', 'hello')], /not a cluster model in JSON/],
      [['--model', '/nowhere/model.json'], /no such file/],
      [['--model', plain, '--budget', 'soon'], /Write 500ms, 5s or 2m/],
      [['--model', plain, '--tolerance', '7'], /from 0 to 1/],
      [['--model', plain, '--mode', 'remove-brokers'], /name those to empty with --brokers/],
      [['--model', plain, '--mode', 'add-brokers'], /name those to fill with --brokers/],
      [['--model', plain, '--mode', 'remove-brokers', '--brokers', '77'], /broker 77 is not in the model/],
      [['--model', plain, '--brokers', '1'], /--brokers: are named, and mode balance adds or removes none/],
      [['--model', plain, '--brokers', 'one'], /not a node id/],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await kafkaWarden('plan', ...args);
      assert.equal(code, 2);
      assert.match(err, message);
    }
  });
});

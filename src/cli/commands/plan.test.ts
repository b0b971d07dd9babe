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

  test('ends with 2 and says what to change when the model or an option is wrong', async () => {
    const wrong = file('wrong.json', JSON.stringify({ ...model, brokers: [] }));
    const cases: [string[], RegExp][] = [
      [['--model', wrong], /brokers: none is left to carry load/],
      [['--model', file('text.json', 'hello')], /not a cluster model in JSON/],
      [['--model', '/nowhere/model.json'], /no such file/],
      [['--model', plain, '--budget', 'soon'], /Write 500ms, 5s or 2m/],
      [['--model', plain, '--tolerance', '7'], /from 0 to 1/],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await kafkaWarden('plan', ...args);
      assert.equal(code, 2);
      assert.match(err, message);
    }
  });
});

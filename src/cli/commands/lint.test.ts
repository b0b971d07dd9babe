import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { allRules as rules } from '../../lint/index.ts';
import { file, folder, kafkaWarden, plainKafka } from '../test/session.ts';
import { nearest } from './explain.ts';

const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

suite('lint', () => {
  const unsafe = plainKafka
    .replace('terminationGracePeriodSeconds: 30 # the default', 'terminationGracePeriodSeconds: 20')
    .replace('volumeMounts:\n            - {name: data, mountPath: /var/lib/kafka/data}', 'volumeMounts: []');

  test('names rule, severity, file, line, path and remedy of each finding, and ends with 1 on an error', async () => {
    const path = file('unsafe.yaml', unsafe);
    const { code, out } = await kafkaWarden('lint', '-f', path, '-o', 'json');
    assert.equal(code, 1);
    const { findings, counts } = JSON.parse(out) as {
      findings: {
        rule: string;
        severity: string;
        file: string;
        line: number;
        path: string;
        remedy: string;
      }[];
      counts: { error: number };
    };
    assert.ok(counts.error >= 1);
    const grace = findings.find(({ rule }) => rule === 'shutdown');
    assert.ok(grace);
    assert.equal(grace.file, path);
    assert.equal(grace.line, lineOf(unsafe, 'terminationGracePeriodSeconds'));
    assert.equal(grace.path, '/spec/template/spec/terminationGracePeriodSeconds');
    for (const finding of findings) {
      assert.ok(finding.rule in rules, finding.rule);
      assert.ok(finding.remedy.length > 0);
    }
  });

  test('prints findings as compilers do, so that editors can jump to them', async () => {
    const path = file('unsafe.yaml', unsafe);
    const { out } = await kafkaWarden('lint', '-f', path);
    const line = lineOf(unsafe, 'terminationGracePeriodSeconds');
    assert.ok(out.includes(`${path}:${line}: warning shutdown: `), out);
    assert.match(out, /1 of 1 StatefulSets run Kafka: \d+ errors?, \d+ warnings?, \d+ info\n$/);
  });

  test('a manifest without error findings ends with 0', async () => {
    const { code } = await kafkaWarden('lint', '-f', file('plain.yaml', plainKafka));
    assert.equal(code, 0);
  });

  test('goes into subdirectories with -R, not through links, and says so where there is nothing else', async () => {
    const top = folder('nested', {});
    folder('nested/base', { 'kafka.yaml': plainKafka });
    folder('nested/base/deeper', { 'user.yml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n' });
    symlinkSync('..', join(top, 'base', 'again'));
    const flat = await kafkaWarden('lint', '-f', top);
    assert.equal(flat.code, 2);
    assert.match(flat.err, /holds no .yaml, .yml or .json file; -R looks into its subdirectories too\./);
    const { out } = await kafkaWarden('lint', '-R', '-f', top, '-o', 'json');
    const { objects } = JSON.parse(out) as { objects: { at: string }[] };
    const files = new Set(objects.map(({ at }) => at.replace(/^.*nested\//, '').replace(/[:,].*$/, '')));
    assert.deepEqual([...files], ['base/deeper/user.yml', 'base/kafka.yaml']);
  });

  test('looks at the files of a directory together, and passes over what is no object', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kafka-warden-lint-'));
    after(() => rmSync(folder, { recursive: true }));
    const [service = '', ...others] = plainKafka.split('---\n');
    writeFileSync(join(folder, 'a.yaml'), service.replace('name: kafka', 'name: other'));
    writeFileSync(join(folder, 'b.yaml'), others.join('---\n'));
    writeFileSync(join(folder, 'kustomization.yaml'), 'resources: [a.yaml, b.yaml]\n');
    const { code, out, err } = await kafkaWarden('lint', '-f', folder);
    assert.equal(code, 0, err);
    assert.match(out, /b\.yaml:\d+: info service: serviceName kafka names no Service among these manifests/);
    assert.match(err, /Left out.*kustomization\.yaml/);
    assert.equal((await kafkaWarden('lint', '-f', join(folder, 'kustomization.yaml'))).code, 2);
  });

  test('what cannot be read ends with 2', async () => {
    assert.equal((await kafkaWarden('lint', '-f', file('bad.yaml', 'a: [\n'))).code, 2);
  });
});

suite('explain', () => {
  test('lists every rule', async () => {
    const { code, out } = await kafkaWarden('explain');
    assert.equal(code, 0);
    for (const id of Object.keys(rules)) assert.match(out, new RegExp(`^${id} +(error|warning|info) `, 'm'));
  });

  test('says title, reason and remedy of each rule', async () => {
    for (const { id, title } of Object.values(rules)) {
      const { code, out } = await kafkaWarden('explain', id);
      assert.equal(code, 0);
      assert.ok(out.startsWith(`${id}: ${title}`));
      assert.match(out, /\nWhy\n {2}\S[^]*\nRemedy\n {2}\S/);
    }
  });

  test('suggests the nearest rule for a mistyped one, and nothing for nonsense', async () => {
    const near = await kafkaWarden('explain', 'spraed');
    assert.equal(near.code, 2);
    assert.match(near.err, /There is no rule spraed\. Did you mean spread\?/);
    assert.doesNotMatch((await kafkaWarden('explain', 'qqqqqqqq')).err, /Did you mean/);
    assert.doesNotMatch((await kafkaWarden('explain', 'constructor')).err, /\[native/);
    assert.equal(nearest('security', ['pod-security', 'sasl']), 'pod-security');
  });
});

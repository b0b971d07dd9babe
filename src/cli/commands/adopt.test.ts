import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { file, kafkaWarden, plainKafka } from '../test/session.ts';

suite('adopt', () => {
  const path = file('adopt.yaml', plainKafka);

  test('prints the stages for people', async () => {
    const { code, out } = await kafkaWarden('adopt', '--plan', '-f', path, '-n', 'shop');
    assert.equal(code, 0);
    assert.match(out, /^Adopting the cluster shop\/kafka \(KRaft\)/);
    for (const number of [1, 2, 3, 4, 5, 6, 7]) assert.match(out, new RegExp(`^Stage ${number} of 7: `, 'm'));
    assert.match(out, /^ {2}Back /m);
  });

  test('prints the same for programs, as JSON and YAML', async () => {
    const json = await kafkaWarden('adopt', 'statefulset/kafka', '--plan', '-f', path, '-o', 'json');
    const yaml = await kafkaWarden('adopt', 'kafka', '--plan', '-f', path, '-o', 'yaml');
    const plan = JSON.parse(json.out) as { schema: number; stages: unknown[] };
    assert.equal(plan.schema, 1);
    assert.equal(plan.stages.length, 7);
    assert.deepEqual(parse(yaml.out), plan);
  });

  test('carries nothing out', async () => {
    const { code, out, err } = await kafkaWarden('adopt', 'kafka', '-f', path);
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, /add --plan/);
  });

  test('ends with 3 and the reason where a set cannot be adopted, with 2 where there is none', async () => {
    const other = file(
      'tls.yaml',
      plainKafka.replace('KAFKA_LOG_RETENTION_HOURS', 'KAFKA_SSL_KEYSTORE_LOCATION'),
    );
    const refused = await kafkaWarden('adopt', '--plan', '-f', other);
    assert.equal(refused.code, 3);
    assert.match(refused.err, /StatefulSet default\/kafka cannot be adopted:\n {2}listeners: /);
    assert.equal((await kafkaWarden('adopt', '--plan', '-f', path, 'nothing')).code, 2);
    assert.equal((await kafkaWarden('adopt', '--plan')).code, 2);
  });
});

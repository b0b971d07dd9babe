import assert from 'node:assert/strict';
import { test } from 'node:test';
import { file, kafkaWarden, plainKafka } from '../test/session.ts';

const template = `apiVersion: template.openshift.io/v1
kind: Template
metadata: { name: brokers }
parameters: [{ name: SIZE, value: "3" }]
objects:
  - apiVersion: apps/v1
    kind: StatefulSet
    metadata: { name: kafka }
    spec: { replicas: "\${{SIZE}}" }
`;

test("a Template's StatefulSets are not passed through without a word", async () => {
  const path = file('template.yaml', template);
  for (const command of ['harden', 'lint']) {
    const { code, err } = await kafkaWarden(command, '-f', path);
    assert.equal(code, 0);
    assert.match(err, /^Template brokers is left as it is: .*oc process .*template\.yaml, document 1/m);
  }
  assert.equal((await kafkaWarden('harden', '-f', path)).out, template);
});

test('nothing is said of templates where there is none', async () => {
  const { err } = await kafkaWarden('harden', '-f', file('plain.yaml', plainKafka));
  assert.doesNotMatch(err, /Template/);
});

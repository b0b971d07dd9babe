import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keys } from '../names.ts';
import { harden, unharden, type StatefulSet } from './index.ts';
import { commandsOf } from './shell.ts';
import { hostileTexts, inheritedNames, quickly } from './test/hostile.ts';
import { kafka, type Parts } from './test/manifest.ts';
import type { Json } from './tree.ts';

const namespace = 'demo';

const start = (script: string): Parts => ({ container: { command: ['sh', '-c', script] } });
const mounted = (mountPath: string): Parts => ({
  container: { volumeMounts: [{ name: 'data', mountPath }] },
});
const variables = [
  'KAFKA_LISTENERS',
  'KAFKA_ADVERTISED_LISTENERS',
  'KAFKA_CONTROLLER_QUORUM_VOTERS',
  'KAFKA_ZOOKEEPER_CONNECT',
  'KAFKA_LISTENER_SECURITY_PROTOCOL_MAP',
  'KAFKA_SSL_CIPHER_SUITES',
  'KAFKA_LOG_DIRS',
  'KAFKA_HEAP_OPTS',
  'KAFKA_NODE_ID',
  'CLUSTER_ID',
];

/** A manifest with a text in one of the places that are looked into. */
const places: Record<string, (text: string) => Parts> = {
  image: (text) => ({ image: text }),
  tag: (text) => ({ image: `apache/kafka:${text}` }),
  'mount path': mounted,
  'init container': (text) => ({
    pod: { initContainers: [{ name: 'init', image: 'busybox:1', command: ['sh', '-c', `rm -rf ${text}`] }] },
  }),
  script: (text) => start(text),
  'script that starts Kafka': (text) => start(`echo a.b=${text}x > /f; exec kafka-server-start.sh /f`),
  argument: (text) => ({ container: { command: ['/etc/kafka/docker/run'], args: [text] } }),
  file: (text) => ({ container: { command: ['kafka-server-start.sh', text] } }),
  version: (text) => ({ annotations: { [keys.kafkaVersion]: text } }),
  serviceName: (text) => ({ spec: { serviceName: text } }),
  ...Object.fromEntries(variables.map((name) => [name, (text: string) => ({ env: { [name]: text } })])),
};

describe('texts that slow patterns down', () => {
  for (const [place, parts] of Object.entries(places))
    test(`${place}: each is read in a moment`, () => {
      for (const [name, text] of hostileTexts) {
        const set = kafka(parts(text));
        const { decision, workload } = quickly(name, () => harden(set, { namespace }));
        if (decision === 'hardened') quickly(name, () => unharden(workload));
      }
    });
});

test('quotes and substitutions may stand in each other as deep as somebody likes', () => {
  const deep = `${'"$('.repeat(50_000)}a b${')"'.repeat(50_000)}`;
  assert.deepEqual(
    commandsOf(`x ${deep} y; z`).map((c) => c.words.length),
    [3, 1],
  );
});

test('variables that name each other twice do not double without end', () => {
  const doubled = Array.from({ length: 60 }, (_, i) => ({
    name: `V${i}`,
    value: i === 0 ? 'PLAINTEXT://:9092,' : `$(V${i - 1})$(V${i - 1})`,
  }));
  const env = [...doubled, { name: 'KAFKA_LISTENERS', value: '$(V59)' }];
  quickly('env', () => harden(kafka({ container: { env } }), { namespace }));
});

test('an advertised host with long variables in it is not multiplied', () => {
  const env = [
    { name: 'A', value: 'x'.repeat(100_000) },
    { name: 'KAFKA_LISTENERS', value: 'EXTERNAL://:9094,PLAINTEXT://:9092' },
    { name: 'KAFKA_ADVERTISED_LISTENERS', value: `EXTERNAL://${'$A'.repeat(3_000)}:9094,PLAINTEXT://:9092` },
  ];
  quickly('env', () => harden(kafka({ container: { env } }), { namespace }));
});

describe('objects that nobody writes', () => {
  const refusal = (set: StatefulSet) => harden(set, { namespace }).findings[0];

  test('endless nesting is refused with its place', () => {
    let nested: Json = 'x';
    for (let i = 0; i < 100_000; i++) nested = i % 2 === 0 ? [nested] : { a: nested };
    for (const field of ['affinity', 'unknown'] as const) {
      const found = refusal(kafka({ pod: { [field]: { nested } } }));
      assert.equal(found?.rule, 'malformed');
      assert.match(found.path, new RegExp(`^/spec/template/spec/${field}/`));
      assert.match(found.message, /nested more than 100 levels deep/);
    }
  });

  test('a key __proto__ is refused with its place', () => {
    const text = JSON.stringify(kafka({ labels: { a: 'b' } })).replace('"a":', '"__proto__":');
    const found = refusal(JSON.parse(text) as StatefulSet);
    assert.equal(found?.path, '/metadata/labels/__proto__');
  });

  for (const name of inheritedNames.filter((n) => n !== '__proto__'))
    test(`${name} is a name as good as any other`, () => {
      for (const parts of [
        { annotations: { [name]: 'x' } },
        { labels: { [name]: 'x' } },
        { env: { [name]: 'x', KAFKA_MESSAGE_MAX_BYTES: `$(${name})` } },
        { pod: { nodeSelector: { [name]: 'x' } } },
      ]) {
        const set = kafka(parts);
        const { decision, workload } = harden(set, { namespace });
        assert.equal(decision, 'hardened');
        assert.deepEqual(unharden(workload), set);
      }
    });

  for (const broken of [
    { external: 5 },
    { external: [{ name: 5 }] },
    { hosts: [{}] },
    { voterIds: ['x'] },
    { role: 'emperor' },
    { claim: 5 },
  ])
    test(`a layout with ${JSON.stringify(broken)} is one that cannot be read`, () => {
      const { workload } = harden(kafka(), { namespace });
      const annotations = workload.metadata?.annotations ?? {};
      const layout = JSON.stringify({
        ...(JSON.parse(annotations[keys.layout] ?? '{}') as object),
        ...broken,
      });
      const written = {
        ...workload,
        metadata: { ...workload.metadata, annotations: { ...annotations, [keys.layout]: layout } },
      };
      const { decision, findings } = harden(written, { namespace });
      assert.equal(decision, 'refused');
      assert.match(findings[0]?.message ?? '', /cannot be read/);
    });
});

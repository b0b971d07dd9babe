import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage, repositoryOf, versionOf } from './image.ts';
import { harden } from './index.ts';
import { recognise } from './recognise.ts';
import { kafka } from './test/manifest.ts';

const namespace = 'demo';
const reasonOf = (set: Parameters<typeof recognise>[0]) => {
  const seen = recognise(set);
  return seen.kind === 'left-alone' ? seen.reason : seen.kind;
};

describe('an image reference', () => {
  const cases: [string, string, string | undefined][] = [
    ['apache/kafka:4.1.0', 'apache/kafka', '4.1.0'],
    ['apache/kafka', 'apache/kafka', undefined],
    ['docker.io/apache/kafka:latest', 'apache/kafka', 'latest'],
    ['registry.corp:5000/apache/kafka', 'apache/kafka', undefined],
    ['registry.corp:5000/proxy/hub/apache/kafka:3.9.1', 'apache/kafka', '3.9.1'],
    ['localhost/apache/kafka:4.0.0', 'apache/kafka', '4.0.0'],
    [`apache/kafka:4.1.0@sha256:${'0'.repeat(64)}`, 'apache/kafka', '4.1.0'],
    [`apache/kafka@sha256:${'0'.repeat(64)}`, 'apache/kafka', undefined],
    ['zookeeper:3.9', 'library/zookeeper', '3.9'],
    ['', 'library/', undefined],
  ];
  for (const [text, repository, tag] of cases)
    test(`${text || '(none)'} is ${repository} ${tag ?? 'without a tag'}`, () => {
      const image = parseImage(text);
      assert.equal(repositoryOf(image), repository);
      assert.equal(image.tag, tag);
    });

  test('a version is read from full tags and suffixed ones only', () => {
    assert.deepEqual(versionOf('3.9.1'), [3, 9]);
    assert.deepEqual(versionOf('v4.1.0-rc2'), [4, 1]);
    for (const tag of ['latest', '4', 'main-2026', 'abc', undefined]) assert.equal(versionOf(tag), undefined);
  });
});

describe('what a StatefulSet runs', () => {
  for (const image of [
    'apache/kafka:4.1.0',
    'mirror.corp/hub/apache/kafka',
    'localhost:5000/apache/kafka:3.7.0',
  ])
    test(`${image} is a broker`, () => assert.equal(recognise(kafka({ image })).kind, 'kafka'));

  for (const [image, family] of [
    ['apache/kafka:4.1.0', 'apache-kafka'],
    ['apache/kafka-native:4.1.0', 'apache-kafka-native'],
    ['confluentinc/cp-kafka:7.9.0', 'cp-kafka'],
    ['mirror.corp:5000/hub/confluentinc/cp-server:8.0.0', 'cp-server'],
    ['confluentinc/cp-enterprise-kafka:7.1.0', 'cp-server'],
    ['bitnami/kafka:4.1', 'bitnami-kafka'],
    ['docker.io/bitnamilegacy/kafka:3.9.0', 'bitnami-kafka'],
  ] as const)
    test(`${image} has the profile ${family}`, () => {
      const seen = recognise(kafka({ image }));
      assert.equal(seen.kind === 'kafka' && seen.profile.family, family);
    });

  test("an unknown image that starts Kafka's own script is known by that", () => {
    const seen = recognise(
      kafka({ image: 'corp/app', container: { command: ['/opt/kafka/bin/kafka-server-start.sh', 'x'] } }),
    );
    assert.equal(seen.kind === 'kafka' && seen.profile.family, 'kafka');
  });

  const leftAlone: [string, RegExp][] = [
    ['confluentinc/confluent-local:7.6.0', /confluent-local/],
    ['wurstmeister/kafka', /no longer maintained/],
    ['debezium/kafka:2.7', /Debezium/],
    ['quay.io/strimzi/kafka:0.45.0-kafka-3.9.0', /Strimzi manages/],
    ['confluentinc/cp-zookeeper:7.9.0', /ZooKeeper/],
    ['zookeeper:3.9', /ZooKeeper/],
    ['confluentinc/cp-kafka-connect:7.9.0', /Kafka Connect/],
    ['debezium/connect:3.0', /Kafka Connect/],
    ['confluentinc/cp-schema-registry:7.9.0', /Schema Registry/],
    ['confluentinc/cp-ksqldb-server:7.9.0', /ksqlDB/],
    ['confluentinc/cp-kafka-rest:7.9.0', /REST Proxy/],
    ['confluentinc/cp-enterprise-control-center:7.9.0', /Control Center/],
    ['confluentinc/cp-enterprise-replicator:7.9.0', /Replicator/],
    ['corp.example/platform/kafka:12', /looks like Kafka, but its image/],
    ['corp.example/team/my-kafka-broker', /looks like Kafka, but its image/],
  ];
  for (const [image, reason] of leftAlone)
    test(`${image} is left alone with a reason`, () => {
      const set = kafka({ image });
      assert.match(reasonOf(set), reason);
      const { decision, findings, patch } = harden(set, { namespace });
      assert.equal(decision, 'reported');
      assert.equal(findings[0]?.rule, 'image-profile');
      assert.notEqual(findings[0].remedy, '');
      assert.deepEqual(patch, []);
    });

  test('an image without a telling name is known by its variables or its command', () => {
    assert.match(
      reasonOf(kafka({ image: 'corp/app', env: { KAFKA_PROCESS_ROLES: 'broker' } })),
      /looks like Kafka/,
    );
    assert.match(
      reasonOf(kafka({ image: 'corp/app', container: { command: ['java', 'kafka.Kafka', 'x'] } })),
      /starts the class kafka\.Kafka itself/,
    );
  });

  test('what is not Kafka is ignored without a word', () => {
    for (const image of [
      'postgres:17',
      'nginx',
      'corp/kafkaesque/reader:1',
      'provectuslabs/kafka-ui:v0.7',
      'danielqsj/kafka-exporter',
    ]) {
      const { decision, findings } = harden(kafka({ image }), { namespace });
      assert.equal(decision, 'ignored', image);
      assert.deepEqual(findings, []);
    }
  });

  const programs: [string[], RegExp][] = [
    [['/opt/kafka/bin/connect-mirror-maker.sh', '/etc/mm2.properties'], /runs MirrorMaker/],
    [['/opt/kafka/bin/connect-distributed.sh', '/etc/connect.properties'], /runs Kafka Connect/],
    [['/opt/kafka/bin/zookeeper-server-start.sh', '/etc/zk.properties'], /runs ZooKeeper/],
    [['bash', '-c', 'while :; do kafka-consumer-groups.sh --list; done'], /runs a Kafka command-line tool/],
  ];
  for (const [command, reason] of programs)
    test(`the broker's image that starts ${command[0]?.split('/').at(-1)} is no broker`, () =>
      assert.match(reasonOf(kafka({ container: { command } })), reason));

  test('a private image is hardened by the profile that its annotation names', () => {
    const annotations = { 'kafka-warden.io/image-profile': 'apache-kafka' };
    assert.equal(recognise(kafka({ image: 'corp/kafka:7', annotations })).kind, 'kafka');
    assert.equal(recognise(kafka({ image: 'corp/streaming:7', annotations })).kind, 'kafka');
  });

  test('a profile that does not exist, or is not supported, is said', () => {
    const named = (profile: string) =>
      reasonOf(kafka({ image: 'corp/kafka', annotations: { 'kafka-warden.io/image-profile': profile } }));
    assert.match(named('apache'), /no image profile "apache"/);
    assert.match(named('strimzi'), /Strimzi manages this Kafka/);
  });

  test('the broker is found behind a sidecar, also behind one of the same image', () => {
    const envoy = { name: 'envoy', image: 'envoyproxy/envoy:v1' };
    const sleeper = { name: 'tools', image: 'apache/kafka:4.1.0', command: ['sleep', 'infinity'] };
    for (const before of [[envoy], [sleeper], [envoy, sleeper]]) {
      const seen = recognise(kafka({ before }));
      assert.equal(seen.kind === 'kafka' && seen.container.name, 'kafka');
      assert.equal(seen.kind === 'kafka' && seen.index, before.length);
    }
  });

  test('an init container of the same image does not count', () => {
    const pod = {
      initContainers: [
        { name: 'chown', image: 'apache/kafka:4.1.0', command: ['chown', '-R', '1000', '/d'] },
      ],
    };
    assert.equal(recognise(kafka({ pod })).kind, 'kafka');
  });

  test('two brokers in one pod are left alone', () => {
    assert.match(
      reasonOf(kafka({ after: [{ name: 'second', image: 'apache/kafka:4.1.0' }] })),
      /kafka and second/,
    );
  });

  test('the ignore label opts out', () => {
    const labels = { 'kafka-warden.io/ignore': 'true' };
    assert.equal(harden(kafka({ labels }), { namespace }).decision, 'ignored');
    assert.equal(
      harden(kafka({ labels: { 'kafka-warden.io/ignore': 'false' } }), { namespace }).decision,
      'hardened',
    );
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StatefulSet } from '../hardening/model.ts';
import type { KafkaVersion } from '../hardening/profiles/profile.ts';
import { keys } from '../names.ts';
import { manifestOf } from './manifest.ts';
import { metadataLevels } from './metadata-versions.ts';
import { type Running, blockedBy, preflight } from './preflight.ts';

type Env = Record<string, string>;

const kraft: Env = { KAFKA_PROCESS_ROLES: 'broker,controller', KAFKA_NODE_ID: '0' };
const zookeeper: Env = {
  KAFKA_ZOOKEEPER_CONNECT: 'zk:2181',
  KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://a:9092',
};

const setOf = (image: string, env: Env = kraft, annotations: Env = {}): StatefulSet => ({
  metadata: { name: 'kafka', annotations },
  spec: {
    serviceName: 'kafka',
    selector: { matchLabels: { app: 'kafka' } },
    template: {
      metadata: { labels: { app: 'kafka' } },
      spec: {
        containers: [
          { name: 'kafka', image, env: Object.entries(env).map(([name, value]) => ({ name, value })) },
        ],
      },
    },
  },
});

const read = (...given: Parameters<typeof setOf>) => {
  const manifest = manifestOf(setOf(...given));
  assert.ok(manifest !== undefined);
  return manifest;
};

const on = (
  version: KafkaVersion,
  metadataLevel: number,
  others: Env | Record<string, number> = {},
): Running => ({
  versions: [version],
  mode: 'kraft',
  finalized: new Map([
    ['metadata.version', metadataLevel],
    ...Object.entries(others).map(([k, v]) => [k, Number(v)] as const),
  ]),
  stale: [],
});

const problems = (...given: Parameters<typeof preflight>) =>
  preflight(...given)
    .findings.filter(({ severity }) => severity === 'problem')
    .map(({ field }) => field);
const warnings = (...given: Parameters<typeof preflight>) =>
  preflight(...given)
    .findings.filter(({ severity }) => severity === 'warning')
    .map(({ field }) => field);

test('3.9 to 4.1 in KRaft passes, with what a person should look at', () => {
  const result = preflight(read('apache/kafka:4.1.0'), on([3, 9], 21));
  assert.deepEqual([result.from, result.to, blockedBy(result)], [[3, 9], [4, 1], undefined]);
  assert.deepEqual(
    result.findings.map(({ field }) => field),
    ['log.message.timestamp.after.max.ms', 'clients'],
  );
  assert.match(result.findings.at(-1)?.message ?? '', /not known/);
});

test('within 4.x nothing is said that was said at the crossing', () => {
  assert.deepEqual(preflight(read('apache/kafka:4.1.1'), on([4, 0], 25)).findings, []);
  assert.deepEqual(preflight(read('apache/kafka:3.9.1'), on([3, 7], 19)).findings, []);
});

test('ZooKeeper mode ends with 3.9', () => {
  const running: Running = { versions: [[3, 9]], mode: 'zookeeper', finalized: new Map() };
  const result = preflight(read('confluentinc/cp-kafka:8.1.0', zookeeper), running);
  assert.match(blockedBy(result) ?? '', /Kafka 4\.1 has no ZooKeeper mode.*Migrate to KRaft first/);
  // The mode that the cluster shows counts, where the manifest cannot.
  const hidden = read('confluentinc/cp-kafka:8.1.0', {});
  assert.deepEqual(problems({ ...hidden, mode: undefined }, running), ['image']);
});

test('in ZooKeeper mode brokers of two versions need the older protocol between them', () => {
  const running: Running = { versions: [[3, 7]], mode: 'zookeeper' };
  const to = 'confluentinc/cp-kafka:7.9.0';
  assert.deepEqual(problems(read(to, zookeeper), running), ['inter.broker.protocol.version']);
  const held = { ...zookeeper, KAFKA_INTER_BROKER_PROTOCOL_VERSION: '3.7' };
  assert.deepEqual(problems(read(to, held), running), []);
  const higher = { ...zookeeper, KAFKA_INTER_BROKER_PROTOCOL_VERSION: '3.9-IV0' };
  assert.deepEqual(problems(read(to, higher), running), ['inter.broker.protocol.version']);
  assert.deepEqual(problems(read(to, zookeeper), { ...running, versions: [[3, 9]] }), []);
});

test('metadata that Kafka 4 does not read is finalized first', () => {
  assert.match(
    blockedBy(preflight(read('apache/kafka:4.1.0'), on([3, 9], 6))) ?? '',
    /metadata\.version is 3\.3-IV2, and Kafka 4\.1 reads 3\.3-IV3 and later only/,
  );
});

test('a finalized level is no way back', () => {
  assert.deepEqual(problems(read('apache/kafka:3.9.1'), on([4, 1], 27)), ['metadata.version']);
  assert.deepEqual(problems(read('apache/kafka:4.0.0'), on([4, 1], 27)), ['metadata.version']);
  // Before it is finalized, the way back is open.
  assert.deepEqual(problems(read('apache/kafka:3.9.1'), on([4, 1], 21)), []);
  const elr = on([4, 1], 21, { 'eligible.leader.replicas.version': 1 });
  assert.deepEqual(problems(read('apache/kafka:3.9.1'), elr), ['eligible.leader.replicas.version']);
});

test('what is not known is said, and is no problem by itself', () => {
  const unknown: Running = { versions: [] };
  assert.deepEqual(problems(read('apache/kafka:4.1.0'), unknown), []);
  assert.ok(warnings(read('apache/kafka:4.1.0'), unknown).includes('metadata.version'));
  const corporate = setOf('registry.corp/team/broker:7', kraft, { [keys.imageProfile]: 'apache-kafka' });
  const manifest = manifestOf(corporate);
  assert.ok(manifest !== undefined);
  const result = preflight(manifest, on([3, 9], 21));
  assert.deepEqual([result.to, result.findings.map(({ field }) => field)], [undefined, ['image']]);
  assert.match(result.findings[0]?.remedy ?? '', /kafka-warden\.io\/kafka-version/);
});

test('a private image is as old as its annotation says, and its Java and log4j are to be looked at', () => {
  const annotations = { [keys.imageProfile]: 'apache-kafka', [keys.kafkaVersion]: '4.1' };
  const manifest = read('registry.corp/team/broker:7', kraft, annotations);
  assert.deepEqual(manifest.version, [4, 1]);
  assert.ok(warnings(manifest, on([3, 9], 21)).includes('image'));
});

test('the tag of a known image counts for more than an old annotation', () => {
  const manifest = read('apache/kafka:4.1.0', kraft, { [keys.kafkaVersion]: '3.9' });
  assert.deepEqual(manifest.version, [4, 1]);
  assert.ok(warnings(manifest, on([3, 9], 21)).includes(keys.kafkaVersion));
});

test('properties that are gone are named with what takes their place', () => {
  const env = {
    ...kraft,
    KAFKA_INTER_BROKER_PROTOCOL_VERSION: '3.9',
    KAFKA_LOG_MESSAGE_TIMESTAMP_DIFFERENCE_MAX_MS: '1000',
    KAFKA_CONTROL_PLANE_LISTENER_NAME: 'CONTROLLER',
    KAFKA_DELEGATION_TOKEN_MASTER_KEY: 'x',
    KAFKA_LOG_SEGMENT_BYTES: '1000',
    KAFKA_AUTHORIZER_CLASS_NAME: 'kafka.security.authorizer.AclAuthorizer',
    KAFKA_LOG4J_OPTS: '-Dlog4j.configuration=file:/mnt/log4j.properties',
    KAFKA_JVM_PERFORMANCE_OPTS: '-XX:+UseConcMarkSweepGC',
  };
  const given = [read('apache/kafka:4.1.0', env), on([3, 9], 21)] as const;
  assert.deepEqual(problems(...given).sort(), [
    'KAFKA_JVM_PERFORMANCE_OPTS',
    'authorizer.class.name',
    'delegation.token.master.key',
    'log.segment.bytes',
  ]);
  const said = warnings(...given);
  for (const field of [
    'inter.broker.protocol.version',
    'log.message.timestamp.difference.max.ms',
    'control.plane.listener.name',
    'KAFKA_LOG4J_OPTS',
  ])
    assert.ok(said.includes(field), field);
  // Nothing of it matters to 3.9.
  assert.deepEqual(preflight(read('apache/kafka:3.9.1', env), on([3, 8], 20)).findings, []);
});

test('endpoints of OAUTHBEARER have to be allowed', () => {
  const env = { ...kraft, KAFKA_SASL_OAUTHBEARER_JWKS_ENDPOINT_URL: 'https://idp/jwks' };
  assert.deepEqual(problems(read('apache/kafka:4.1.0', env), on([3, 9], 21)), [
    'sasl.oauthbearer.jwks.endpoint.url',
  ]);
  const allowed = { ...env, KAFKA_OPTS: '-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=https://idp/jwks' };
  assert.deepEqual(problems(read('apache/kafka:4.1.0', allowed), on([3, 9], 21)), []);
});

test('registrations of brokers that are gone are named', () => {
  const result = preflight(read('apache/kafka:4.1.0'), { ...on([3, 9], 21), stale: [7, 9] });
  assert.equal(blockedBy(result), undefined);
  const stale = result.findings.find(({ field }) => field === 'registrations');
  assert.match(stale?.message ?? '', /brokers 7, 9/);
});

test('no image passes that could not read what is finalized, whatever the versions are', () => {
  const releases = metadataLevels
    .map(({ release }) => release)
    .filter(([major, minor]) => major > 3 || minor >= 3);
  fc.assert(
    fc.property(
      fc.constantFrom(...releases),
      fc.constantFrom(...metadataLevels),
      fc.constantFrom(...releases),
      (to, { level }, from) => {
        const blocked = blockedBy(preflight(read(`apache/kafka:${to.join('.')}.0`), on(from, level)));
        const newest = metadataLevels.findLast(({ release }) => release.join() === to.join())?.level ?? 0;
        const readable = level <= newest && (to[0] < 4 || level >= 7);
        assert.equal(blocked === undefined, readable);
      },
    ),
  );
});

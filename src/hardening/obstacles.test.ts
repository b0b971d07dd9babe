import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { harden, rules, type Finding, type StatefulSet } from './index.ts';
import { kafka, type Parts } from './test/manifest.ts';

const namespace = 'demo';
const voters = (...ids: number[]) => ids.map((id, i) => `${id}@kafka-${i}.kafka:9093`).join(',');

interface Case {
  name: string;
  parts: Parts;
  rule: string;
  path: string;
  message: RegExp;
  /** What an update of a hardened set is told, where that differs; undefined where it cannot come to that. */
  onUpdate?: RegExp | 'no obstacle';
}

const container = '/spec/template/spec/containers/0';

const cases: Case[] = [
  {
    name: 'a Kafka older than 3.5',
    parts: { image: 'apache/kafka:3.4.1' },
    rule: 'image-profile',
    path: `${container}/image`,
    message: /Kafka 3\.4 is not supported: this profile covers 3\.5 to 4\.x/,
  },
  {
    name: 'a Kafka newer than any that was tried',
    parts: { image: 'apache/kafka:5.0.0' },
    rule: 'image-profile',
    path: `${container}/image`,
    message: /Kafka 5\.0 is not supported/,
  },
  {
    name: 'an old Kafka that only the annotation tells',
    parts: { image: 'apache/kafka@sha256:1', annotations: { 'kafka-warden.io/kafka-version': '3.3' } },
    rule: 'image-profile',
    path: `${container}/image`,
    message: /Kafka 3\.3/,
  },
  {
    name: 'ZooKeeper mode',
    parts: { image: 'apache/kafka:3.9.1', env: { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181' } },
    rule: 'identity',
    path: `${container}/env/0`,
    message: /zookeeper\.connect is set, but this image runs Kafka in KRaft mode only/,
    onUpdate: /was created as combined and would become zookeeper|KRaft mode only/,
  },
  {
    name: 'a broker-only set that names no controllers',
    parts: { env: { KAFKA_PROCESS_ROLES: 'broker' } },
    rule: 'identity',
    path: '/metadata/labels',
    message: /brokers without controllers of their own/,
    onUpdate: /was created as combined and would become broker/,
  },
  {
    name: 'more pods than one Secret holds the keystores of',
    parts: { spec: { replicas: 97 } },
    rule: 'keystore',
    path: '/spec/replicas',
    message: /97 replicas: the keystores of more than 96 pods do not fit/,
  },
  {
    name: 'replicas that nobody means',
    parts: { spec: { replicas: 2_147_483_647 } },
    rule: 'keystore',
    path: '/spec/replicas',
    message: /2147483647 replicas/,
  },
  {
    name: 'node ids beyond those that Kafka knows',
    parts: { spec: { ordinals: { start: 2_147_483_646 } } },
    rule: 'identity',
    path: '/spec/ordinals/start',
    message: /the last pod would have the node id 2147483648, and Kafka's go up to 2147483647/,
  },
  {
    name: 'a role that Kafka does not have',
    parts: { env: { KAFKA_PROCESS_ROLES: 'broker,zookeeper' } },
    rule: 'identity',
    path: `${container}/env/0`,
    message: /process\.roles is "broker,zookeeper", which is none of/,
  },
  {
    name: 'a stated role that does not exist',
    parts: { annotations: { 'kafka-warden.io/role': 'leader' } },
    rule: 'identity',
    path: '/metadata/annotations/kafka-warden.io~1role',
    message: /the role "leader" is none of/,
  },
  {
    name: 'a stated role that the manifest contradicts',
    parts: {
      env: { KAFKA_PROCESS_ROLES: 'broker,controller' },
      annotations: { 'kafka-warden.io/role': 'controller' },
    },
    rule: 'identity',
    path: '/metadata/annotations/kafka-warden.io~1role',
    message: /states the role controller, but the manifest configures combined/,
    onUpdate: /was created as combined and would become controller/,
  },
  {
    name: 'an id offset that is no number',
    parts: { annotations: { 'kafka-warden.io/id-offset': 'ten' } },
    rule: 'identity',
    path: '/metadata/annotations/kafka-warden.io~1id-offset',
    message: /"ten" is no number/,
  },
  {
    name: 'ZooKeeper mode on Kafka 4',
    parts: { image: 'confluentinc/cp-kafka:8.0.0', env: { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181' } },
    rule: 'identity',
    path: `${container}/image`,
    message: /Kafka 4\.0 has no ZooKeeper mode/,
    onUpdate: /was created as combined and would become zookeeper/,
  },
  {
    name: 'a Confluent Platform whose Kafka is too old',
    parts: { image: 'confluentinc/cp-kafka:5.5.1', env: { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181' } },
    rule: 'image-profile',
    path: `${container}/image`,
    message: /Kafka 2\.5 is not supported: this profile covers 3\.0 to 3\.9 in ZooKeeper mode/,
    onUpdate: /was created as combined|Kafka 2\.5/,
  },
  {
    name: 'a dynamic quorum',
    parts: { env: { KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS: 'kafka-0.kafka:9093' } },
    rule: 'identity',
    path: `${container}/env/0`,
    message: /quorum is dynamic/,
  },
  {
    name: "another StatefulSet's voters",
    parts: { env: { KAFKA_CONTROLLER_QUORUM_VOTERS: '0@controller-0.controllers:9093' } },
    rule: 'identity',
    path: `${container}/env/0`,
    message: /does not name the first pods/,
  },
  {
    name: 'voters that leave out the first pod',
    parts: { env: { KAFKA_CONTROLLER_QUORUM_VOTERS: '1@kafka-1.kafka:9093,2@kafka-2.kafka:9093' } },
    rule: 'identity',
    path: `${container}/env/0`,
    message: /does not name the first pods/,
  },
  {
    name: 'voters with ids out of order',
    parts: { env: { KAFKA_CONTROLLER_QUORUM_VOTERS: voters(1, 3, 2) } },
    rule: 'identity',
    path: `${container}/env/0`,
    message: /does not name the first pods/,
  },
  {
    name: 'voters on several ports',
    parts: { env: { KAFKA_CONTROLLER_QUORUM_VOTERS: '0@kafka-0.kafka:9093,1@kafka-1.kafka:9094' } },
    rule: 'identity',
    path: `${container}/env/0`,
    message: /on one port/,
  },
  {
    name: 'voters that cannot be read',
    parts: { env: { KAFKA_CONTROLLER_QUORUM_VOTERS: 'kafka-0:9093' } },
    rule: 'identity',
    path: `${container}/env/0`,
    message: /does not name the first pods/,
  },
  {
    name: 'TLS of its own',
    parts: { env: { A: '', KAFKA_SSL_KEYSTORE_FILENAME: 'kafka.jks' } },
    rule: 'listeners',
    path: `${container}/env/1`,
    message: /brings TLS, SASL or an authorizer of its own \(KAFKA_SSL_KEYSTORE_FILENAME\)/,
  },
  {
    name: 'an authorizer of its own',
    parts: { env: { KAFKA_AUTHORIZER_CLASS_NAME: 'com.example.Authorizer' } },
    rule: 'listeners',
    path: `${container}/env/0`,
    message: /KAFKA_AUTHORIZER_CLASS_NAME/,
  },
  {
    name: 'a SASL listener by its name',
    parts: { env: { KAFKA_LISTENERS: 'SASL_PLAINTEXT://:9092,CONTROLLER://:9093' } },
    rule: 'listeners',
    path: `${container}/env`,
    message: /listener SASL_PLAINTEXT is SASL_PLAINTEXT/,
  },
  {
    name: 'a TLS listener by the protocol map',
    parts: {
      env: {
        KAFKA_LISTENERS: 'APPS://:9092',
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'APPS:SSL,CONTROLLER:PLAINTEXT',
      },
    },
    rule: 'listeners',
    path: `${container}/env`,
    message: /listener APPS is SSL/,
  },
  {
    name: 'a JAAS file',
    parts: { env: { KAFKA_OPTS: '-Djava.security.auth.login.config=/etc/jaas.conf' } },
    rule: 'listeners',
    path: `${container}/env`,
    message: /KAFKA_OPTS names a JAAS file/,
  },
  {
    name: 'listeners that cannot be read',
    parts: { env: { KAFKA_LISTENERS: 'localhost:9092' } },
    rule: 'listeners',
    path: `${container}/env/0`,
    message: /listeners \(localhost:9092\) cannot be read/,
  },
  {
    name: 'a mount over the directory of the final configuration',
    parts: { container: { volumeMounts: [{ name: 'config', mountPath: '/opt/kafka/config' }] } },
    rule: 'storage',
    path: `${container}/volumeMounts/0`,
    message: /keeps the image from writing its configuration/,
  },
  {
    name: 'a mount over the final configuration itself',
    parts: {
      container: {
        volumeMounts: [{ name: 'config', mountPath: '/opt/kafka/config/server.properties', subPath: 'x' }],
      },
    },
    rule: 'storage',
    path: `${container}/volumeMounts/0`,
    message: /keeps the image from writing/,
  },
  {
    name: 'a name longer than 40 characters',
    parts: { name: 'k'.repeat(41) },
    rule: 'identity',
    path: '/metadata/name',
    message: /longer than 40 characters/,
    onUpdate: 'no obstacle',
  },
  {
    name: 'a variable of a reserved name',
    parts: { env: { KAFKA_X: '1', WARDEN_SETTING: 'mine' } },
    rule: 'launcher',
    path: `${container}/env/1`,
    message: /WARDEN_SETTING is a name or a place/,
  },
  {
    name: 'a volume of a reserved name',
    parts: { pod: { volumes: [{ name: 'kafka-warden-keys', emptyDir: {} }] } },
    rule: 'launcher',
    path: '/spec/template/spec/volumes/0',
    message: /kafka-warden-keys is a name/,
  },
  {
    name: 'a mount in a reserved place',
    parts: { container: { volumeMounts: [{ name: 'x', mountPath: '/etc/kafka-warden' }] } },
    rule: 'launcher',
    path: `${container}/volumeMounts/0`,
    message: /\/etc\/kafka-warden is a name or a place/,
  },
];

/** The one reason; what a set's own security is like is told beside it, and tried elsewhere. */
const only = (all: Finding[]): Finding => {
  const findings = all.filter((f) => f.rule !== 'existing-security');
  assert.equal(findings.length, 1, JSON.stringify(findings));
  return findings[0]!;
};

/** A hardened set over which the same spec is written as in a case. */
const hardenedWith = (): StatefulSet => harden(kafka(), { namespace }).workload;

for (const { name, parts, rule, path, message, onUpdate = message } of cases)
  describe(name, () => {
    test('is reported with place, reason and remedy, and left as it is', () => {
      const set = kafka(parts);
      const { decision, patch, findings, workload } = harden(set, { namespace });
      assert.equal(decision, 'reported');
      assert.deepEqual(patch, []);
      assert.equal(workload, set);
      const finding = only(findings);
      assert.equal(finding.rule, rule);
      assert.ok(rules[rule], 'the rule can be explained');
      assert.equal(finding.path, path);
      assert.match(finding.message, message);
      assert.match(finding.remedy, /\S\.$/);
      assert.equal(finding.action, 'reported');
    });

    test('is refused in strict mode', () => {
      const { decision, findings } = harden(kafka(parts), { namespace, mode: 'strict' });
      assert.equal(decision, 'refused');
      assert.deepEqual([only(findings).action, only(findings).severity], ['refused', 'error']);
    });

    test('is refused on a hardened set: it must not become unhardened in passing', () => {
      const { decision, findings } = harden(kafka(parts), { namespace, old: hardenedWith() });
      if (onUpdate === 'no obstacle') return assert.equal(decision, 'hardened');
      assert.equal(decision, 'refused');
      assert.ok(
        findings.some((f) => onUpdate.test(f.message)),
        JSON.stringify(findings),
      );
    });
  });

describe('what stands on its own', () => {
  test('every obstacle is named, not only the first', () => {
    const { findings } = harden(
      kafka({ image: 'apache/kafka:3.4.0', env: { KAFKA_ZOOKEEPER_CONNECT: 'zk' } }),
      {
        namespace,
      },
    );
    assert.deepEqual(
      findings.map((f) => f.rule),
      ['image-profile', 'identity'],
    );
  });

  test('a running set that was never hardened is reported, in strict mode too', () => {
    for (const mode of ['audit', 'harden', 'strict'] as const) {
      const { decision, findings, patch } = harden(kafka(), { namespace, old: kafka(), mode });
      assert.equal(decision, 'reported', mode);
      assert.equal(only(findings).rule, 'adoption');
      assert.deepEqual(patch, []);
    }
  });

  test('a pin that is not supported is refused', () => {
    const annotations = { 'kafka-warden.io/profile': 'apache-kafka/99' };
    const { decision, findings } = harden(kafka({ annotations }), { namespace });
    assert.equal(decision, 'refused');
    assert.match(only(findings).message, /"apache-kafka\/99" is not supported/);
    assert.match(only(findings).remedy, /apache-kafka\/1, apache-kafka\/2/);
  });

  test('a hardened set whose image becomes another is refused', () => {
    for (const image of ['wurstmeister/kafka', 'corp/kafka:1', 'nginx']) {
      const { decision } = harden(kafka({ image }), { namespace, old: hardenedWith() });
      assert.equal(decision, 'refused', image);
    }
  });

  test('a hardened set moves to the profile of another family with its image', () => {
    const { decision, workload } = harden(kafka({ image: 'confluentinc/cp-kafka:8.1.0' }), {
      namespace,
      old: hardenedWith(),
    });
    assert.equal(decision, 'hardened');
    assert.equal(workload.metadata?.annotations?.['kafka-warden.io/profile'], 'cp-kafka/2');
  });

  test('a hardened set does not become part of another cluster', () => {
    const labels = { 'kafka-warden.io/cluster': 'big' };
    assert.equal(harden(kafka({ labels }), { namespace }).decision, 'hardened');
    const { decision, findings } = harden(kafka({ labels }), { namespace, old: hardenedWith() });
    assert.equal(decision, 'refused');
    assert.match(
      only(findings).message,
      /belongs to the cluster kafka, and its nodes cannot become part of big/,
    );
  });

  test('node ids of a running cluster do not change with the voters of a new manifest', () => {
    const with_ = (...ids: number[]) => kafka({ env: { KAFKA_CONTROLLER_QUORUM_VOTERS: voters(...ids) } });
    const old = harden(with_(1, 2, 3), { namespace }).workload;
    assert.equal(harden(with_(1, 2, 3), { namespace, old }).decision, 'hardened');
    const { decision, findings } = harden(with_(11, 12, 13), { namespace, old });
    assert.equal(decision, 'refused');
    assert.match(only(findings).message, /other node ids than they were created with/);
    const more = harden(with_(1, 2, 3, 4, 5), { namespace, old });
    assert.equal(more.decision, 'hardened');
    assert.match(JSON.stringify(more.findings), /names 5, but this cluster was created with 3, which stay/);
  });

  test('whoever reads a hardened set without its layout is told, and nothing is guessed', () => {
    const old = hardenedWith();
    const annotations = { ...old.metadata?.annotations, 'kafka-warden.io/layout': '{"schema":1,"voters":0}' };
    const broken = { ...old, metadata: { ...old.metadata, annotations } };
    const { decision, findings } = harden(kafka(), { namespace, old: broken });
    assert.equal(decision, 'refused');
    assert.equal(only(findings).rule, 'annotations');
    assert.equal(harden(old, { namespace, old: broken }).decision, 'hardened', 'writing it back repairs it');
  });

  test('tampering with layout or record in an update is undone', () => {
    const old = hardenedWith();
    for (const key of ['kafka-warden.io/layout', 'kafka-warden.io/inverse']) {
      for (const value of ['', '{', 'null', '[]', '{"schema":1,"fields":{"a":null}}', '{"schema":2}']) {
        const annotations = { ...old.metadata?.annotations, [key]: value };
        const { workload } = harden(
          { ...old, metadata: { ...old.metadata, annotations } },
          { namespace, old },
        );
        assert.deepEqual(workload, old);
      }
    }
  });

  test('a lost record is said; the template stays as it is', () => {
    const old = hardenedWith();
    const annotations = {
      ...old.metadata?.annotations,
      'kafka-warden.io/inverse': '{"schema":1,"fields":null}',
    };
    const damaged = { ...old, metadata: { ...old.metadata, annotations } };
    const { decision, findings, workload } = harden(damaged, { namespace, old: damaged });
    assert.equal(decision, 'hardened');
    assert.match(JSON.stringify(findings), /record of what stood here before hardening cannot be read/);
    assert.deepEqual(workload.spec, old.spec);
  });
});

describe('modes', () => {
  const unsafe = kafka({ env: { KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE: 'true' } });
  const actionOf = (findings: Finding[]) => findings.find((f) => f.rule === 'durability')?.action;

  test('audit reports what it would do and changes nothing', () => {
    const { decision, patch, findings } = harden(unsafe, { namespace, mode: 'audit' });
    assert.equal(decision, 'reported');
    assert.deepEqual(patch, []);
    assert.equal(actionOf(findings), 'reported');
  });
  test('harden replaces an unsafe value and says so', () => {
    const { decision, findings } = harden(unsafe, { namespace });
    assert.equal(decision, 'hardened');
    assert.equal(actionOf(findings), 'fixed');
  });
  test('strict refuses an unsafe value', () => {
    const { decision, patch, findings } = harden(unsafe, { namespace, mode: 'strict' });
    assert.equal(decision, 'refused');
    assert.deepEqual(patch, []);
    assert.equal(actionOf(findings), 'refused');
  });
  test("the workload's own annotation wins over the installation's default", () => {
    const audited = kafka({ annotations: { 'kafka-warden.io/mode': 'audit' } });
    assert.equal(harden(audited, { namespace, mode: 'strict' }).decision, 'reported');
  });
  test('a misspelt mode is said and does not loosen anything', () => {
    const typo = kafka({ annotations: { 'kafka-warden.io/mode': 'Audit' } });
    const { decision, findings } = harden(typo, { namespace });
    assert.equal(decision, 'hardened');
    assert.match(
      JSON.stringify(findings),
      /the mode \\"Audit\\" is none of audit, harden, strict: harden is used/,
    );
  });
  test('a hardened set stays hardened when it is set to audit', () => {
    const old = hardenedWith();
    const { decision, workload, findings } = harden(
      kafka({ annotations: { 'kafka-warden.io/mode': 'audit' } }),
      {
        namespace,
        old,
      },
    );
    assert.equal(decision, 'hardened');
    assert.deepEqual(workload.spec, old.spec);
    assert.match(JSON.stringify(findings), /a hardened set stays hardened/);
  });
  test('a version annotation that is none is said', () => {
    const set = kafka({ annotations: { 'kafka-warden.io/kafka-version': 'newest' } });
    assert.match(
      JSON.stringify(harden(set, { namespace }).findings),
      /\\"newest\\" is no version such as 4\.1/,
    );
  });
});

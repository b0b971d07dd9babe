import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startOf } from '../command.ts';
import { configurationOf } from '../configuration.ts';
import { cpKafka } from '../profiles/cp-kafka.ts';
import { shapeOf } from '../shape.ts';
import { kafka } from '../test/manifest.ts';
import { existingSecurity } from './existing-security.ts';

const standard = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';

const sound = {
  KAFKA_PROCESS_ROLES: 'broker,controller',
  KAFKA_LISTENERS: 'CLIENTS://:9092,BROKERS://:9091,CONTROLLER://:9093',
  KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENTS:SASL_SSL,BROKERS:SSL,CONTROLLER:SSL',
  KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKERS',
  KAFKA_SASL_ENABLED_MECHANISMS: 'SCRAM-SHA-512',
  KAFKA_LISTENER_NAME_BROKERS_SSL_CLIENT_AUTH: 'required',
  KAFKA_LISTENER_NAME_CONTROLLER_SSL_CLIENT_AUTH: 'required',
  KAFKA_AUTHORIZER_CLASS_NAME: standard,
  KAFKA_SUPER_USERS: 'User:CN=broker',
};

function check(env: Record<string, string>) {
  const set = kafka({ image: 'confluentinc/cp-kafka:8.0.0', env });
  const pod = set.spec?.template.spec ?? { containers: [] };
  const [container] = pod.containers;
  assert.ok(container);
  const start = startOf(container, { entrypoints: cpKafka.entrypoints, pod });
  const configuration = configurationOf(container, { start, pod, profile: cpKafka });
  const shape = shapeOf(configuration);
  return existingSecurity({
    set,
    pod,
    container,
    containerIndex: 0,
    configuration,
    shape,
    kafkaVersion: [4, 0],
  });
}

const bad = (env: Record<string, string>) => check(env).filter((f) => f.severity !== 'info');
const without = (key: keyof typeof sound) =>
  Object.fromEntries(Object.entries(sound).filter(([k]) => k !== key));

suite('security that a manifest brings', () => {
  test('is listed where it is sound, and nothing else is said', () => {
    assert.deepEqual(bad(sound), []);
    const messages = check(sound).map((f) => f.message);
    assert.ok(messages.some((m) => /CLIENTS \(port 9092\) is protected by TLS with SCRAM-SHA-512/.test(m)));
    assert.ok(messages.some((m) => /BROKERS \(port 9091\) is protected by mutual TLS/.test(m)));
  });

  test('is not there in a plaintext set', () => {
    assert.deepEqual(check({ KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093' }), []);
  });

  const holes: [string, Record<string, string>, RegExp][] = [
    [
      'a plaintext listener beside them',
      { ...sound, KAFKA_LISTENERS: `${sound.KAFKA_LISTENERS},PLAINTEXT://:9094` },
      /PLAINTEXT \(port 9094\) is PLAINTEXT beside secured ones/,
    ],
    [
      'an open quorum',
      { ...sound, KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENTS:SASL_SSL,BROKERS:SSL,CONTROLLER:PLAINTEXT' },
      /speak for a controller/,
    ],
    [
      'brokers without certificates',
      without('KAFKA_LISTENER_NAME_BROKERS_SSL_CLIENT_AUTH'),
      /used between brokers with ssl\.client\.auth=none/,
    ],
    [
      'controllers without certificates',
      without('KAFKA_LISTENER_NAME_CONTROLLER_SSL_CLIENT_AUTH'),
      /used by the quorum with ssl\.client\.auth=none/,
    ],
    [
      'hostname verification off',
      { ...sound, KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM: '' },
      /hostname verification is off/,
    ],
    [
      'hostname verification off by a blank',
      { ...sound, KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM: ' ' },
      /hostname verification is off/,
    ],
    [
      'old protocols',
      { ...sound, KAFKA_SSL_ENABLED_PROTOCOLS: 'TLSv1.2,TLSv1.1,TLSv1' },
      /allows TLSv1\.1, TLSv1, which are broken/,
    ],
    [
      'trust in everybody',
      { ...sound, KAFKA_SSL_ENGINE_FACTORY_CLASS: 'com.acme.TrustAllSslEngineFactory' },
      /every certificate is accepted/,
    ],
    [
      'passwords in clear text',
      {
        ...sound,
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENTS:SASL_PLAINTEXT,BROKERS:SSL,CONTROLLER:SSL',
        KAFKA_SASL_ENABLED_MECHANISMS: 'PLAIN',
      },
      /takes passwords with PLAIN over an unencrypted connection/,
    ],
    [
      'an anonymous super user',
      { ...sound, KAFKA_SUPER_USERS: 'User:admin;User:ANONYMOUS' },
      /User:ANONYMOUS is a super user/,
    ],
    [
      'topics without ACLs for all',
      { ...sound, KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: 'true' },
      /any topic that has no ACL/,
    ],
    ['no authorizer', without('KAFKA_AUTHORIZER_CLASS_NAME'), /there is no authorizer/],
    [
      "ZooKeeper's authorizer in KRaft mode",
      { ...sound, KAFKA_AUTHORIZER_CLASS_NAME: 'kafka.security.authorizer.AclAuthorizer' },
      /needs ZooKeeper/,
    ],
  ];
  for (const [name, env, message] of holes)
    test(`with ${name} has one finding with its setting and what to do`, () => {
      const [finding, ...others] = bad(env);
      assert.match(finding?.message ?? '', message);
      assert.match(finding?.path ?? '', /^\/spec\/template\/spec\/containers\/0\/env\/\d+$/);
      assert.ok((finding?.remedy ?? '').length > 20);
      assert.deepEqual(
        others.map((f) => f.message),
        [],
      );
    });

  test('near misses are silent', () => {
    for (const env of [
      { ...sound, KAFKA_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM: 'https' },
      { ...sound, KAFKA_SSL_ENABLED_PROTOCOLS: 'TLSv1.2,TLSv1.3', KAFKA_SSL_PROTOCOL: 'TLS' },
      { ...sound, KAFKA_LISTENERS: `${sound.KAFKA_LISTENERS},PLAINTEXT://127.0.0.1:9094` },
      { ...sound, KAFKA_SASL_ENABLED_MECHANISMS: 'PLAIN' },
      { ...sound, KAFKA_SSL_ENGINE_FACTORY_CLASS: 'com.acme.VaultSslEngineFactory' },
      { ...sound, KAFKA_SUPER_USERS: 'User:ANONYMOUSLY' },
      { ...sound, KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: 'false' },
      { ...without('KAFKA_LISTENER_NAME_BROKERS_SSL_CLIENT_AUTH'), KAFKA_SSL_CLIENT_AUTH: 'required' },
    ])
      assert.deepEqual(bad(env), [], JSON.stringify(env));
  });
});

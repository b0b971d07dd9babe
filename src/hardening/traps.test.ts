import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nodeSubject, wardenSubject } from '../../certs/names.ts';
import { variableOf } from './configuration.ts';
import { harden, layoutOf, type Finding, type StatefulSet } from './index.ts';
import { superUsers } from './principals.ts';
import { brokerOf, kafka, settings, variable, type Parts } from './test/manifest.ts';

const namespace = 'demo';
const hardened = (parts: Parts = {}): StatefulSet => {
  const { decision, workload, findings } = harden(kafka(parts), { namespace });
  assert.equal(decision, 'hardened', JSON.stringify(findings));
  return workload;
};
const findingsOf = (parts: Parts): Finding[] => harden(kafka(parts), { namespace }).findings;
const finding = (parts: Parts, rule: string): Finding | undefined =>
  findingsOf(parts).find((f) => f.rule === rule);
const setting = (set: StatefulSet, property: string): string | undefined =>
  settings(set).find((line) => line.startsWith(property) && /^[?>+]?=/.test(line.slice(property.length)));

describe('traps of the image', () => {
  test('a name is mapped as the wrapper maps it back: dots first, then dashes, then underscores', () => {
    // KafkaDockerWrapper: strip KAFKA_, lower case, _ to dot, ... to dash, .. to underscore.
    const property = (variable_: string) =>
      variable_
        .replace('KAFKA_', '')
        .toLowerCase()
        .replaceAll('_', '.')
        .replaceAll('...', '-')
        .replaceAll('..', '_');
    assert.equal(
      variableOf('listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config'),
      'KAFKA_LISTENER_NAME_SASL__SSL_SCRAM___SHA___512_SASL_JAAS_CONFIG',
    );
    for (const line of settings(hardened())) {
      const name = line.replace(/^!/, '').replace(/[?>+]?=.*$/, '');
      assert.equal(property(variableOf(name)), name);
    }
    const word = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('.', '-', '_'), word), { maxLength: 5 }), (parts) => {
        const name = 'a' + parts.map(([separator, text]) => separator + text).join('');
        assert.equal(property(variableOf(name)), name);
      }),
    );
  });

  test('KAFKA_ stands once in each name: 3.7 to 3.9 delete every occurrence', () => {
    for (const line of settings(hardened()))
      assert.equal(variableOf(line.replace(/^!/, '').replace(/[?>+]?=.*$/, '')).match(/KAFKA_/g)?.length, 1);
  });

  test('one injected KAFKA_ variable discards the packaged defaults, so the set is complete', () => {
    const needed = [
      'process.roles',
      'node.id',
      'controller.quorum.voters',
      'controller.listener.names',
      'listeners',
      'advertised.listeners',
      'listener.security.protocol.map',
      'inter.broker.listener.name',
      'log.dirs',
      'offsets.topic.replication.factor',
      'transaction.state.log.replication.factor',
      'transaction.state.log.min.isr',
      'share.coordinator.state.topic.replication.factor',
      'share.coordinator.state.topic.min.isr',
    ];
    const set = hardened();
    for (const property of needed) assert.ok(setting(set, property), property);
  });

  test("the TLS and SASL triggers stay off: no advertised listener's name ends in SSL or begins with SASL_", () => {
    const text = setting(hardened(), 'advertised.listeners') ?? '';
    assert.doesNotMatch(text, /SSL:\/\//);
    assert.doesNotMatch(text, /SASL_[A-Z]+:\/\//);
    assert.match(text, /CLIENT:\/\/.*INTERNAL:\/\//);
  });

  test('listeners are always given: what an image derives from the advertised ones is not relied on', () => {
    assert.equal(
      setting(hardened(), 'listeners'),
      'listeners=CLIENT://:9092,INTERNAL://:9091,CONTROLLER://:9093',
    );
  });

  test('the stores are PKCS12, so that the passwords are no conflict with PEM', () => {
    const types = settings(hardened()).filter((l) => /store\.type/.test(l));
    assert.equal(types.length, 5);
    assert.ok(types.every((l) => l.endsWith('=PKCS12')));
  });

  test('the password is read by a config provider that may read one directory', () => {
    const set = hardened();
    assert.match(setting(set, 'config.providers.warden.class') ?? '', /DirectoryConfigProvider$/);
    assert.equal(
      setting(set, 'config.providers.warden.param.allowed.paths'),
      'config.providers.warden.param.allowed.paths=/etc/kafka-warden/keys',
    );
    const passwords = settings(set).filter((l) => l.includes('password'));
    assert.equal(passwords.length, 5);
    assert.ok(passwords.every((l) => l.endsWith('=${warden:/etc/kafka-warden/keys:password}')));
  });

  test('log directories lie in a directory below the volume, not in /tmp and not at its root', () => {
    assert.equal(setting(hardened(), 'log.dirs'), 'log.dirs?=/var/lib/kafka/data/kafka');
  });

  test('service links are off', () => {
    assert.equal(hardened().spec?.template.spec?.enableServiceLinks, false);
    assert.equal(finding({ pod: { enableServiceLinks: true } }, 'service-links')?.action, 'fixed');
  });

  test('the cluster id is given, and one of the manifest is kept', () => {
    assert.match(variable(hardened(), 'CLUSTER_ID') ?? '', /^[A-Za-z0-9_-]{22}$/);
    const own = hardened({ env: { CLUSTER_ID: 'MkU3OEVBNTcwNTJENDM2Qg' } });
    assert.equal(variable(own, 'CLUSTER_ID'), 'MkU3OEVBNTcwNTJENDM2Qg');
    assert.equal(layoutOf(own)?.clusterId, 'MkU3OEVBNTcwNTJENDM2Qg');
  });

  test('an empty variable counts as absent', () => {
    assert.match(variable(hardened({ env: { CLUSTER_ID: '' } }), 'CLUSTER_ID') ?? '', /^.{22}$/);
    assert.equal(hardened({ env: { KAFKA_ZOOKEEPER_CONNECT: '' } }).metadata?.name, 'kafka');
  });

  test('arguments NAME=VALUE count as the later setting', () => {
    const container = { args: ['/etc/kafka/docker/run', 'KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE=true'] };
    const found = finding({ container }, 'durability');
    assert.equal(found?.path, '/spec/template/spec/containers/0/args/1');
  });

  test('of two variables of one name the last counts, and both stay', () => {
    const env = [
      { name: 'KAFKA_MIN_INSYNC_REPLICAS', value: '1' },
      { name: 'KAFKA_MIN_INSYNC_REPLICAS', value: '2' },
    ];
    assert.equal(finding({ container: { env } }, 'durability'), undefined);
    const set = hardened({ container: { env } });
    assert.deepEqual(brokerOf(set).env?.slice(0, 2), env);
    assert.deepEqual(harden(set, { namespace, old: set }).patch, []);
  });

  test('variables are appended: what stands there keeps its order', () => {
    const env = [
      { name: 'Z', value: '1' },
      { name: 'A', value: '$(Z)' },
    ];
    const after = brokerOf(hardened({ container: { env } })).env ?? [];
    assert.deepEqual(after.slice(0, 2), env);
    const names = after.map((e) => e.name);
    assert.ok(names.indexOf('WARDEN_POD') < names.indexOf('WARDEN_SETTINGS'), 'defined before its use');
  });

  test('share groups are set up from 4.0 only, and where the version is not known', () => {
    const has = (image: string) =>
      setting(hardened({ image }), 'share.coordinator.state.topic.min.isr') !== undefined;
    assert.deepEqual(
      ['apache/kafka:3.9.1', 'apache/kafka:4.0.0', 'apache/kafka:latest', 'apache/kafka'].map(has),
      [false, true, true, true],
    );
  });
});

describe('identities', () => {
  test('the super users are the subjects of the certificates', () => {
    const principal = ({ commonName, organization }: typeof nodeSubject) =>
      `User:CN=${commonName},O=${organization}`;
    assert.deepEqual([...superUsers], [principal(nodeSubject), principal(wardenSubject)]);
  });

  const ids: [string, Parts, Partial<Record<string, string>>, RegExp | undefined][] = [
    ['no id', {}, { WARDEN_NODE_ID: 'ordinal', WARDEN_ID_OFFSET: '0' }, undefined],
    [
      'one literal id for three replicas',
      { env: { KAFKA_NODE_ID: '1' } },
      { WARDEN_NODE_ID: 'ordinal', WARDEN_ID_OFFSET: '0' },
      /KAFKA_NODE_ID is 1 for every replica/,
    ],
    [
      'one literal id for one replica',
      { env: { KAFKA_NODE_ID: '1' }, spec: { replicas: 1 } },
      { WARDEN_NODE_ID: 'ordinal', WARDEN_ID_OFFSET: '1', WARDEN_VOTERS: '1' },
      /the quorum has one voter/,
    ],
    [
      'the single-node example',
      {
        env: { KAFKA_NODE_ID: '1', KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093' },
        spec: { replicas: 1 },
      },
      { WARDEN_ID_OFFSET: '1', WARDEN_VOTERS: '1' },
      /the quorum has one voter/,
    ],
    [
      'the old name of the id',
      { env: { KAFKA_BROKER_ID: '0' } },
      { WARDEN_NODE_ID: 'ordinal' },
      /KAFKA_BROKER_ID is 0 for every replica/,
    ],
    [
      'the single-node example with three replicas',
      { env: { KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093' } },
      { WARDEN_VOTERS: '3', WARDEN_ID_OFFSET: '1' },
      /every replica would be a cluster of its own/,
    ],
    [
      'ordinals from 5',
      { spec: { ordinals: { start: 5 } } },
      { WARDEN_FIRST_ORDINAL: '5', WARDEN_ID_OFFSET: '0' },
      undefined,
    ],
    [
      'the pod index',
      {
        container: {
          env: [
            {
              name: 'KAFKA_NODE_ID',
              valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } },
            },
          ],
        },
      },
      { WARDEN_NODE_ID: 'keep' },
      undefined,
    ],
    [
      "the pod's name",
      {
        container: {
          env: [{ name: 'KAFKA_NODE_ID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        },
      },
      { WARDEN_NODE_ID: 'ordinal' },
      /taken from metadata\.name, which is a name and not a number/,
    ],
    [
      'a key of a ConfigMap',
      {
        container: {
          env: [{ name: 'KAFKA_NODE_ID', valueFrom: { configMapKeyRef: { name: 'ids', key: 'id' } } }],
        },
      },
      { WARDEN_NODE_ID: 'ordinal' },
      /the same for every replica/,
    ],
    [
      'a shell with ordinal + 1 and the voters to match',
      {
        env: {
          KAFKA_CONTROLLER_QUORUM_VOTERS: [1, 2, 3]
            .map((id) => `${id}@kafka-${id - 1}.kafka.demo.svc:9093`)
            .join(','),
        },
        container: {
          command: ['bash', '-c', 'export KAFKA_NODE_ID=$((${HOSTNAME##*-}+1)); exec /etc/kafka/docker/run'],
        },
      },
      { WARDEN_ID_OFFSET: '1', WARDEN_VOTERS: '3' },
      undefined,
    ],
  ];
  for (const [name, parts, expected, message] of ids)
    test(name, () => {
      const merged: Parts =
        parts.env && parts.container
          ? {
              container: {
                env: Object.entries(parts.env).map(([key, value]) => ({ name: key, value })),
                ...parts.container,
              },
              spec: parts.spec ?? {},
            }
          : parts;
      const set = hardened(merged);
      for (const [key, value] of Object.entries(expected)) assert.equal(variable(set, key), value, key);
      const found = finding(merged, 'identity');
      if (message === undefined) assert.equal(found, undefined);
      else assert.match(found?.message ?? '', message);
    });

  test('the number of replicas changes nothing in the template once the set is created', () => {
    const env = { KAFKA_NODE_ID: '1' };
    const old = harden(kafka({ env, spec: { replicas: 1 } }), { namespace }).workload;
    for (const replicas of [0, 2, 3, 7]) {
      const { workload } = harden(kafka({ env, spec: { replicas } }), { namespace, old });
      assert.deepEqual(workload.spec?.template, old.spec?.template, `${replicas}`);
    }
  });
});

describe('a mounted file', () => {
  const mounted = (source: object): Parts => ({
    container: {
      volumeMounts: [
        { name: 'data', mountPath: '/var/lib/kafka/data' },
        { name: 'config', mountPath: '/mnt/shared/config' },
      ],
    },
    pod: { volumes: [{ name: 'config', ...source }] },
  });

  test('is unknown: what it may set is left to the start', () => {
    const set = hardened(mounted({ configMap: { name: 'kafka' } }));
    assert.equal(setting(set, 'controller.quorum.voters'), 'controller.quorum.voters?=@voters');
    assert.equal(variable(set, 'CLUSTER_ID'), undefined);
    assert.notEqual(variable(set, 'WARDEN_CLUSTER_ID'), undefined);
  });

  test('from a ConfigMap is the same for every pod, so a node id in it is not used', () => {
    assert.equal(variable(hardened(mounted({ configMap: { name: 'kafka' } })), 'WARDEN_NODE_ID'), 'ordinal');
  });

  test('that an init container wrote may have an id for each pod', () => {
    assert.equal(variable(hardened(mounted({ emptyDir: {} })), 'WARDEN_NODE_ID'), 'keep');
  });
});

describe('storage', () => {
  const cases: [string, Parts, string, RegExp | undefined][] = [
    [
      'off the volume',
      { env: { KAFKA_LOG_DIRS: '/tmp/logs' } },
      'log.dirs=/var/lib/kafka/data/kafka',
      /\/tmp\/logs is on none/,
    ],
    [
      'off the volume by log.dir',
      { env: { KAFKA_LOG_DIR: '/tmp/logs' } },
      'log.dirs=/var/lib/kafka/data/kafka',
      /is on none/,
    ],
    [
      'on the volume',
      { env: { KAFKA_LOG_DIRS: '/var/lib/kafka/data/x' } },
      'log.dirs?=/var/lib/kafka/data/x',
      undefined,
    ],
    [
      'with a trailing slash',
      { env: { KAFKA_LOG_DIRS: '/var/lib/kafka/data/' } },
      'log.dirs?=/var/lib/kafka/data/',
      undefined,
    ],
    [
      'two of them on the volume',
      { env: { KAFKA_LOG_DIRS: '/var/lib/kafka/data/a, /var/lib/kafka/data/b' } },
      'log.dirs?=/var/lib/kafka/data/a, /var/lib/kafka/data/b',
      undefined,
    ],
    [
      'beside the volume with the same beginning',
      { env: { KAFKA_LOG_DIRS: '/var/lib/kafka/data2' } },
      'log.dirs=/var/lib/kafka/data/kafka',
      /data2 is on none/,
    ],
    ['nowhere', { claim: false }, 'log.dirs?=/tmp/kraft-combined-logs', /ephemeral storage/],
    [
      'an emptyDir',
      {
        claim: false,
        container: { volumeMounts: [{ name: 'd', mountPath: '/var/lib/kafka/data/' }] },
        pod: { volumes: [{ name: 'd', emptyDir: {} }] },
      },
      'log.dirs?=/var/lib/kafka/data/kafka',
      /ephemeral storage/,
    ],
    [
      'a host path',
      {
        claim: false,
        container: { volumeMounts: [{ name: 'd', mountPath: '/data' }] },
        pod: { volumes: [{ name: 'd', hostPath: { path: '/srv' } }] },
      },
      'log.dirs?=/data/kafka',
      /host path \(\/srv\)/,
    ],
    [
      'one claim for all',
      {
        claim: false,
        container: { volumeMounts: [{ name: 'd', mountPath: '/bitnami' }] },
        pod: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'shared' } }] },
      },
      'log.dirs?=/bitnami/kafka',
      /all replicas share the claim shared/,
    ],
  ];
  for (const [name, parts, expected, message] of cases)
    test(`log directories: ${name}`, () => {
      assert.equal(setting(hardened(parts), 'log.dirs'), expected);
      const found = finding(parts, 'storage');
      if (message === undefined) assert.equal(found, undefined);
      else assert.match(found?.message ?? '', message);
    });

  test('ephemeral storage is refused in strict mode', () => {
    assert.equal(harden(kafka({ claim: false }), { namespace, mode: 'strict' }).decision, 'refused');
  });

  test('a claim of its own for a single replica is said, not refused', () => {
    const parts: Parts = {
      claim: false,
      spec: { replicas: 1 },
      container: {
        volumeMounts: [{ name: 'd', mountPath: '/data' }],
        resources: { requests: { memory: '1Gi' } },
      },
      pod: { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'mine' } }] },
    };
    assert.equal(harden(kafka(parts), { namespace, mode: 'strict' }).decision, 'hardened');
    assert.match(finding(parts, 'storage')?.message ?? '', /which a second replica could not have/);
  });
});

describe('probes', () => {
  const client = { tcpSocket: { port: 9092 } };
  const external = { KAFKA_LISTENERS: 'PLAINTEXT://:19092,CONTROLLER://:9093' };

  test('readiness is an open client port where the manifest has none', () => {
    assert.deepEqual(brokerOf(hardened()).readinessProbe, client);
    assert.equal(brokerOf(hardened()).livenessProbe, undefined);
    assert.equal(brokerOf(hardened()).startupProbe, undefined);
  });

  test('a liveness probe gets half an hour for log recovery before it counts', () => {
    const { startupProbe } = brokerOf(hardened({ container: { livenessProbe: client } }));
    assert.deepEqual(startupProbe, { ...client, failureThreshold: 181 });
  });

  test('a probe that works stays as it is', () => {
    for (const probe of [
      client,
      { exec: { command: ['nc', '-z', 'localhost', '9092'] }, periodSeconds: 3 },
      { httpGet: { port: 8080 } },
    ]) {
      const parts = { container: { readinessProbe: probe, livenessProbe: probe, startupProbe: probe } };
      const { readinessProbe, livenessProbe, startupProbe } = brokerOf(hardened(parts));
      assert.deepEqual([readinessProbe, livenessProbe, startupProbe], [probe, probe, probe]);
    }
  });

  const commands = [
    ['/opt/kafka/bin/kafka-topics.sh', '--bootstrap-server', 'localhost:9092', '--list'],
    ['sh', '-c', 'kafka-broker-api-versions.sh --bootstrap-server=localhost:9092'],
    ['bash', '-c', 'kcat -b localhost -L'],
  ];
  for (const command of commands)
    test(`an exec probe without credentials checks the port instead: ${command.join(' ')}`, () => {
      const readinessProbe = { exec: { command }, periodSeconds: 30 };
      const probe = brokerOf(hardened({ container: { readinessProbe } })).readinessProbe;
      assert.deepEqual(probe?.exec?.command, ['/bin/bash', '-c', '(: </dev/tcp/127.0.0.1/9092) 2>/dev/null']);
      assert.equal(probe?.periodSeconds, 30);
      assert.match(
        finding({ container: { readinessProbe } }, 'probes')?.message ?? '',
        /without credentials/,
      );
    });

  test('a port whose listener is gone becomes the client port', () => {
    const env = {
      KAFKA_LISTENERS: 'BROKERS://:29092,APPS://:9092,QUORUM://:9193,CONTROLLER://:9093',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKERS',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER,QUORUM',
    };
    for (const probe of [
      { tcpSocket: { port: 9093 } },
      { exec: { command: ['sh', '-c', 'nc -z 127.0.0.1 9093'] } },
    ]) {
      const found = finding({ env, container: { env: toEnv(env), readinessProbe: probe } }, 'probes');
      assert.match(found?.message ?? '', /no listener is on port \d+ any more/);
    }
  });

  test('a named port is looked up', () => {
    const parts: Parts = {
      container: {
        env: toEnv(external),
        ports: [{ name: 'kafka', containerPort: 19092 }],
        livenessProbe: { tcpSocket: { port: 'kafka' } },
      },
    };
    assert.equal(finding(parts, 'probes'), undefined, 'the client port is kept');
    assert.deepEqual(brokerOf(hardened(parts)).livenessProbe, { tcpSocket: { port: 'kafka' } });
  });

  test('under OrderedReady readiness needs no quorum', () => {
    const created = hardened();
    const old: StatefulSet = { ...created, spec: { ...created.spec!, podManagementPolicy: 'OrderedReady' } };
    const { workload } = harden(kafka(), { namespace, old });
    const command = brokerOf(workload).readinessProbe?.exec?.command?.[2] ?? '';
    assert.match(command, /tcp\/127\.0\.0\.1\/9093.*\|\|.*tcp\/127\.0\.0\.1\/9092/);
    assert.equal(workload.spec?.podManagementPolicy, undefined, 'immutable: as it was written');
  });
});

const toEnv = (env: Record<string, string>) => Object.entries(env).map(([name, value]) => ({ name, value }));

describe('the pod', () => {
  test('a set is created Parallel, an update copies what is stored', () => {
    assert.equal(hardened().spec?.podManagementPolicy, 'Parallel');
    const old = hardened();
    const explicit = harden(kafka({ spec: { podManagementPolicy: 'OrderedReady' } }), { namespace, old });
    assert.equal(explicit.workload.spec?.podManagementPolicy, 'Parallel');
  });

  test('a missing serviceName is completed at creation and copied afterwards', () => {
    const parts: Parts = { spec: { serviceName: '' } };
    const old = hardened(parts);
    assert.equal(old.spec?.serviceName, 'kafka-nodes');
    assert.equal(layoutOf(old)?.service, 'kafka-nodes');
    assert.equal(harden(kafka(parts), { namespace, old }).workload.spec?.serviceName, 'kafka-nodes');
  });

  test('a longer grace period is kept, a shorter one raised', () => {
    const grace = (seconds: number) =>
      hardened({ pod: { terminationGracePeriodSeconds: seconds } }).spec?.template.spec
        ?.terminationGracePeriodSeconds;
    assert.deepEqual([60, 360, 900].map(grace), [360, 360, 900]);
  });

  test('several pods down at once become one', () => {
    const spec = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } } };
    assert.equal(hardened({ spec }).spec?.updateStrategy?.rollingUpdate?.maxUnavailable, 1);
  });

  test("the user's own anti-affinity and spread are kept", () => {
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } };
    const spread = [{ maxSkew: 2, topologyKey: 'x', whenUnsatisfiable: 'DoNotSchedule' }];
    const pod = hardened({ pod: { affinity, topologySpreadConstraints: spread } }).spec?.template.spec;
    assert.deepEqual(pod?.affinity, affinity);
    assert.deepEqual(pod?.topologySpreadConstraints, spread);
  });

  test('strict mode requires different nodes', () => {
    const set = kafka({
      container: {
        resources: { requests: { memory: '1Gi' } },
        volumeMounts: [{ name: 'data', mountPath: '/d' }],
      },
    });
    const { workload } = harden(set, { namespace, mode: 'strict' });
    const terms = workload.spec?.template.spec?.affinity?.podAntiAffinity;
    assert.equal(terms?.requiredDuringSchedulingIgnoredDuringExecution?.length, 1);
  });

  test('root and privileged containers are reported and left, in strict mode refused', () => {
    for (const securityContext of [{ runAsUser: 0 }, { privileged: true }]) {
      const parts = { container: { securityContext, volumeMounts: [{ name: 'data', mountPath: '/d' }] } };
      assert.equal(finding(parts, 'pod-security')?.action, 'reported');
      assert.deepEqual(brokerOf(hardened(parts)).securityContext, securityContext);
      assert.equal(harden(kafka(parts), { namespace, mode: 'strict' }).decision, 'refused');
    }
  });

  test('sidecars and init containers stay as they are', () => {
    const sidecar = {
      name: 'exporter',
      image: 'corp/exporter:1',
      env: [{ name: 'WARDEN_LEVEL', value: 'x' }],
    };
    const init = { name: 'init', image: 'busybox:1', env: [{ name: 'WARDEN_SETTINGS', value: 'x' }] };
    const pod = hardened({ before: [sidecar], pod: { initContainers: [init] } }).spec?.template.spec;
    assert.deepEqual(pod?.containers[0], sidecar);
    assert.deepEqual(pod?.initContainers, [init]);
  });
});

describe('what is only said', () => {
  const said: [string, string, Parts, RegExp][] = [
    ['a floating tag', 'floating-tag', { image: 'apache/kafka:latest' }, /no fixed version/],
    ['no tag', 'floating-tag', { image: 'apache/kafka' }, /no fixed version/],
    ['no memory request', 'resources', {}, /no memory request/],
    [
      'a secret in the manifest',
      'inline-secret',
      { env: { DB_PASSWORD: 'x' } },
      /DB_PASSWORD holds a secret/,
    ],
    ['remote JMX', 'jmx-open', { env: { KAFKA_JMX_PORT: '9999' } }, /JMX is open/],
    ['topic auto-creation', 'auto-creation', { env: { KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'true' } }, /is on/],
    [
      'localhost advertised',
      'advertised',
      { env: { KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://localhost:9092' } },
      /localhost is advertised/,
    ],
    [
      'one advertised name for all',
      'advertised',
      { env: { KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092' } },
      /one name/,
    ],
    [
      'a variable used before its definition',
      'env-order',
      { env: { A: '$(B)', B: '1' } },
      /defined only after it/,
    ],
    ['a variable that is not defined', 'env-order', { env: { A: '$(NOWHERE)' } }, /not defined in env/],
    [
      'an init container that deletes the data',
      'destructive-init',
      {
        pod: {
          initContainers: [
            {
              name: 'wipe',
              image: 'busybox:1',
              command: ['sh', '-c', 'rm -rf /data/*'],
              volumeMounts: [{ name: 'data', mountPath: '/data' }],
            },
          ],
        },
      },
      /deletes files at every start \(rm \/data\/\*\)/,
    ],
    [
      'a min ISR that no broker can leave',
      'durability',
      { env: { KAFKA_MIN_INSYNC_REPLICAS: '3' } },
      /no broker can go/,
    ],
  ];
  for (const [name, rule, parts, message] of said)
    test(name, () => assert.match(finding(parts, rule)?.message ?? '', message));

  test('an init container may delete what is its own', () => {
    for (const script of [
      'rm -rf /tmp/work',
      'rm -rf /scratch/*',
      'rm -f /data/.lock',
      'rm -rf /data/lost+found',
    ])
      assert.equal(
        finding(
          {
            pod: {
              volumes: [{ name: 'scratch', emptyDir: {} }],
              initContainers: [
                {
                  name: 'tidy',
                  image: 'busybox:1',
                  command: ['sh', '-c', script],
                  volumeMounts: [
                    { name: 'data', mountPath: '/data' },
                    { name: 'scratch', mountPath: '/scratch' },
                  ],
                },
              ],
            },
          },
          'destructive-init',
        ),
        undefined,
        script,
      );
  });

  test('and what is fine is not', () => {
    const parts: Parts = {
      image: `apache/kafka@sha256:${'0'.repeat(64)}`,
      env: {
        PASSWORD_FILE: '/run/secret',
        A: '$(KUBERNETES_SERVICE_HOST)',
        B: '$$(LITERAL)',
        KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://$(A).kafka:9092',
      },
      pod: {
        initContainers: [{ name: 'lost', image: 'busybox:1', command: ['rm', '-rf', '/data/lost+found'] }],
      },
    };
    assert.deepEqual(
      findingsOf(parts).map((f) => f.rule),
      ['resources'],
    );
  });

  test('every finding can be explained, points into the object and ends in a remedy', async () => {
    const { rules } = await import('./index.ts');
    for (const [, , parts] of said)
      for (const f of findingsOf(parts)) {
        assert.ok(rules[f.rule], f.rule);
        assert.match(f.path, /^\/(spec|metadata)/);
        assert.match(f.remedy, /\.$/);
      }
  });
});

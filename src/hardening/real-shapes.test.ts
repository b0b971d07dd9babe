import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { harden, layoutOf, type Container, type Finding, type Layout, type StatefulSet } from './index.ts';
import { brokerOf, kafka, settings, variable, type Parts } from './test/manifest.ts';

const namespace = 'demo';

type Env = NonNullable<Container['env']>;

/** Variables in the order in which they are written; `@PATH` is a field of the pod. */
const env = (given: Record<string, string>): Env =>
  Object.entries(given).map(([name, value]) =>
    value.startsWith('@')
      ? { name, valueFrom: { fieldRef: { fieldPath: value.slice(1) } } }
      : { name, value },
  );

const findingsOf = (parts: Parts): Finding[] => harden(kafka(parts), { namespace }).findings;

const said = (parts: Parts, rule: string): string =>
  findingsOf(parts)
    .filter((f) => f.rule === rule)
    .map((f) => f.message)
    .join('\n');

/** Hardened, once and for all: a second time and a re-applied manifest change nothing, and every listener has a port of its own. */
function hardened(parts: Parts): StatefulSet {
  const manifest = kafka(parts);
  const { decision, workload, findings } = harden(manifest, { namespace });
  assert.equal(decision, 'hardened', JSON.stringify(findings));
  assert.deepEqual(harden(workload, { namespace, old: workload }).patch, []);
  assert.deepEqual(harden(manifest, { namespace, old: workload }).workload.spec, workload.spec);
  const ports = Object.values(listenersOf(workload));
  assert.equal(
    new Set(ports).size,
    ports.length,
    `one port for two listeners: ${JSON.stringify(listenersOf(workload))}`,
  );
  return workload;
}

const layoutFor = (set: StatefulSet): Layout => {
  const layout = layoutOf(set);
  assert.ok(layout);
  return layout;
};

const settingOf = (set: StatefulSet, property: string): string =>
  settings(set)
    .find((line) => line.startsWith(`${property}=`))
    ?.slice(property.length + 1) ?? '';

/** Ports by the name of their listener. */
const listenersOf = (set: StatefulSet): Record<string, number> =>
  Object.fromEntries(
    settingOf(set, 'listeners')
      .split(',')
      .map((l) => [l.split(':')[0] ?? '', Number(l.split(':').at(-1))]),
  );

/** The ports that take clients: with TLS and a password, never only with a broker's certificate. */
const clientPorts = (set: StatefulSet): number[] =>
  Object.entries(listenersOf(set))
    .filter(([name]) => name !== 'INTERNAL' && name !== 'CONTROLLER')
    .map(([, port]) => port)
    .toSorted((a, b) => a - b);

const commandOf = (set: StatefulSet): string =>
  [...(brokerOf(set).command ?? []), ...(brokerOf(set).args ?? [])].join('\n');

const platform = 'confluentinc/cp-kafka:7.9.0';
const zookeeper = { KAFKA_ZOOKEEPER_CONNECT: 'zookeeper:2181' };
const entrypoint = '/etc/confluent/docker/run';
const ordinal = 'export KAFKA_BROKER_ID=${HOSTNAME##*-}';

describe('listeners as people write them', () => {
  test("clients keep the port of the brokers' own listener and that of the one beside it", () => {
    const set = hardened({
      image: platform,
      container: {
        env: env({
          POD_NAME: '@metadata.name',
          POD_IP: '@status.podIP',
          ...zookeeper,
          KAFKA_LISTENERS: 'PLAINTEXT://:9092,EXTERNAL://:29092',
          KAFKA_ADVERTISED_LISTENERS:
            'PLAINTEXT://$(POD_NAME).kafka.demo.svc.cluster.local:9092,EXTERNAL://$(POD_IP):29092',
          KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,EXTERNAL:PLAINTEXT',
          KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
        }),
      },
    });
    assert.deepEqual(clientPorts(set), [9092, 29092]);
  });

  test('so they do where only advertised.listeners is given, as Compose files have it', () => {
    const set = hardened({
      image: platform,
      env: {
        ...zookeeper,
        KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:29092,PLAINTEXT_HOST://kafka:9092',
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT',
      },
      spec: { replicas: 1 },
    });
    assert.deepEqual(clientPorts(set), [9092, 29092]);
  });

  test('two names for one port are one listener', () => {
    const set = hardened({
      image: platform,
      container: {
        env: env({
          POD_NAME: '@metadata.name',
          ...zookeeper,
          KAFKA_ADVERTISED_LISTENERS:
            'PLAINTEXT://$(POD_NAME).kafka.demo.svc:9092,PLAINTEXT_HOST://$(POD_NAME).kafka:9092',
          KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
        }),
      },
    });
    assert.deepEqual(clientPorts(set), [9092]);
  });

  test('a pod and the governing Service are an address inside the cluster, also without a domain', () => {
    const shell = hardened({
      image: 'apache/kafka:4.0.0',
      container: {
        ports: [{ containerPort: 9092 }, { containerPort: 9093 }],
        command: [
          '/bin/bash',
          '-c',
          [
            'export KAFKA_NODE_ID=$((${HOSTNAME##*-} + 1))',
            'export KAFKA_PROCESS_ROLES=broker,controller',
            'export KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093',
            'export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://${HOSTNAME}.kafka:9092',
            'export KAFKA_CONTROLLER_QUORUM_VOTERS=1@kafka-0.kafka:9093,2@kafka-1.kafka:9093,3@kafka-2.kafka:9093',
            'exec /etc/kafka/docker/run',
          ].join('\n'),
        ],
      },
    });
    assert.deepEqual(listenersOf(shell), { CLIENT: 9092, INTERNAL: 9091, CONTROLLER: 9093 });
    const reference = hardened({
      image: platform,
      container: {
        env: env({
          ...zookeeper,
          KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://$(POD_NAME).kafka:9092',
          KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
          POD_NAME: '@metadata.name',
        }),
      },
    });
    assert.deepEqual(listenersOf(reference), { CLIENT: 9092, INTERNAL: 9091 });
  });

  test('a listener that is advertised on a port of its own for each pod is not lost without a word', () => {
    const parts: Parts = {
      name: 'cp-kafka',
      image: platform,
      container: {
        env: env({ POD_NAME: '@metadata.name', HOST_IP: '@status.hostIP', ...zookeeper }),
        command: [
          'sh',
          '-exc',
          `${ordinal} && export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://\${POD_NAME}.kafka.\${POD_NAMESPACE}:9092,EXTERNAL://\${HOST_IP}:$((31090 + \${KAFKA_BROKER_ID})) && exec ${entrypoint}`,
        ],
      },
    };
    assert.equal(listenersOf(hardened(parts))['CLIENT'], 9092);
    assert.match(said(parts, 'listeners'), /EXTERNAL/);
  });

  for (const [what, host, later] of [
    ['a placeholder', '{cluster-ip}', {}],
    ['a variable that is defined only after its use', '$(NODE_IP)', { NODE_IP: '@status.hostIP' }],
  ] as const)
    test(`${what} is no host, and is not advertised`, () => {
      const parts: Parts = {
        container: {
          env: env({
            POD_NAME: '@metadata.name',
            KAFKA_PROCESS_ROLES: 'broker,controller',
            KAFKA_LISTENERS: 'EXTERNAL://:9094,INSIDE://:9092,CONTROLLER://:9093',
            KAFKA_ADVERTISED_LISTENERS: `EXTERNAL://${host}:30094,INSIDE://$(POD_NAME).kafka:9092`,
            KAFKA_INTER_BROKER_LISTENER_NAME: 'INSIDE',
            ...later,
          }),
        },
      };
      assert.equal(variable(hardened(parts), 'WARDEN_EXTERNAL'), undefined);
      assert.match(said(parts, 'listeners'), /EXTERNAL on port 9094 .* instead of [{$]/);
    });

  test("Kubernetes' own references are read as the kubelet expands them", () => {
    const set = hardened({
      image: 'bitnamilegacy/kafka:3.9.0',
      env: {
        KAFKA_PORT_NUMBER: '9095',
        KAFKA_CFG_ZOOKEEPER_CONNECT: 'zookeeper:2181',
        KAFKA_CFG_LISTENERS: 'PLAINTEXT://:$(KAFKA_PORT_NUMBER)',
        KAFKA_CFG_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:$(KAFKA_PORT_NUMBER)',
      },
    });
    assert.equal(layoutFor(set).clientPort, 9095);
  });

  test('a broker of a ZooKeeper cluster may serve clients on 9093, and is probed there', () => {
    const set = hardened({
      image: platform,
      env: zookeeper,
      container: {
        ports: [{ containerPort: 9093 }],
        readinessProbe: { tcpSocket: { port: 9093 } },
        command: [
          'sh',
          '-c',
          `KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka-\${HOSTNAME##*-}.kafka.demo.svc:9093 KAFKA_BROKER_ID=\${HOSTNAME##*-} ${entrypoint}`,
        ],
      },
    });
    assert.equal(listenersOf(set)['CLIENT'], brokerOf(set).readinessProbe?.tcpSocket?.port);
    assert.deepEqual(clientPorts(set), [9093]);
  });
});

describe('starts as people write them', () => {
  test('a shell whose last command starts Kafka makes way for it, so that Kafka is the one to be stopped', () => {
    const set = hardened({
      image: platform,
      env: { ...zookeeper, KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092' },
      container: { command: ['sh', '-c', `${ordinal}\n${entrypoint}\n`] },
    });
    assert.match(commandOf(set), /\nexec \/bin\/bash \S+\/launch \/etc\/confluent\/docker\/run\n$/);
  });

  for (const escape of [
    'exec runuser -u appuser -- /etc/kafka/docker/run',
    "exec su -s /bin/bash appuser -c 'exec /etc/kafka/docker/run'",
  ])
    test(`no way past the launcher is left: ${escape.slice(0, 14)}`, () => {
      const parts: Parts = {
        container: {
          command: ['bash', '-c', `if [ "$(id -u)" -eq 0 ]; then ${escape}; fi\nexec /etc/kafka/docker/run`],
        },
      };
      const { decision, workload } = harden(kafka(parts), { namespace });
      const bare = commandOf(workload).replaceAll(/\S+\/launch (\S+ )?\/etc\/kafka\/docker\/run/g, '');
      assert.ok(decision === 'reported' || !bare.includes('/etc/kafka/docker/run'), commandOf(workload));
    });

  test('a properties file of the image is the same for every pod, so ids come from the ordinal', () => {
    const set = hardened({
      image: 'apache/kafka:3.9.0',
      container: {
        command: [
          'sh',
          '-c',
          'exec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/kraft/server.properties',
        ],
      },
    });
    assert.equal(variable(set, 'WARDEN_NODE_ID'), 'ordinal');
  });

  test('an id that each pod draws for the cluster is not kept: they would never meet', () => {
    const set = hardened({
      image: 'apache/kafka:3.9.0',
      container: {
        command: [
          'sh',
          '-c',
          '/opt/kafka/bin/kafka-storage.sh random-uuid > /tmp/id\n/opt/kafka/bin/kafka-storage.sh format -t $(cat /tmp/id) -c /opt/kafka/config/server.properties\nexec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/server.properties',
        ],
      },
    });
    assert.match(commandOf(set), /launch --format-anew \S+kafka-storage\.sh format/);
    assert.match(commandOf(set), /^\S+kafka-storage\.sh random-uuid/m);
  });

  test('a properties file that the script writes is of each pod, so the start keeps its id', () => {
    const set = hardened({
      image: 'registry.example.test/kafka:3.9.1',
      container: {
        command: [
          'bash',
          '-c',
          'echo "node.id=$(hostname | grep -o "[0-9]*$")" >> /opt/kafka/server.properties\nexec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/server.properties',
        ],
      },
    });
    assert.equal(variable(set, 'WARDEN_NODE_ID'), 'keep');
  });

  test('a script that makes topics without credentials is told of', () => {
    const parts: Parts = {
      env: { KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093' },
      container: {
        command: [
          'bash',
          '-c',
          '/etc/kafka/docker/run &\nsleep 20\n/opt/kafka/bin/kafka-topics.sh --create --bootstrap-server localhost:9092 --topic orders\nwait\n',
        ],
      },
    };
    hardened(parts);
    assert.ok(findingsOf(parts).some((f) => f.message.includes('kafka-topics')));
  });
});

describe('images as people name and use them', () => {
  test('bitnami names without CFG_ count as the image counts them', () => {
    const set = hardened({
      image: 'bitnamilegacy/kafka:3.9.0',
      env: {
        KAFKA_ZOOKEEPER_CONNECT: 'zookeeper:2181',
        KAFKA_BROKER_ID: '1',
        KAFKA_LISTENERS: 'BROKER://:9095',
        KAFKA_ADVERTISED_LISTENERS: 'BROKER://kafka:9095',
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'BROKER:PLAINTEXT',
        KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
      },
      spec: { replicas: 1 },
    });
    assert.deepEqual(clientPorts(set), [9095]);
    assert.equal(layoutFor(set).idOffset, 1);
  });

  test('bitnami: a plain link to ZooKeeper is no security of its own', () => {
    hardened({
      image: 'bitnamilegacy/kafka:3.9.0',
      env: { KAFKA_CFG_ZOOKEEPER_CONNECT: 'zookeeper:2181', KAFKA_ZOOKEEPER_PROTOCOL: 'PLAINTEXT' },
    });
  });

  test('cp-kafka: a file that the image does not write may be mounted beside those that it does', () => {
    const mounted = (file: string): Parts => ({
      image: platform,
      env: { ...zookeeper, KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092' },
      container: {
        volumeMounts: [
          { name: 'data', mountPath: '/var/lib/kafka/data' },
          { name: 'config', mountPath: `/etc/kafka/${file}`, subPath: file },
        ],
      },
      pod: { volumes: [{ name: 'config', configMap: { name: 'kafka-config' } }] },
    });
    hardened(mounted('server.properties'));
    assert.equal(harden(kafka(mounted('kafka.properties')), { namespace }).decision, 'reported');
  });

  test('ZooKeeper beside the broker in one pod is no second broker', () => {
    const set = hardened({
      image: platform,
      env: {
        KAFKA_ZOOKEEPER_CONNECT: 'localhost:2181',
        KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092',
      },
      before: [{ name: 'zookeeper', image: 'confluentinc/cp-zookeeper:7.9.0' }],
      spec: { replicas: 1 },
    });
    assert.notEqual(variable(set, 'WARDEN_SETTINGS'), undefined);
  });

  test('in a tag such as 2.13-3.9.1 the first number is that of Scala', () => {
    const start = ['/opt/kafka/bin/kafka-server-start.sh', '/opt/kafka/config/server.properties'];
    hardened({ image: 'registry.example.test/kafka:2.13-3.9.1', container: { command: start } });
    const old: Parts = { image: 'registry.example.test/kafka:2.13-2.8.0', container: { command: start } };
    assert.match(said(old, 'image-profile'), /Kafka 2\.8 is not supported/);
  });

  test('ZooKeeper with the newest image is said not to start', () => {
    for (const image of ['confluentinc/cp-kafka:latest', 'confluentinc/cp-kafka'])
      assert.ok(
        findingsOf({
          image,
          env: { ...zookeeper, KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092' },
        }).some((f) => f.severity === 'error' && /no ZooKeeper mode/.test(f.message)),
      );
  });
});

describe('quorums, ids and volumes as people write them', () => {
  test('one voter by the name of its Service or on localhost is the one pod, under its own id', () => {
    for (const voter of ['1@kafka:9093', '1@localhost:9093', '1@kafka.demo.svc.cluster.local:9093']) {
      const set = hardened({
        spec: { replicas: 1 },
        env: {
          KAFKA_NODE_ID: '1',
          KAFKA_PROCESS_ROLES: 'broker,controller',
          KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
          KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092',
          KAFKA_CONTROLLER_QUORUM_VOTERS: voter,
        },
      });
      const { cluster, voters, idOffset, clientPort } = layoutFor(set);
      assert.deepEqual(
        { cluster, voters, idOffset, clientPort },
        { cluster: 'kafka', voters: 1, idOffset: 1, clientPort: 9092 },
      );
    }
  });

  test('a set per node, controller and brokers, is one cluster with the ids that the manifests give', () => {
    const member = (name: string, id: number, role: 'controller' | 'broker', port: number): Layout =>
      layoutFor(
        hardened({
          name,
          spec: { replicas: 1, serviceName: `${name}-service` },
          env: {
            KAFKA_NODE_ID: String(id),
            KAFKA_PROCESS_ROLES: role,
            KAFKA_LISTENERS: `${role === 'broker' ? 'PLAINTEXT' : 'CONTROLLER'}://0.0.0.0:${port}`,
            KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
            KAFKA_CONTROLLER_QUORUM_VOTERS: '1@kafka-controller-0.kafka-controller-service.demo.svc:9093',
          },
        }),
      );
    const all = [
      member('kafka-controller', 1, 'controller', 9093),
      member('kafka-1', 2, 'broker', 9092),
      member('kafka-2', 3, 'broker', 9094),
    ];
    assert.deepEqual(new Set(all.map((l) => l.cluster)), new Set(['kafka-controller']));
    assert.deepEqual(
      all.map((l) => [l.role, l.idOffset, l.voters]),
      [
        ['controller', 1, 1],
        ['broker', 2, 0],
        ['broker', 3, 0],
      ],
    );
  });

  test('a claim template that nothing mounts is not said to be missing', () => {
    const parts: Parts = {
      image: platform,
      env: { ...zookeeper, KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092' },
      container: { volumeMounts: [] },
    };
    assert.match(said(parts, 'storage'), /\bdata\b.*mount/);
  });

  test("a command of bitnami's own is no reference to a variable", () => {
    const parts: Parts = {
      image: 'bitnamilegacy/kafka:3.9.0',
      env: {
        KAFKA_CFG_ZOOKEEPER_CONNECT: 'zookeeper:2181',
        KAFKA_BROKER_ID_COMMAND: 'echo $(hostname | cut -d- -f2)',
      },
    };
    hardened(parts);
    assert.equal(said(parts, 'env-order'), '');
    assert.equal(said(parts, 'shell-in-env'), '');
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { harden, type Container, type Finding } from './index.ts';
import { recognise } from './recognise.ts';
import { kafka, type Parts } from './test/manifest.ts';

const said = (parts: Parts, rule: string): Finding[] =>
  harden(kafka(parts), { namespace: 'demo' }).findings.filter((f) => f.rule === rule);

const fromElsewhere: Partial<Container> = { envFrom: [{ configMapRef: { name: 'broker-settings' } }] };

const porting = (
  ports: NonNullable<Container['ports']>,
  more: Partial<Container> = fromElsewhere,
): Parts => ({
  container: { volumeMounts: [{ name: 'data', mountPath: '/var/lib/kafka/data' }], ports, ...more },
});

describe('ports whose listeners cannot be seen', () => {
  test('a declared port that hardening leaves without a listener is named', () => {
    const ports = [
      { name: 'internal', containerPort: 9092 },
      { name: 'quorum', containerPort: 9093 },
      { name: 'outside', containerPort: 29092 },
    ];
    const [finding, ...others] = said(porting(ports), 'listeners');
    assert.deepEqual(others, []);
    assert.equal(finding?.severity, 'warning');
    assert.equal(finding?.path, '/spec/template/spec/containers/0/ports/2');
    assert.match(finding?.message ?? '', /^port 29092 \(outside\) is declared/);
  });

  test('so is one whose listener a start script edits into the file', () => {
    const command = [
      'bash',
      '-c',
      'sed -i "s|^listeners=.*|listeners=IN://:9092,OUT://:9094,CONTROLLER://:9093|" config/server.properties\nexec bin/kafka-server-start.sh config/server.properties',
    ];
    const ports = [{ containerPort: 9092 }, { containerPort: 9094 }];
    const findings = said(porting(ports, { command }), 'listeners');
    assert.match(findings.map((f) => f.message).join('\n'), /^port 9094 is declared/);
  });

  test('ports for metrics are not meant, nor those of the nodes themselves, nor those of another protocol', () => {
    const ports = [
      { name: 'jmx', containerPort: 5999 },
      { containerPort: 9404 },
      { name: 'inter-broker', containerPort: 9094 },
      { name: 'controller', containerPort: 19093 },
      { containerPort: 4000, protocol: 'UDP' },
      { containerPort: 6000 },
    ];
    const more = { ...fromElsewhere, env: [{ name: 'KAFKA_JMX_PORT', value: '6000' }] };
    assert.deepEqual(said(porting(ports, more), 'listeners'), []);
  });

  test('where the listeners are seen, a port without one is no news', () => {
    const env = [
      { name: 'KAFKA_PROCESS_ROLES', value: 'broker,controller' },
      { name: 'KAFKA_LISTENERS', value: 'CLIENT://:9092,CONTROLLER://:9093' },
    ];
    assert.deepEqual(said(porting([{ containerPort: 29092 }], { env }), 'listeners'), []);
  });
});

test('an address with a port that the shell puts together is not lost without a word', () => {
  const parts: Parts = {
    container: {
      volumeMounts: [{ name: 'data', mountPath: '/var/lib/kafka/data' }],
      command: ['sh', '-c'],
      args: [
        'export KAFKA_ADVERTISED_LISTENERS=MAIN://$(hostname).kafka:9092,FROM_HOST://localhost:4100${HOSTNAME##*-}; exec /etc/kafka/docker/run',
      ],
      env: [
        { name: 'KAFKA_PROCESS_ROLES', value: 'broker,controller' },
        { name: 'KAFKA_LISTENERS', value: 'MAIN://:9092,CONTROLLER://:9093,FROM_HOST://:9095' },
      ],
    },
  };
  const [finding] = said(parts, 'listeners');
  assert.equal(finding?.severity, 'warning');
  assert.match(finding?.message ?? '', /FROM_HOST on port 9095 .* instead of localhost:4100\$/);
});

describe('other programs of Kafka in the same pod', () => {
  const worker = (more: Partial<Container>): Container => ({
    name: 'worker',
    image: 'registry.example.com/team/base:7',
    ...more,
  });

  test('a Connect worker with its settings in a file is told that it may need credentials', () => {
    const after = [worker({ command: ['bin/connect-distributed.sh', 'config/worker.properties'] })];
    const [finding] = said({ after }, 'plaintext-clients');
    assert.match(finding?.message ?? '', /^container worker runs Kafka Connect/);
    assert.equal(finding?.path, '/spec/template/spec/containers/1');
  });

  test('one that names the brokers is judged by where they are', () => {
    const command = ['bin/connect-distributed.sh', 'config/worker.properties'];
    const away = worker({ command, env: [{ name: 'CONNECT_BOOTSTRAP_SERVERS', value: 'other:9092' }] });
    assert.deepEqual(said({ after: [away] }, 'plaintext-clients'), []);
  });

  test('ZooKeeper is no client', () => {
    const after = [worker({ command: ['bin/zookeeper-server-start.sh', 'config/zookeeper.properties'] })];
    assert.deepEqual(said({ after }, 'plaintext-clients'), []);
  });
});

test('an image that its tag names ZooKeeper is not taken for a broker of an unknown kind', () => {
  const found = recognise(
    kafka({ name: 'zoo', image: 'registry.example.com/kafka:native-zookeeper-server-start@sha256:00' }),
  );
  assert.equal(found.kind, 'left-alone');
  assert.match(found.kind === 'left-alone' ? found.reason : '', /runs ZooKeeper, not a broker/);
});

test('a pod that only waits is told how to be left in peace', () => {
  const idle = said({ container: { command: ['sleep', 'infinity'] } }, 'unparsed-command');
  assert.match(idle[0]?.remedy ?? '', /kafka-warden\.io\/ignore=true where no broker is meant/);
  const busy = said({ container: { command: ['/opt/own/start'] } }, 'unparsed-command');
  assert.doesNotMatch(busy[0]?.remedy ?? '', /ignore/);
});

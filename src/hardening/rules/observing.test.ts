import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { harden, type Finding } from '../index.ts';
import { kafka, type Parts } from '../test/manifest.ts';
import { bytesOf, maxHeapOf } from './heap.ts';
import { placeholderIn } from './placeholder.ts';

const said = (rule: string, parts: Parts): Finding[] =>
  harden(kafka(parts), { namespace: 'shop' }).findings.filter((f) => f.rule === rule);
const mount = { name: 'data', mountPath: '/var/lib/kafka/data' };
const container = '/spec/template/spec/containers/0';

suite('host names and networks', () => {
  test('a fixed host name and another subdomain have no effect', () => {
    assert.equal(said('host-names', { pod: { hostname: 'kafka' } })[0]?.path, '/spec/template/spec/hostname');
    assert.equal(said('host-names', { pod: { subdomain: 'other' } }).length, 1);
    assert.deepEqual(said('host-names', { pod: { subdomain: 'kafka' } }), []);
  });

  test("the node's network is named, and its DNS where the policy forgets the Services", () => {
    const severities = (parts: Parts) => said('host-network', parts).map((f) => f.severity);
    assert.deepEqual(severities({ pod: { hostNetwork: true } }), ['warning', 'error']);
    assert.deepEqual(severities({ pod: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } }), [
      'warning',
    ]);
    assert.deepEqual(
      severities({ container: { ports: [{ containerPort: 9092, hostPort: 9092 }], volumeMounts: [mount] } }),
      ['warning'],
    );
    assert.deepEqual(
      severities({ container: { ports: [{ containerPort: 9092 }], volumeMounts: [mount] } }),
      [],
    );
  });
});

suite('variables', () => {
  test('shell syntax that no shell sees is an error', () => {
    for (const value of [
      '${HOSTNAME##*-}',
      'PLAINTEXT://${HOSTNAME}.kafka:9092',
      '$(hostname -s)',
      '`hostname`',
      'PLAINTEXT://$HOSTNAME:9092',
      '${POD:-x}',
      '$((${ORDINAL}+1))',
    ])
      assert.equal(said('shell-in-env', { env: { KAFKA_CLIENT_ID: value } }).length, 1, value);
  });

  test('references of the kubelet, of config providers and of mapping rules are none', () => {
    for (const value of [
      '$(POD_NAME)',
      '${file:/etc/keys:password}',
      '${dir:/tls:key}',
      'RULE:^CN=(.*?),.*$/$1/L',
      '$$(literal)',
      'cost: 5$',
      'a$b',
    ])
      assert.deepEqual(said('shell-in-env', { env: { KAFKA_CLIENT_ID: value } }), [], value);
  });

  test('what an image or a script evaluates is none, nor what is no setting of Kafka', () => {
    assert.deepEqual(
      said('shell-in-env', { env: { KAFKA_BROKER_ID_COMMAND: 'hostname | sed s/.*-//; $(hostname -s)' } }),
      [],
    );
    assert.deepEqual(said('shell-in-env', { env: { START: '${HOSTNAME##*-}' } }), []);
    const command = [
      'bash',
      '-c',
      'export KAFKA_CLIENT_ID=$(eval echo $KAFKA_TEMPLATE); exec /etc/kafka/docker/run',
    ];
    assert.deepEqual(
      said('shell-in-env', {
        env: { KAFKA_TEMPLATE: '${HOSTNAME##*-}' },
        container: {
          command,
          env: [{ name: 'KAFKA_TEMPLATE', value: '${HOSTNAME##*-}' }],
          volumeMounts: [mount],
        },
      }),
      [],
    );
  });

  test('the same variable twice is named at the second place', () => {
    const env = [
      { name: 'KAFKA_A', value: '1' },
      { name: 'KAFKA_B', value: '1' },
      { name: 'KAFKA_A', value: '2' },
    ];
    assert.deepEqual(
      said('duplicate-variable', { container: { env, volumeMounts: [mount] } }).map((f) => f.path),
      [`${container}/env/2`],
    );
    assert.deepEqual(
      said('duplicate-variable', { container: { env: env.slice(0, 2), volumeMounts: [mount] } }),
      [],
    );
  });
});

suite('placeholders', () => {
  test('what was to be filled in is found', () => {
    for (const text of [
      '<your-zookeeper>:2181',
      'CHANGEME',
      'change-me',
      'PLAINTEXT://<EXTERNAL_IP>:9094',
      '{{ .Values.image }}',
      'YOUR_STORAGE_CLASS',
      'REPLACE_WITH_ID',
      'kafka.example.com:9092',
      'example.org',
    ])
      assert.ok(placeholderIn(text), text);
    assert.equal(placeholderIn('kafka.example.com')?.severity, 'warning');
  });

  test('real values that look alike are not', () => {
    for (const text of [
      'kafka.examples.com',
      'example.company.net',
      'myexample.com',
      '-XX:OnOutOfMemoryError=kill',
      '<?xml version="1.0"?><a>b</a>',
      'RULE:^CN=(<x>.*)$/$1/',
      'cat <<EOF',
      'changeit',
      'com.yours.Authorizer',
      'todos',
      'a < b > c',
    ])
      assert.equal(placeholderIn(text), undefined, text);
  });
});

suite('memory', () => {
  const heap = (limit: string | undefined, options?: string, image = 'apache/kafka:4.1.0') =>
    said('heap', {
      image,
      ...(options === undefined ? {} : { env: { KAFKA_HEAP_OPTS: options } }),
      container: {
        volumeMounts: [mount],
        ...(options === undefined ? {} : { env: [{ name: 'KAFKA_HEAP_OPTS', value: options }] }),
        ...(limit === undefined ? {} : { resources: { limits: { memory: limit } } }),
      },
    });

  test('a heap that does not fit in the limit is an error, the default one too', () => {
    assert.match(
      heap('2Gi', '-Xms2g -Xmx2g')[0]?.message ?? '',
      /heap of 2 GiB does not fit in the memory limit of 2 GiB/,
    );
    assert.match(heap('1Gi')[0]?.message ?? '', /default heap of 1 GiB/);
    assert.match(heap('4Gi', '-Xms1g')[0]?.message ?? '', /sets no -Xmx/);
  });

  test('one that fits, or is a share of the memory, is silent', () => {
    assert.deepEqual(heap('4Gi', '-Xmx2g'), []);
    assert.deepEqual(heap('4Gi', '-XX:MaxRAMPercentage=50'), []);
    assert.deepEqual(heap('2Gi'), []);
    assert.deepEqual(heap(undefined, '-Xmx64g'), []);
    assert.deepEqual(heap('512Mi', undefined, 'apache/kafka-native:4.1.0'), []);
  });

  test('sizes are read as Kubernetes and the JVM write them', () => {
    assert.equal(bytesOf('1.5Gi'), 1.5 * 2 ** 30);
    assert.equal(bytesOf('500M'), 5e8);
    assert.equal(bytesOf('lots'), undefined);
    assert.equal(maxHeapOf('-Xmx1g -Xmx512m'), 512 * 2 ** 20);
  });

  test('a CPU limit is worth a word, a request is not', () => {
    const limited = (resources: object) =>
      said('cpu-limit', { container: { volumeMounts: [mount], resources } });
    assert.equal(limited({ limits: { cpu: '1' } }).length, 1);
    assert.deepEqual(limited({ requests: { cpu: '1' }, limits: { memory: '2Gi' } }), []);
  });
});

suite('images and quorums', () => {
  test('images without updates and old versions are named', () => {
    assert.equal(said('unmaintained-image', { image: 'bitnamilegacy/kafka:3.9.0' }).length, 1);
    assert.deepEqual(said('unmaintained-image', { image: 'bitnamisecure/kafka:4.0.0' }), []);
    assert.equal(said('kafka-version', { image: 'apache/kafka:3.8.0' }).length, 1);
    assert.equal(said('kafka-version', { image: 'confluentinc/cp-kafka:7.8.0' }).length, 1);
    for (const image of [
      'apache/kafka:3.9.1',
      'apache/kafka:4.1.0',
      'confluentinc/cp-kafka:7.9.0',
      'apache/kafka:latest',
    ])
      assert.deepEqual(said('kafka-version', { image }), [], image);
  });

  test('an even number of voters is one too many', () => {
    const voters = (n: number) => ({
      KAFKA_CONTROLLER_QUORUM_VOTERS: Array.from({ length: n }, (_, i) => `${i}@kafka-${i}.kafka:9093`).join(
        ',',
      ),
    });
    assert.equal(said('quorum-size', { env: voters(4), spec: { replicas: 4 } }).length, 1);
    assert.deepEqual(said('quorum-size', { env: voters(3) }), []);
    assert.deepEqual(said('quorum-size', { spec: { replicas: 4 } }), []);
    assert.equal(
      said('quorum-size', { env: { KAFKA_PROCESS_ROLES: 'controller' }, spec: { replicas: 2 } }).length,
      1,
    );
  });

  test('an open link to ZooKeeper is an error, an encrypted one is not', () => {
    const image = 'confluentinc/cp-kafka:7.9.0';
    const env = { KAFKA_ZOOKEEPER_CONNECT: 'zk:2181', KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://kafka:9092' };
    assert.equal(said('zookeeper-link', { image, env })[0]?.severity, 'error');
    assert.deepEqual(
      said('zookeeper-link', { image, env: { ...env, KAFKA_ZOOKEEPER_SSL_CLIENT_ENABLE: 'true' } }),
      [],
    );
    assert.deepEqual(said('zookeeper-link', {}), []);
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Parts } from '../hardening/test/manifest.ts';
import { parseProperties } from './properties.ts';
import { configMap, findingsOf, said, set } from './test/objects.ts';

const image = 'registry.acme.test/streaming:3.9.1';
const mount = { name: 'config', mountPath: '/config' };
const data = { name: 'data', mountPath: '/var/lib/kafka/data' };

/** A broker that starts from a file of the ConfigMap `kafka-config`. */
const fromFile = (parts: Parts = {}) =>
  set({
    image,
    container: {
      command: ['/opt/kafka/bin/kafka-server-start.sh', '/config/server.properties'],
      volumeMounts: [data, mount],
    },
    pod: { volumes: [{ name: 'config', configMap: { name: 'kafka-config' } }] },
    ...parts,
  });
const file = (text: string) =>
  configMap('kafka-config', { 'server.properties': text, 'log4j.properties': 'x=1' });

suite('what lies in a ConfigMap', () => {
  const unsafe =
    'process.roles=broker,controller\nlog.dirs=/tmp/kafka-logs\noffsets.topic.replication.factor=1\nunclean.leader.election.enable=true\n';

  test('is read like the environment, and found where it stands', () => {
    assert.match(
      said('durability', fromFile(), file(unsafe)).join('\n'),
      /^kafka-config \/data\/server\.properties: offsets\.topic\.replication\.factor is 1/m,
    );
    assert.match(
      said('storage', fromFile(), file(unsafe)).join('\n'),
      /^kafka-config .*log directory \/tmp\/kafka-logs is on none/m,
    );
  });

  test('is read through envFrom and configMapKeyRef too', () => {
    const env = configMap('kafka-env', {
      KAFKA_MIN_INSYNC_REPLICAS: '1',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'true',
    });
    const all = set({
      container: { envFrom: [{ configMapRef: { name: 'kafka-env' } }], volumeMounts: [data] },
    });
    assert.match(said('durability', all, env).join(), /^kafka-env \/data\/KAFKA_MIN_INSYNC_REPLICAS/);
    assert.match(said('auto-creation', all, env).join(), /^kafka-env/);
    const valueFrom = { configMapKeyRef: { name: 'kafka-env', key: 'KAFKA_MIN_INSYNC_REPLICAS' } };
    const one = set({
      container: { env: [{ name: 'KAFKA_MIN_INSYNC_REPLICAS', valueFrom }], volumeMounts: [data] },
    });
    assert.match(said('durability', one, env).join(), /^kafka-env/);
  });

  test('is found behind items, a subPath, and a script that copies it', () => {
    const items = fromFile({
      pod: {
        volumes: [
          {
            name: 'config',
            configMap: { name: 'kafka-config', items: [{ key: 'broker.conf', path: 'server.properties' }] },
          },
        ],
      },
    });
    assert.equal(said('durability', items, configMap('kafka-config', { 'broker.conf': unsafe })).length, 2);
    const command = [
      'bash',
      '-c',
      'cp /config/server.properties /tmp/s.properties; exec kafka-server-start.sh /tmp/s.properties',
    ];
    assert.equal(
      said('durability', fromFile({ container: { command, volumeMounts: [data, mount] } }), file(unsafe))
        .length,
      2,
    );
  });

  test("in another namespace, of another name, or of a client, it is not the broker's", () => {
    assert.deepEqual(
      said('durability', fromFile(), configMap('other-config', { 'server.properties': unsafe })),
      [],
    );
    assert.deepEqual(said('durability', fromFile(), file('bootstrap.servers=kafka:9092\n')), []);
  });

  test('a file that says otherwise than the environment wins where the environment does not count', () => {
    const both = fromFile({
      env: { KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1' },
      container: {
        command: ['kafka-server-start.sh', '/config/server.properties'],
        volumeMounts: [data, mount],
      },
    });
    assert.deepEqual(
      said(
        'durability',
        both,
        file(
          'process.roles=broker,controller\noffsets.topic.replication.factor=3\ndefault.replication.factor=3\nmin.insync.replicas=2\n',
        ),
      ),
      [],
    );
  });
});

suite('what a start command shows', () => {
  test('here-documents and --override are read', () => {
    const script =
      'cat > /tmp/s.properties <<EOF\nlog.dirs=/scratch\nmin.insync.replicas=1\nEOF\nexec kafka-server-start.sh /tmp/s.properties --override offsets.topic.replication.factor=1';
    const found = said(
      'durability',
      set({ image, container: { command: ['bash', '-c', script], volumeMounts: [data] } }),
    );
    assert.match(found.join('\n'), /min\.insync\.replicas is 1/);
    assert.match(found.join('\n'), /offsets\.topic\.replication\.factor is 1/);
  });
});

suite('secrets', () => {
  const secrets = (...objects: Parameters<typeof said>[1][]) => said('inline-secret', ...objects);
  const jaas = (password: string) =>
    `listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="${password}" user_bob="${password}";`;

  test('in properties, JAAS entries and JVM options are found where they stand, and not repeated', () => {
    const [finding] = secrets(
      fromFile(),
      file(`listeners=X://:1\n${jaas('s3cret')}\nssl.keystore.password=changeit\n`),
    );
    assert.match(
      finding ?? '',
      /^kafka-config \/data\/server\.properties: .*\(line 2\): .*password.*user_bob/,
    );
    assert.doesNotMatch(finding ?? '', /s3cret|changeit/);
    assert.match(
      secrets(set({ env: { KAFKA_OPTS: '-Djavax.net.ssl.keyStorePassword=abc' } })).join(),
      /KAFKA_OPTS holds a secret/,
    );
    const script = 'export KAFKA_SSL_KEY_PASSWORD=abc; exec /etc/kafka/docker/run';
    assert.match(
      secrets(set({ container: { command: ['bash', '-c', script], volumeMounts: [data] } })).join(),
      /\/command\/2/,
    );
  });

  test('references, files, masks, comments and switches are none', () => {
    for (const text of [
      'listeners=X://:1\nssl.keystore.password=${dir:/etc/keys:password}\n',
      'listeners=X://:1\nssl.keystore.password=\n',
      'listeners=X://:1\n# ssl.keystore.password=abc\n',
      'listeners=X://:1\npassword.encoder.iterations=4096\n',
      'listeners=X://:1\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n',
      'listeners=X://:1\nssl.keystore.password=********\n',
      'listeners=X://:1\nssl.keystore.password=$KEYSTORE_PASSWORD\n',
    ])
      assert.deepEqual(secrets(fromFile(), file(text)), [], text);
    const script = 'export KAFKA_SSL_KEY_PASSWORD=$(cat /etc/keys/password); exec /etc/kafka/docker/run';
    assert.deepEqual(
      secrets(set({ container: { command: ['bash', '-c', script], volumeMounts: [data] } })),
      [],
    );
    assert.deepEqual(
      secrets(set({ env: { KAFKA_OPTS: '-Djava.security.auth.login.config=/etc/jaas.conf' } })),
      [],
    );
    assert.deepEqual(
      secrets(configMap('web', { 'app.yaml': 'database:\n  password: abc\n' })),
      [],
      "not Kafka's",
    );
  });
});

suite('placeholders and destruction', () => {
  test('placeholders in files, Services and claims are found', () => {
    assert.match(
      said(
        'placeholder',
        fromFile(),
        file('log.dirs=/data\nadvertised.listeners=PLAINTEXT://<YOUR-IP>:9092\n'),
      ).join(),
      /line 2.*<YOUR-IP>/,
    );
    assert.deepEqual(
      said(
        'placeholder',
        fromFile(),
        file('log.dirs=/data\nssl.principal.mapping.rules=RULE:^CN=(.*?),.*$/$1/,DEFAULT\n'),
      ),
      [],
    );
  });

  test('an init container that deletes topics is found, one that creates them is not', () => {
    const init = (...args: string[]) =>
      set({
        pod: {
          initContainers: [
            {
              name: 'topics',
              image: 'apache/kafka:4.1.0',
              command: ['/opt/kafka/bin/kafka-topics.sh', ...args],
            },
          ],
        },
      });
    assert.match(
      said('destructive-init', init('--bootstrap-server', 'x', '--delete', '--topic', 'y')).join(),
      /deletes topics at every start/,
    );
    assert.deepEqual(said('destructive-init', init('--create', '--topic', 'y')), []);
  });

  test('a start script that empties the data directory is found, one that cleans up beside it is not', () => {
    const start = (line: string) =>
      set({
        container: { command: ['bash', '-c', `${line}; exec /etc/kafka/docker/run`], volumeMounts: [data] },
      });
    assert.match(
      said('destructive-init', start('rm -rf /var/lib/kafka/data/*')).join(),
      /deletes data at every start/,
    );
    for (const line of [
      'rm -rf /var/lib/kafka/data/lost+found',
      'rm -f /var/lib/kafka/data/.lock',
      'rm -rf /tmp/cache',
      'echo rm -rf /var/lib/kafka/data',
    ])
      assert.deepEqual(said('destructive-init', start(line)), [], line);
  });
});

test('properties are read as Java reads them', () => {
  const text = '# c\n! d\na=1\nb : two words \nc three\n\nlong=x,\\\n  y\nempty=\n';
  assert.deepEqual(
    parseProperties(text).map(({ key, value, line }) => [key, value, line]),
    [
      ['a', '1', 3],
      ['b', 'two words', 4],
      ['c', 'three', 5],
      ['long', 'x,y', 7],
      ['empty', '', 9],
    ],
  );
});

test('a workload that cannot be read is said to be so, and the rest is looked at', () => {
  const broken = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'x' },
    spec: { template: { spec: { containers: 'none' } } },
  };
  const found = findingsOf(broken, set());
  assert.match(found.find((f) => f.rule === 'malformed')?.path ?? '', /^\/spec\/template\/spec\/containers/);
  assert.ok(found.some((f) => f.rule === 'resources'));
});

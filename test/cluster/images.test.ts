import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tryRun } from './command.ts';

const sources = join(import.meta.dirname, 'images');

/** This machine's root with a layer of its own over it, which ends with the command; Kafka's programs say how they are called. */
const layered = `
  mount -t tmpfs layer /mnt && mkdir /mnt/{upper,work,root}
  mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
  mount --bind /dev /mnt/root/dev && mount --bind /proc /mnt/root/proc && mount --bind "$SOURCES" /mnt/root/mnt
  exec chroot /mnt/root env -i PATH="$PROGRAMS:/usr/bin:/bin" "$@" bash -euo pipefail -c "$SCRIPT"
`;

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

interface Stage {
  programs: string;
  prepare: string;
}

async function staged({ programs, prepare }: Stage, script: string, env: Record<string, string>) {
  const args = ['--mount', '--propagation', 'private', 'bash', '-euo', 'pipefail', '-c', layered, 'layered'];
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const stubs = `mkdir -p ${programs}
    for name in kafka-storage kafka-server-start; do
      printf '#!/bin/bash\\necho "CALLED $(basename "$0" .sh) $*"\\n' > ${programs}/$name
      chmod +x ${programs}/$name; cp ${programs}/$name ${programs}/$name.sh
    done`;
  return tryRun('unshare', [...args, ...variables], {
    env: { SOURCES: sources, PROGRAMS: programs, SCRIPT: `${stubs}\n${prepare}\n${script}` },
  });
}

const confluent = (generation: 'python' | 'go', edition: 'kafka' | 'server' = 'kafka'): Stage => ({
  programs: '/opt/programs',
  prepare: `
    mkdir -p /etc/confluent/docker /etc/kafka/secrets /var/lib/kafka/data
    cp /mnt/confluent/{bash-config,run,launch,checks} /mnt/confluent/${generation}/* /etc/confluent/docker
    touch /etc/confluent/docker/log4j2.yaml
    [[ ${edition} == kafka ]] || touch /etc/confluent/docker/server
    for name in dub cub ub; do cp /mnt/confluent/belt /opt/programs/$name; done
    echo store > /etc/kafka/secrets/keys.p12; echo secret > /etc/kafka/secrets/credentials
    export COMPONENT=kafka`,
});

const confluentRun = (stage: Stage, env: Record<string, string>, args = '') =>
  staged(stage, `/etc/confluent/docker/run ${args}; cat /etc/kafka/kafka.properties`, env);

const bitnami = (version: string): Stage => ({
  programs: '/opt/bitnami/kafka/bin',
  prepare: `
    mkdir -p /opt/bitnami/kafka/config /bitnami/kafka/config /docker-entrypoint-initdb.d
    cp -r /mnt/bitnami /opt/bitnami/scripts
    cp /mnt/config/${version === '3.9.0' ? '3.9' : '4.1'}/server.properties /opt/bitnami/kafka/config/server.properties.original
    touch /opt/bitnami/kafka/config/{producer,consumer}.properties
    export APP_VERSION=${version}`,
});

const bitnamiRun = (stage: Stage, env: Record<string, string>, before = '') =>
  staged(
    stage,
    `${before}
     /opt/bitnami/scripts/kafka/entrypoint.sh /opt/bitnami/scripts/kafka/run.sh; cat /opt/bitnami/kafka/config/server.properties`,
    env,
  );

const lines = ({ stdout }: Ended) => stdout.split('\n');

const kraft = {
  CLUSTER_ID: 'id',
  KAFKA_PROCESS_ROLES: 'broker,controller',
  KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://a.b:9092',
  KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
};

const unavailable =
  process.platform === 'linux' && process.getuid?.() === 0 ? false : 'mount namespaces need root on Linux';

describe("Confluent's image of the earlier generation", { skip: unavailable }, () => {
  const stage = confluent('python');

  test('environment becomes /etc/kafka/kafka.properties, is formatted and started', async () => {
    const ended = await confluentRun(stage, {
      ...kraft,
      KAFKA_LISTENER_NAME_SASL__SSL_SCRAM___SHA___512_X: 'a=b',
      KAFKA_OPTS: '-Dx=y',
    });
    assert.equal(ended.code, 0, ended.stderr);
    const shown = lines(ended);
    assert.ok(shown.includes('listener.name.sasl_ssl.scram-sha-512.x=a=b'));
    assert.ok(shown.includes('log.dirs=/var/lib/kafka/data'));
    assert.ok(shown.includes('CALLED kafka-server-start /etc/kafka/kafka.properties'));
    assert.ok(!ended.stdout.includes('-Dx=y'));
  });

  test('arguments are environment, and beat it', async () => {
    const ended = await confluentRun(stage, { ...kraft, KAFKA_NODE_ID: '1' }, 'KAFKA_NODE_ID=7');
    assert.ok(lines(ended).includes('node.id=7'));
  });

  test('listeners default to the advertised ones on all addresses', async () => {
    const ended = await confluentRun(stage, { ...kraft, KAFKA_LISTENERS: '' });
    assert.ok(lines(ended).includes('listeners=PLAINTEXT://0.0.0.0:9092'));
  });

  test('without roles it is a broker of ZooKeeper, which has to be there', async () => {
    const without = await confluentRun(stage, { KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://a:9092' });
    assert.notEqual(without.code, 0);
    assert.match(without.stderr, /KAFKA_ZOOKEEPER_CONNECT is required/);
    const unreachable = await confluentRun(stage, {
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://a:9092',
      KAFKA_ZOOKEEPER_CONNECT: '127.0.0.1:1/chroot',
      KAFKA_CUB_ZK_TIMEOUT: '1',
    });
    assert.notEqual(unreachable.code, 0);
    assert.match(unreachable.stderr, /Timed out waiting for connection to Zookeeper/);
  });

  test('empty variables count as missing', async () => {
    const ended = await confluentRun(stage, { ...kraft, CLUSTER_ID: '' });
    assert.notEqual(ended.code, 0);
    assert.match(ended.stderr, /CLUSTER_ID is required/);
  });

  test('what a Service named kafka puts into the environment ends the start', async () => {
    const ended = await confluentRun(stage, { ...kraft, KAFKA_PORT: 'tcp://10.0.0.1:9092' });
    assert.notEqual(ended.code, 0);
    assert.match(ended.stdout, /port is deprecated/);
  });

  test('an advertised listener whose name ends in SSL demands store file names, which replace locations', async () => {
    const tls = { ...kraft, KAFKA_ADVERTISED_LISTENERS: 'MYSSL://a:9092', KAFKA_SSL_KEYSTORE_LOCATION: '/x' };
    const without = await confluentRun(stage, tls);
    assert.match(without.stderr, /KAFKA_SSL_KEYSTORE_FILENAME is required/);
    const ended = await confluentRun(stage, {
      ...tls,
      KAFKA_SSL_KEYSTORE_FILENAME: 'keys.p12',
      KAFKA_SSL_KEY_CREDENTIALS: 'credentials',
      KAFKA_SSL_KEYSTORE_CREDENTIALS: 'credentials',
    });
    assert.ok(lines(ended).includes('ssl.keystore.location=/etc/kafka/secrets/keys.p12'));
    assert.ok(lines(ended).includes('ssl.keystore.password=secret'));
  });
});

describe("Confluent's image of the later generation", { skip: unavailable }, () => {
  const stage = confluent('go');

  test('it needs roles, and takes an empty variable for a set one', async () => {
    const { KAFKA_PROCESS_ROLES: _, ...rest } = kraft;
    const without = await confluentRun(stage, rest);
    assert.notEqual(without.code, 0);
    assert.match(without.stderr, /"KAFKA_PROCESS_ROLES" is not set/);
    assert.equal((await confluentRun(stage, { ...kraft, CLUSTER_ID: '' })).code, 0);
  });

  test('derived listeners lose their names', async () => {
    const ended = await confluentRun(stage, { ...kraft, KAFKA_LISTENERS: '' });
    assert.ok(lines(ended).includes('listeners=a.b:9092'));
  });

  test('a segment of one letter keeps the underscore behind it', async () => {
    const ended = await confluentRun(stage, { ...kraft, KAFKA_LISTENER_NAME_A_SSL_X: 'y' });
    assert.ok(lines(ended).includes('listener.name.a_ssl.x=y'));
  });

  test("Confluent's own broker balances, and demands stores for a listener of the name CONTROLLER", async () => {
    const tls = { ...kraft, KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:SSL,PLAINTEXT:PLAINTEXT' };
    const plain = await confluentRun(stage, tls);
    assert.equal(plain.code, 0, plain.stderr);
    assert.doesNotMatch(plain.stdout, /confluent\.balancer/);
    const server = confluent('go', 'server');
    assert.match((await confluentRun(server, tls)).stderr, /KAFKA_SSL_KEYSTORE_FILENAME/);
    const other = await confluentRun(server, {
      ...kraft,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'QUORUM:SSL',
    });
    assert.ok(lines(other).includes('confluent.balancer.enable=true'));
  });
});

describe("Bitnami's image", { skip: unavailable }, () => {
  const stage = bitnami('3.9.0');
  const node = {
    KAFKA_CFG_PROCESS_ROLES: 'broker,controller',
    KAFKA_CFG_NODE_ID: '1',
    KAFKA_CFG_CONTROLLER_QUORUM_VOTERS: '1@a:9093',
    KAFKA_CFG_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_CFG_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    KAFKA_KRAFT_CLUSTER_ID: 'id',
  };

  test('settings go over the original file; without CFG_ they beat those with it', async () => {
    const ended = await bitnamiRun(stage, { ...node, KAFKA_NODE_ID: '2', KAFKA_CFG_NUM_IO_THREADS: '9' });
    assert.equal(ended.code, 0, ended.stderr);
    const shown = lines(ended);
    assert.ok(shown.includes('node.id=2'));
    assert.ok(shown.includes('num.io.threads=9'));
    assert.ok(shown.includes('log.dirs=/bitnami/kafka/data'));
    assert.ok(shown.includes('#zookeeper.connect=localhost:2181'));
    assert.ok(shown.some((it) => /^CALLED kafka-storage format .*--cluster-id=id$/.test(it)));
    assert.ok(shown.includes('CALLED kafka-server-start /opt/bitnami/kafka/config/server.properties'));
  });

  test('the second pass of sed reads & as what it replaces', async () => {
    const ended = await bitnamiRun(stage, { ...node, KAFKA_CFG_SSL_CIPHER_SUITES: 'a&b' });
    assert.match(ended.stdout, /^ssl\.cipher\.suites=assl\.cipher\.suites=a&bb$/m);
  });

  test('an underscore is always a dot, but in the names of two protocols', async () => {
    const ended = await bitnamiRun(stage, { ...node, KAFKA_CFG_LISTENER_NAME_SASL_SSL_A__B: 'c' });
    assert.ok(lines(ended).includes('listener.name.sasl_ssl.a..b=c'));
  });

  test('a mounted file is taken as it is; one in the configuration folder skips even that', async () => {
    const mounted = await bitnamiRun(
      stage,
      node,
      'echo process.roles=broker > /bitnami/kafka/config/server.properties',
    );
    assert.doesNotMatch(mounted.stdout, /node\.id/);
    assert.match(mounted.stdout, /CALLED kafka-storage format/);
    const own = await bitnamiRun(stage, {}, 'echo x=y > /opt/bitnami/kafka/config/server.properties');
    assert.equal(own.code, 0, own.stderr);
    assert.doesNotMatch(own.stdout, /CALLED kafka-storage/);
  });

  test('what cannot work is refused with every reason', async () => {
    const ended = await bitnamiRun(stage, {
      KAFKA_CFG_PROCESS_ROLES: 'controller',
      KAFKA_CFG_LISTENERS: 'A://:9092,B://:9092',
      KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP: 'A:SSL',
    });
    assert.notEqual(ended.code, 0);
    for (const reason of [
      /KAFKA_CFG_NODE_ID/,
      /same port/,
      /CONTROLLER_LISTENER_NAMES/,
      /kafka\.keystore\.jks/,
    ])
      assert.match(ended.stderr, reason);
  });

  test('the format can be skipped, and 4.x speaks of its controllers', async () => {
    const skipped = await bitnamiRun(stage, { ...node, KAFKA_SKIP_KRAFT_STORAGE_INIT: 'true' });
    assert.doesNotMatch(skipped.stdout, /CALLED kafka-storage/);
    const later = await bitnamiRun(bitnami('4.0.0'), node);
    assert.match(later.stdout, /--feature=kraft\.version=1 --no-initial-controllers/);
  });

  test('another command than run.sh configures nothing', async () => {
    const script = '/opt/bitnami/scripts/kafka/entrypoint.sh ls /opt/bitnami/kafka/config';
    assert.doesNotMatch((await staged(stage, script, node)).stdout, /server\.properties$/m);
  });

  test('logins for SASL are made of users and passwords, with defaults that are known to all', async () => {
    const ended = await bitnamiRun(stage, {
      ...node,
      KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT',
      KAFKA_CFG_SASL_ENABLED_MECHANISMS: 'PLAIN',
    });
    assert.match(
      ended.stdout,
      /^listener\.name\.plaintext\.plain\.sasl\.jaas\.config=.*user_user="bitnami";$/m,
    );
  });
});

describe('the native image', { skip: unavailable }, () => {
  const stage: Stage = {
    programs: '/opt/programs',
    prepare: `mkdir -p /opt/kafka; cp /mnt/native/kafka.Kafka /opt/kafka
      printf '#!/bin/bash\\nprintf "%%s\\n" "$@"\\n' > /opt/programs/java; chmod +x /opt/programs/java`,
  };
  const start = (properties: string, options: string) =>
    staged(
      stage,
      `printf '${properties}' > /tmp/server.properties
       /opt/kafka/kafka.Kafka start --config /tmp/server.properties ${options}`,
      { KAFKA_HEAP_OPTS: '-Xmx7g' },
    );

  test('system properties are passed on, options of a JVM are not', async () => {
    const ended = await start('node.id=1\\n', '-Da=b -Xmx9g -javaagent:x.jar');
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^-Da=b$/m);
    assert.doesNotMatch(ended.stdout, /Xmx9g|Xmx7g|javaagent/);
  });

  test('a config provider is not in the executable', async () => {
    const ended = await start('config.providers=dir\\nconfig.providers.dir.class=x.Dir\\n', '');
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /Class x\.Dir could not be found/);
  });
});

describe("ZooKeeper's images", { skip: unavailable }, () => {
  test("Confluent's drops variables that it does not know, and numbers servers by their place", async () => {
    const stage: Stage = {
      programs: '/opt/programs',
      prepare: `
        mkdir -p /etc/confluent/docker /etc/kafka /var/lib/zookeeper/{data,log}
        cp /mnt/confluent/{bash-config,launch} /mnt/confluent/zookeeper/* /etc/confluent/docker
        touch /etc/confluent/docker/log4j.properties
        cp /mnt/confluent/belt /opt/programs/dub
        cp /opt/programs/kafka-server-start /opt/programs/zookeeper-server-start
        export COMPONENT=zookeeper`,
    };
    const script =
      '/etc/confluent/docker/run; cat /etc/kafka/zookeeper.properties /var/lib/zookeeper/data/myid';
    const ended = await staged(stage, script, {
      ZOOKEEPER_CLIENT_PORT: '2181',
      ZOOKEEPER_SERVER_ID: '2',
      ZOOKEEPER_SERVERS: 'a:2888:3888;b:2888:3888',
      ZOOKEEPER_UNHEARD_OF: 'x',
    });
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /CALLED zookeeper-server-start \/etc\/kafka\/zookeeper\.properties/);
    assert.match(ended.stdout, /^server\.2=b:2888:3888$/m);
    assert.match(ended.stdout, /^initLimit=10$/m);
    assert.match(ended.stdout, /^2$/m);
    assert.doesNotMatch(ended.stdout, /heard/i);
  });

  test('the official one writes zoo.cfg where there is none, and splits extra lines at blanks', async () => {
    const stage: Stage = { programs: '/opt/programs', prepare: 'mkdir -p /conf /data' };
    const env = { ZOO_CONF_DIR: '/conf', ZOO_DATA_DIR: '/data', ZOO_CFG_EXTRA: 'a=b c=d', ZOO_MY_ID: '3' };
    const made = await staged(stage, '/mnt/zookeeper/docker-entrypoint.sh cat /conf/zoo.cfg /data/myid', env);
    assert.equal(made.code, 0, made.stderr);
    for (const line of ['a=b', 'c=d', 'server.1=localhost:2888:3888;2181', '3'])
      assert.ok(lines(made).includes(line), line);
    const script = 'echo own > /conf/zoo.cfg; /mnt/zookeeper/docker-entrypoint.sh cat /conf/zoo.cfg';
    assert.equal((await staged(stage, script, env)).stdout, 'own\n');
  });
});

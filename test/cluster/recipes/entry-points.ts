import { emulated } from '../versions.ts';
import type { KafkaLine } from '../versions.ts';
import type { Start } from './oci.ts';

/** What an emulation adds to the layers of apache/kafka of its line, and hides of them. */
export interface Emulation {
  names: readonly string[];
  /** Files below the root, by the path they get; the values are paths below `images/`, or in `kafka-image/` with `apache:`. */
  files: Record<string, string>;
  /** Text files that differ by line only. */
  texts?: Record<string, string>;
  links?: Record<string, string>;
  folders?: readonly string[];
  /** What is not to be seen of the layers below. */
  hidden: readonly string[];
  /** Where the distribution's programs go, and what their names end in. */
  programs?: { folder: string; suffix: '' | '.sh' };
  /** Owner of everything in these folders. */
  owned: { by: string; paths: readonly string[] };
  start: Start;
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const distribution = ['opt/kafka/bin', 'opt/kafka/config', 'opt/kafka/logs', 'opt/kafka/storage.jsa'];
const apacheOnly = ['etc/kafka', 'mnt/shared', 'var/lib/kafka'];
const logging: Record<KafkaLine, readonly string[]> = {
  '3.9': ['log4j.properties', 'tools-log4j.properties'],
  '4.1': ['log4j2.yaml', 'tools-log4j2.yaml'],
};

const volumes = (...paths: string[]) => Object.fromEntries(paths.map((it) => [it, {}]));

const loggingIn = (folder: string, line: KafkaLine) =>
  Object.fromEntries(logging[line].map((name) => [`${folder}/${name}`, `apache:${line}/${name}`]));

const scripts = (folder: string, of: Record<string, string>) =>
  Object.fromEntries(Object.entries(of).map(([name, file]) => [`${folder}/${name}`, file]));

/** confluentinc/cp-kafka and cp-server: `dub` and `cub` up to 8.0, `ub` from 8.1 on. */
function confluent(line: KafkaLine, edition: 'kafka' | 'server'): Emulation {
  const generation = line === '3.9' ? 'python' : 'go';
  const belt = line === '3.9' ? ['dub', 'cub'] : ['ub'];
  const names = line === '3.9' ? emulated.confluent79 : emulated.confluent81;
  const empty = ['KAFKA_ADVERTISED_LISTENERS=', 'CLUSTER_ID='];
  const docker = 'etc/confluent/docker';
  const template = 'kafka.properties.template';
  return {
    names: [names[edition]],
    files: {
      ...scripts(docker, {
        'bash-config': 'confluent/bash-config',
        run: 'confluent/run',
        launch: 'confluent/launch',
        checks: 'confluent/checks',
        configure: `confluent/${generation}/configure`,
        ensure: `confluent/${generation}/ensure`,
        [template]: `confluent/${generation}/${template}`,
      }),
      ...Object.fromEntries(belt.map((name) => [`usr/bin/${name}`, 'confluent/belt'])),
      ...loggingIn(docker, line),
      ...loggingIn('etc/kafka', line),
      'etc/kafka/server.properties': `config/${line}/server.properties`,
      'usr/bin/nc': 'programs/nc',
    },
    texts:
      edition === 'server'
        ? {
            [`${docker}/server`]: '',
            [`${docker}/${template}`]: 'from CONFLUENT_METRICS_ as confluent.metrics.\n',
          }
        : {},
    links: { 'usr/share/java/kafka': '/opt/kafka/libs' },
    folders: ['etc/kafka/secrets', 'var/lib/kafka/data', 'var/log/kafka', 'var/log/confluent'],
    hidden: [...distribution, ...apacheOnly],
    programs: { folder: 'usr/bin', suffix: '' },
    owned: { by: '1000:0', paths: ['etc/kafka', 'var/lib/kafka', 'var/log/kafka', docker] },
    start: {
      User: 'appuser',
      Env: [
        path,
        'COMPONENT=kafka',
        'LOG_DIR=/var/log/kafka',
        ...empty,
        ...(line === '3.9' ? ['KAFKA_ZOOKEEPER_CONNECT='] : []),
      ],
      Cmd: ['/etc/confluent/docker/run'],
      Volumes: volumes('/var/lib/kafka/data', '/etc/kafka/secrets'),
      ExposedPorts: { '9092/tcp': {} },
    },
  };
}

function confluentZooKeeper(): Emulation {
  const docker = 'etc/confluent/docker';
  const template = 'zookeeper.properties.template';
  return {
    names: [emulated.confluent79.zookeeper],
    files: {
      ...scripts(docker, {
        'bash-config': 'confluent/bash-config',
        run: 'confluent/zookeeper/run',
        launch: 'confluent/launch',
        configure: 'confluent/zookeeper/configure',
        ensure: 'confluent/zookeeper/ensure',
        [template]: `confluent/zookeeper/${template}`,
      }),
      'usr/bin/dub': 'confluent/belt',
      'usr/bin/cub': 'confluent/belt',
      'usr/bin/nc': 'programs/nc',
      ...loggingIn(docker, '3.9'),
      ...loggingIn('etc/kafka', '3.9'),
    },
    folders: ['etc/zookeeper/secrets', 'var/lib/zookeeper/data', 'var/lib/zookeeper/log', 'var/log/kafka'],
    hidden: [...distribution, ...apacheOnly],
    programs: { folder: 'usr/bin', suffix: '' },
    owned: { by: '1000:0', paths: ['etc/kafka', 'etc/zookeeper', 'var/lib/zookeeper', 'var/log/kafka'] },
    start: {
      User: 'appuser',
      Env: [path, 'COMPONENT=zookeeper', 'LOG_DIR=/var/log/kafka'],
      Cmd: ['/etc/confluent/docker/run'],
      Volumes: volumes('/var/lib/zookeeper/data', '/var/lib/zookeeper/log', '/etc/zookeeper/secrets'),
      ExposedPorts: { '2181/tcp': {}, '2888/tcp': {}, '3888/tcp': {} },
    },
  };
}

/** bitnami/kafka and, of the same content, bitnamilegacy/kafka. */
function bitnami(line: KafkaLine): Emulation {
  const { names, version } = emulated.bitnami[line];
  const home = 'opt/bitnami/kafka';
  return {
    names,
    files: {
      ...scripts('opt/bitnami/scripts', {
        'kafka-env.sh': 'bitnami/kafka-env.sh',
        'libkafka.sh': 'bitnami/libkafka.sh',
        ...scripts(
          'kafka',
          Object.fromEntries(
            ['entrypoint', 'setup', 'run', 'variables', 'validate', 'configure', 'format'].map((name) => [
              `${name}.sh`,
              `bitnami/kafka/${name}.sh`,
            ]),
          ),
        ),
      }),
      ...loggingIn(`${home}/config`, line),
      [`${home}/config/server.properties.original`]: `config/${line}/server.properties`,
      [`${home}/config/producer.properties`]: 'config/clients.properties',
      [`${home}/config/consumer.properties`]: 'config/clients.properties',
    },
    links: {
      [`${home}/libs`]: '/opt/kafka/libs',
      'entrypoint.sh': '/opt/bitnami/scripts/kafka/entrypoint.sh',
      'run.sh': '/opt/bitnami/scripts/kafka/run.sh',
    },
    folders: [
      `${home}/logs`,
      `${home}/config/certs`,
      'bitnami/kafka/config',
      'bitnami/kafka/data',
      'docker-entrypoint-initdb.d',
    ],
    hidden: [...distribution, ...apacheOnly],
    programs: { folder: `${home}/bin`, suffix: '.sh' },
    owned: { by: '0:0', paths: ['opt/bitnami', 'bitnami', 'docker-entrypoint-initdb.d'] },
    start: {
      User: '1001',
      Env: [
        `${path}:/opt/bitnami/kafka/bin`,
        'HOME=/',
        `APP_VERSION=${version}`,
        'BITNAMI_APP_NAME=kafka',
        'LOG_DIR=/opt/bitnami/kafka/logs',
      ],
      Entrypoint: ['/opt/bitnami/scripts/kafka/entrypoint.sh'],
      Cmd: ['/opt/bitnami/scripts/kafka/run.sh'],
      ExposedPorts: { '9092/tcp': {} },
    },
  };
}

function native(): Emulation {
  return {
    names: [emulated.native],
    files: {
      'opt/kafka/kafka.Kafka': 'native/kafka.Kafka',
      'etc/kafka/docker/launch': 'native/launch',
    },
    folders: ['opt/kafka/config', 'opt/kafka/logs'],
    hidden: ['opt/kafka/bin', 'var/lib/kafka'],
    owned: { by: '1000:0', paths: ['opt/kafka/config', 'opt/kafka/logs'] },
    start: {
      User: 'appuser',
      Env: [path],
      Cmd: ['/etc/kafka/docker/run'],
      Volumes: volumes('/etc/kafka/secrets', '/mnt/shared/config'),
      ExposedPorts: { '9092/tcp': {} },
    },
  };
}

/** The official image of ZooKeeper. */
function zookeeper(): Emulation {
  const home = 'apache-zookeeper-3.9-bin';
  return {
    names: [emulated.zookeeper],
    files: {
      'docker-entrypoint.sh': 'zookeeper/docker-entrypoint.sh',
      [`${home}/bin/zkServer.sh`]: 'zookeeper/zkServer.sh',
      [`${home}/bin/zkCli.sh`]: 'zookeeper/zkServer.sh',
      'conf/log4j.properties': 'apache:3.9/log4j.properties',
      'usr/bin/nc': 'programs/nc',
    },
    folders: ['data', 'datalog', 'logs', 'conf'],
    hidden: [...distribution, ...apacheOnly],
    owned: { by: '1000:1000', paths: ['data', 'datalog', 'logs', 'conf'] },
    start: {
      Env: [
        `${path}:/${home}/bin`,
        ...['ZOO_CONF_DIR=/conf', 'ZOO_DATA_DIR=/data', 'ZOO_DATA_LOG_DIR=/datalog', 'ZOO_LOG_DIR=/logs'],
        ...['ZOO_TICK_TIME=2000', 'ZOO_INIT_LIMIT=5', 'ZOO_SYNC_LIMIT=2', 'ZOO_MAX_CLIENT_CNXNS=60'],
        ...['ZOO_AUTOPURGE_PURGEINTERVAL=0', 'ZOO_AUTOPURGE_SNAPRETAINCOUNT=3'],
        ...['ZOO_STANDALONE_ENABLED=true', 'ZOO_ADMINSERVER_ENABLED=true', 'ZOOCFGDIR=/conf'],
      ],
      Entrypoint: ['/docker-entrypoint.sh'],
      Cmd: ['zkServer.sh', 'start-foreground'],
      WorkingDir: `/${home}`,
      Volumes: volumes('/data', '/datalog', '/logs'),
      ExposedPorts: { '2181/tcp': {}, '2888/tcp': {}, '3888/tcp': {}, '8080/tcp': {} },
    },
  };
}

/** The distribution unpacked by somebody for themselves: programs, and nothing that starts them. */
function unpacked(): Emulation {
  return {
    names: [emulated.private],
    files: {
      ...loggingIn('opt/kafka/config', '3.9'),
      'opt/kafka/config/server.properties': 'config/3.9/server.properties',
      'opt/kafka/config/kraft/server.properties': 'apache:server.properties',
    },
    folders: ['opt/kafka/logs', 'var/lib/kafka'],
    hidden: [...distribution, ...apacheOnly],
    programs: { folder: 'opt/kafka/bin', suffix: '.sh' },
    owned: { by: '1000:1000', paths: ['opt/kafka/config', 'opt/kafka/logs', 'var/lib/kafka'] },
    start: {
      User: '1000:1000',
      Env: [path, 'LOG_DIR=/opt/kafka/logs'],
      Cmd: ['/bin/bash'],
      WorkingDir: '/opt/kafka',
    },
  };
}

/** The images that stand for others, by the line whose jars they run. */
export const emulations: Record<KafkaLine, () => Emulation[]> = {
  '3.9': () => [
    confluent('3.9', 'kafka'),
    confluent('3.9', 'server'),
    confluentZooKeeper(),
    bitnami('3.9'),
    zookeeper(),
    unpacked(),
  ],
  '4.1': () => [confluent('4.1', 'kafka'), confluent('4.1', 'server'), bitnami('4.1'), native()],
};

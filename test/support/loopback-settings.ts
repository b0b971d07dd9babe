import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createAuthority,
  issueLeaf,
  keystore,
  nodeSubject,
  password as newPassword,
  truststore,
  wardenSubject,
} from '../../certs/index.ts';
import type { ClientTls } from '../../src/kafka/index.ts';
import type { KafkaLine } from '../cluster/versions.ts';
import { bootstrapFile, clusterId } from './kafka-home.ts';

export interface LoopbackOptions {
  /** 4.1 unless given. */
  readonly line?: KafkaLine;
  /** ZooKeeper of its own beside the brokers, for Kafka 3.9. */
  readonly zookeeper?: boolean;
  /** 1 to 6, with the ids from 0; 3 unless given. The first is the only voter of one or two, else the first three are. */
  readonly brokers?: number;
  /** Those that start at once; all unless given. */
  readonly started?: readonly number[];
  /** Rack by id; `rack-ID` unless given, `undefined` for none. */
  readonly rack?: (id: number) => string | undefined;
  /** Log directories of each broker; 1 unless given. */
  readonly logDirs?: number;
  /** Settings beside and instead of the usual ones. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Where one node's things are. */
export interface NodePlace {
  readonly id: number;
  readonly port: number;
  readonly folder: string;
  readonly dirs: readonly string[];
}

const lifetimeMs = 24 * 3_600_000;

/** Small, quick, and with the details that tests look at: cleaners that come soon, sessions that end soon. */
const usual = {
  'auto.create.topics.enable': 'false',
  'background.threads': '2',
  'broker.heartbeat.interval.ms': '1000',
  'broker.session.timeout.ms': '6000',
  'group.initial.rebalance.delay.ms': '0',
  'log.cleaner.backoff.ms': '500',
  'log.cleaner.dedupe.buffer.size': '4194304',
  'num.io.threads': '4',
  'num.network.threads': '2',
  'offsets.topic.num.partitions': '3',
  'replica.lag.time.max.ms': '6000',
  'transaction.state.log.num.partitions': '2',
};

export interface Secrets {
  readonly password: string;
  readonly tls: ClientTls;
}

/** One certificate for all nodes, whose only name is `localhost`, and the warden's. */
export async function makeSecrets(folder: string): Promise<Secrets> {
  const now = new Date();
  const password = newPassword();
  const authority = createAuthority({ subject: { commonName: 'loopback' }, now, lifetimeMs });
  const node = issueLeaf(authority, {
    subject: nodeSubject,
    dnsNames: ['localhost'],
    usages: ['server', 'client'],
    now,
    lifetimeMs,
  });
  const warden = issueLeaf(authority, { subject: wardenSubject, usages: ['client'], now, lifetimeMs });
  const { certificatePem } = authority;
  await writeFile(join(folder, 'keystore.p12'), keystore({ ...node, password, alias: 'node' }));
  await writeFile(
    join(folder, 'truststore.p12'),
    truststore([{ alias: 'authority', certificatePem }], password),
  );
  const tls = {
    caPem: certificatePem,
    certificatePem: warden.chainPem,
    privateKeyPem: warden.privateKeyPem,
  };
  return { password, tls };
}

interface Surroundings extends LoopbackOptions {
  /** Where ZooKeeper listens, in its mode. */
  readonly zookeeperPort: number;
  readonly voters: readonly { id: number; address: string }[];
  readonly secrets: Secrets;
  readonly folder: string;
}

export function settingsOf(broker: NodePlace, surroundings: Surroundings): Record<string, string> {
  const { voters, secrets, folder, brokers: count = 3, config = {} } = surroundings;
  const { rack: rackOf = (id: number) => `rack-${id}` } = surroundings;
  const rack = rackOf(broker.id);
  const replication = String(Math.min(3, count));
  return {
    ...(surroundings.zookeeper === true
      ? {
          'broker.id': String(broker.id),
          'zookeeper.connect': `localhost:${surroundings.zookeeperPort}`,
          'zookeeper.connection.timeout.ms': '60000',
          'listener.security.protocol.map': 'INTERNAL:SSL',
          listeners: `INTERNAL://localhost:${broker.port}`,
        }
      : quorumSettings(broker, voters)),
    ...(rack === undefined ? {} : { 'broker.rack': rack }),
    'advertised.listeners': `INTERNAL://localhost:${broker.port}`,
    'inter.broker.listener.name': 'INTERNAL',
    'ssl.client.auth': 'required',
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': join(folder, 'keystore.p12'),
    'ssl.keystore.password': secrets.password,
    'ssl.key.password': secrets.password,
    'ssl.truststore.type': 'PKCS12',
    'ssl.truststore.location': join(folder, 'truststore.p12'),
    'ssl.truststore.password': secrets.password,
    'log.dirs': broker.dirs.join(','),
    'offsets.topic.replication.factor': replication,
    'transaction.state.log.replication.factor': replication,
    'transaction.state.log.min.isr': '1',
    ...usual,
    ...config,
  };
}

function quorumSettings(broker: NodePlace, voters: Surroundings['voters']): Record<string, string> {
  const voter = voters.find(({ id }) => id === broker.id);
  return {
    'process.roles': voter === undefined ? 'broker' : 'broker,controller',
    'node.id': String(broker.id),
    'controller.quorum.voters': voters.map(({ id, address }) => `${id}@${address}`).join(','),
    listeners: [
      `INTERNAL://localhost:${broker.port}`,
      ...(voter === undefined ? [] : [`CONTROLLER://${voter.address}`]),
    ].join(','),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'INTERNAL:SSL,CONTROLLER:SSL',
    'metadata.log.dir': join(broker.folder, 'metadata'),
  };
}

/** Settings of a ZooKeeper of its own; a session waits for no disk, on which other tests may be at work. */
export const zookeeperSettings = (folder: string, port: number): string =>
  `dataDir=${folder}\nclientPort=${port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\nforceSync=no\n`;

/** What the format step would write, without the seconds that it takes. */
export async function prepare(
  broker: NodePlace,
  home: string,
  settings: Record<string, string>,
): Promise<void> {
  await mkdir(broker.folder);
  const text = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(broker.folder, 'server.properties'), text.join(''));
  const metadata = settings['metadata.log.dir'];
  if (metadata === undefined) return;
  for (const dir of [metadata, ...broker.dirs]) {
    await mkdir(dir);
    // A leading 0 keeps clear of the reserved ids and of a leading dash.
    const id = `0${randomBytes(16).toString('base64url').slice(1, 21)}A`;
    const properties = { version: 1, 'cluster.id': clusterId, 'node.id': broker.id, 'directory.id': id };
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(join(dir, 'meta.properties'), lines.join(''));
  }
  await copyFile(join(home, bootstrapFile), join(metadata, bootstrapFile));
}

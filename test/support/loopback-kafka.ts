import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import type * as kafkajs from 'kafkajs';
import {
  type ClientTls,
  type KafkaAdmin,
  type KafkaControllers,
  connectAdmin,
  connectControllers,
} from '../../src/kafka/index.ts';
import { isAlive, startTimeOf } from '../cluster/processes.ts';
import type { KafkaLine } from '../cluster/versions.ts';
import { freePorts, javaCommand, javaOptions, javaVersion, kafkaHome, sharedArchive } from './kafka-home.ts';
import {
  type LoopbackOptions,
  type NodePlace,
  makeSecrets,
  prepare,
  settingsOf,
  zookeeperSettings,
} from './loopback-settings.ts';
import { until } from './until.ts';

export type { LoopbackOptions } from './loopback-settings.ts';

const { Kafka, logLevel } = createRequire(import.meta.url)('kafkajs') as typeof kafkajs;

/** Real brokers on this machine's loopback, with mutual TLS on their one listener, INTERNAL. */
export interface LoopbackKafka {
  readonly ids: readonly number[];
  readonly bootstrap: readonly string[];
  readonly tls: ClientTls;
  /** A client of the warden's; closed with the cluster. */
  admin(): KafkaAdmin;
  /** A client of the controllers; closed with the cluster. */
  controllers(): KafkaControllers;
  /** A client as applications have, with the same certificate. */
  client(): kafkajs.Kafka;
  /** Replicas by partition; waits until each has a leader that the brokers know. */
  createTopic(
    topic: string,
    replicas: readonly (readonly number[])[],
    config?: Readonly<Record<string, string>>,
  ): Promise<void>;
  logDirs(id: number): readonly string[];
  /** What a broker has printed so far. */
  printed(id: number): Promise<string>;
  /** Starts a broker, and waits until the cluster lists it. */
  start(id: number): Promise<void>;
  /** Controlled shutdown. */
  stop(id: number): Promise<void>;
  /** SIGKILL. */
  kill(id: number): Promise<void>;
  restart(id: number): Promise<void>;
  /** Restarts one broker after the other with another line of Kafka, which later starts use too. */
  upgrade(to: KafkaLine): Promise<void>;
  /** SIGSTOP: it answers nothing, and its connections stay open. */
  pause(id: number): void;
  /** SIGCONT. */
  resume(id: number): void;
  /** Ends every broker and removes all files. */
  end(): Promise<void>;
}

/** Why no brokers can be started here; nothing where they can. For the `skip` of tests. */
export async function loopbackUnavailable(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'brokers on loopback need Linux (setpriv)';
  if ((await javaVersion()) !== undefined) return undefined;
  return 'brokers on loopback need Java 17 or later (java on the PATH, or JAVA_HOME)';
}

/** A program with a folder of its own, in which its settings and what it prints are. */
interface Node {
  readonly folder: string;
  process: ChildProcess | undefined;
}
type Broker = Node & NodePlace;

const prefix = 'kafka-warden-loopback-';

/** Starts brokers. What of them is left when this process ends, however it ends, dies with it. */
export async function startLoopback(options: LoopbackOptions = {}): Promise<LoopbackKafka> {
  const { line = '4.1', brokers: count = 3, started } = options;
  const home = await kafkaHome(line);
  let software = { line, home };
  removeLeftovers();
  const mark = `${prefix}${process.pid}-${startTimeOf(process.pid) ?? '0'}-`;
  const folder = await mkdtemp(join(tmpdir(), mark));
  const secrets = await makeSecrets(folder);
  const ports = await freePorts(count * 2 + 1);
  const zookeeperPort = ports.at(-1)!;
  const brokers = Array.from({ length: count }, (_, id): Broker => {
    const own = join(folder, String(id));
    const dirs = Array.from({ length: options.logDirs ?? 1 }, (_, index) => join(own, `data-${index}`));
    return { id, port: ports[id]!, folder: own, dirs, process: undefined };
  });
  const voterCount = count < 3 ? 1 : 3;
  const voters = brokers
    .slice(0, voterCount)
    .map(({ id }) => ({ id, address: `localhost:${ports[count + id]}` }));
  for (const broker of brokers)
    await prepare(broker, home, settingsOf(broker, { ...options, voters, secrets, folder, zookeeperPort }));
  const zookeeper = options.zookeeper === true ? await prepareZookeeper(folder, zookeeperPort) : undefined;
  const nodes: Node[] = zookeeper === undefined ? brokers : [...brokers, zookeeper];

  const bootstrap = brokers.map(({ port }) => `localhost:${port}`);
  const clients: { close(): Promise<void> }[] = [];
  const admin = (): KafkaAdmin => {
    const one = connectAdmin({ bootstrap, tls: secrets.tls });
    clients.push(one);
    return one;
  };
  const own = admin();
  const find = (id: number): Broker => {
    const found = brokers.find((broker) => broker.id === id);
    if (found === undefined) throw new Error(`There is no broker ${id}: ids are 0 to ${count - 1}`);
    return found;
  };

  const end = async (): Promise<void> => {
    process.off('exit', endAtOnce);
    await Promise.all(clients.map((one) => one.close()));
    await Promise.all(nodes.map((node) => signal(node, 'SIGKILL')));
    rmSync(folder, { recursive: true, force: true });
  };
  const endAtOnce = (): void => {
    for (const node of nodes) node.process?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', endAtOnce);

  const launch = (node: Node, main: string): void => {
    if (node.process !== undefined) throw new Error(`${node.folder} runs already`);
    const log = openSync(join(node.folder, 'log'), 'a');
    const { line, home } = software;
    const java = [javaCommand(), ...javaOptions(line, home, sharedArchive(home))];
    const args = ['--pdeathsig', 'KILL', ...java, main, join(node.folder, 'server.properties')];
    const child = spawn('setpriv', args, { cwd: home, stdio: ['ignore', log, log] });
    closeSync(log);
    child.on('error', () => undefined);
    child.once('exit', () => (node.process = undefined));
    node.process = child;
  };
  const listed = async (broker: Broker): Promise<void> => {
    const outcome = await until(
      `broker ${broker.id} is in the cluster`,
      async () => {
        if (broker.process === undefined) return 'ended';
        const { brokers: present } = await own.describeCluster();
        return present.some(({ id, fenced }) => id === broker.id && fenced !== true) && 'listed';
      },
      { timeoutMs: 180_000, everyMs: 200 },
    );
    if (outcome === 'listed') return;
    const printed = (await printedBy(broker)).slice(-3_000);
    throw new Error(`Broker ${broker.id} has ended; it printed last:\n${printed}`);
  };
  const start = async (id: number): Promise<void> => {
    launch(find(id), 'kafka.Kafka');
    await listed(find(id));
  };

  const kafka: LoopbackKafka = {
    ids: brokers.map(({ id }) => id),
    bootstrap,
    tls: secrets.tls,
    admin,
    controllers: () => {
      const quorum = voters.map(({ address }) => address);
      const one = connectControllers({ bootstrap: quorum, tls: secrets.tls });
      clients.push(one);
      return one;
    },
    client: () =>
      new Kafka({
        clientId: 'application',
        brokers: [...bootstrap],
        ssl: { ca: secrets.tls.caPem, cert: secrets.tls.certificatePem, key: secrets.tls.privateKeyPem },
        logLevel: logLevel.NOTHING,
        retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 2_000 },
      }),
    createTopic: async (topic, replicas, config = {}) => {
      const client = kafka.client().admin();
      await client.connect();
      try {
        const replicaAssignment = replicas.map((list, partition) => ({ partition, replicas: [...list] }));
        const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
        await client.createTopics({
          waitForLeaders: false,
          topics: [{ topic, replicaAssignment, configEntries }],
        });
      } finally {
        await client.disconnect();
      }
      await until(
        `${topic} has leaders`,
        async () => {
          const [found] = await own.topics([topic]);
          const partitions = found?.partitions ?? [];
          return partitions.length === replicas.length && partitions.every(({ leader }) => leader >= 0);
        },
        { everyMs: 100 },
      );
    },
    logDirs: (id) => find(id).dirs,
    printed: (id) => printedBy(find(id)),
    start,
    stop: (id) => signal(find(id), 'SIGTERM'),
    kill: (id) => signal(find(id), 'SIGKILL'),
    pause: (id) => void find(id).process?.kill('SIGSTOP'),
    resume: (id) => void find(id).process?.kill('SIGCONT'),
    restart: async (id) => {
      await signal(find(id), 'SIGTERM');
      await start(id);
    },
    upgrade: async (to) => {
      software = { line: to, home: await kafkaHome(to) };
      for (const { id } of brokers) await kafka.restart(id);
    },
    end,
  };

  try {
    const first = brokers.filter(({ id }) => started?.includes(id) ?? true);
    if (zookeeper !== undefined) launch(zookeeper, 'org.apache.zookeeper.server.quorum.QuorumPeerMain');
    for (const broker of first) launch(broker, 'kafka.Kafka');
    for (const broker of first) await listed(broker);
    return kafka;
  } catch (error) {
    await end();
    throw error;
  }
}

const printedBy = ({ folder }: Node): Promise<string> =>
  readFile(join(folder, 'log'), 'utf8').catch(() => '');

async function signal(broker: Node, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const child = broker.process;
  if (child === undefined) return;
  const exit = once(child, 'exit');
  child.kill(name);
  await exit;
}

async function prepareZookeeper(folder: string, port: number): Promise<Node> {
  const own = join(folder, 'zookeeper');
  await mkdir(own);
  await writeFile(join(own, 'server.properties'), zookeeperSettings(own, port));
  return { folder: own, process: undefined };
}

/** Folders of processes that were killed and could not clean up; their brokers have died with them. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid, startTime] = new RegExp(`^${prefix}(\\d+)-(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid), startTime))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

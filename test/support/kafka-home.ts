import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artefact } from '../cluster/artefact.ts';
import { checkout, ownFile } from '../cluster/checkout.ts';
import { run, tryRun } from '../cluster/command.ts';
import { layoutIn } from '../cluster/recipes/image.ts';
import { kafkaImage } from '../cluster/recipes/kafka.ts';
import { installPackages } from '../cluster/recipes/packages.ts';
import type { KafkaLine } from '../cluster/versions.ts';
import { until } from './until.ts';

/** The cluster that every home formats for. */
export const clusterId = '5L6g3nShT-eMCtK--X86sw';

const logging: Record<KafkaLine, { file: string; option: string }> = {
  '3.9': { file: 'log4j.properties', option: '-Dlog4j.configuration=file:' },
  '4.1': { file: 'log4j2.yaml', option: '-Dlog4j2.configurationFile=' },
};

const archive = 'kafka.jsa';
export const bootstrapFile = 'bootstrap.checkpoint';

export const javaCommand = (): string => {
  const home = process.env['JAVA_HOME'] ?? '';
  return home === '' ? 'java' : join(home, 'bin/java');
};

/** What `java -version` says, where it is a Java that Kafka runs on. */
export async function javaVersion(): Promise<string | undefined> {
  const { code, stderr } = await tryRun(javaCommand(), ['-version']).catch(() => ({ code: 1, stderr: '' }));
  const [, major] = /version "(\d+)/.exec(stderr) ?? [];
  return code === 0 && Number(major) >= 17 ? stderr : undefined;
}

/** Options of a small and quickly started JVM; the class path is relative, so that the archive of classes fits anywhere. */
export const javaOptions = (line: KafkaLine, home: string, sharing: string): string[] => [
  ...['-Xmx320m', '-Xms64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true'],
  ...[sharing, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'],
  `${logging[line].option}${join(home, logging[line].file)}`,
  ...['-cp', 'libs/*'],
];

export const sharedArchive = (home: string): string => `-XX:SharedArchiveFile=${join(home, archive)}`;

/**
 * Kafka's jars from the test cluster's image, with the classes that a start loads (half of its time) and the first
 * metadata record as the format step writes it, so that no node needs that step.
 */
export async function kafkaHome(line: KafkaLine): Promise<string> {
  await installPackages();
  const image = await kafkaImage(line);
  return artefact({
    name: `kafka-home-${line}`,
    inputs: [image, (await javaVersion()) ?? '', await readFile(import.meta.filename, 'utf8')],
    build: async (folder) => {
      const layer = await topLayer(layoutIn(image));
      await run('tar', ['-xzf', layer, '-C', folder, '--strip-components=2', 'opt/kafka/libs']);
      const file = logging[line].file;
      await cp(join(checkout, ownFile('kafka-image', line, file)), join(folder, file));
      await startOnce(line, folder);
    },
  });
}

async function topLayer(layout: string): Promise<string> {
  const blob = (digest: string) => join(layout, 'blobs', digest.replace(':', '/'));
  const read = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8')) as T;
  const { manifests } = await read<{ manifests: { digest: string }[] }>(join(layout, 'index.json'));
  const { layers } = await read<{ layers: { digest: string }[] }>(blob(manifests[0]!.digest));
  return blob(layers.at(-1)!.digest);
}

async function startOnce(line: KafkaLine, home: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'kafka-warden-home-'));
  const [port, controllerPort] = await freePorts(2);
  const settings = join(work, 'server.properties');
  const data = join(work, 'data');
  await mkdir(data);
  await writeFile(
    settings,
    [
      'process.roles=broker,controller',
      'node.id=0',
      `controller.quorum.voters=0@localhost:${controllerPort}`,
      `listeners=PLAINTEXT://localhost:${port},CONTROLLER://localhost:${controllerPort}`,
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      `log.dirs=${data}`,
    ].join('\n'),
  );
  const java = (sharing: string, ...rest: string[]) => [...javaOptions(line, home, sharing), ...rest];
  try {
    const format = java('-Xshare:auto', 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settings);
    await run(javaCommand(), format, { cwd: home });
    await cp(join(data, bootstrapFile), join(home, bootstrapFile));
    const sharing = `-XX:ArchiveClassesAtExit=${join(home, archive)}`;
    const broker = spawn(javaCommand(), java(sharing, 'kafka.Kafka', settings), {
      cwd: home,
      stdio: 'ignore',
    });
    const exit = once(broker, 'exit');
    try {
      await until('the broker that is to be archived listens', () => listens(port!));
    } finally {
      broker.kill('SIGTERM');
      await exit;
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, 'localhost', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** Ports that nobody listens on, below those that the system gives to outgoing connections. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(12_000, 32_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, 'localhost', () => server.close(() => resolve(true)));
  });

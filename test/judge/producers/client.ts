// The judge's kafkajs client, which runs as a process of its own, on this machine or in a pod.
//   node client.ts SETTINGS VERB [N], SETTINGS being JSON of `ClientSettings`, VERB one of
//   create     makes the topic: 3 replicas, min.insync.replicas 2, and waits for its leaders
//   produce    sends to every partition until the stop file appears; writes a `Tally` to the results file
//   follow     reads along in a consumer group; when the file read-up-to appears, to the ends of that moment, then writes following.json
//   read       writes every value of the topic to reading.json, as a `Reading`
//   serving N  ends when the cluster has N brokers, fails after two minutes
//   in-sync N  ends when every partition has all its replicas in sync, fails after N seconds
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as tlsModule from 'node:tls';
import type * as kafkajs from 'kafkajs';
import type { ClientSettings, Reading, Rejection, Tally } from './tally.ts';

const [given = '{}', verb = '', number = '60'] = process.argv.slice(2);
const settings = JSON.parse(given) as ClientSettings;
const { topic, partitions, secret } = settings;
// In a pod this file is mounted beside the image's own modules.
const modules = process.env['JUDGE_MODULES'] ?? import.meta.filename;
const { Kafka, logLevel } = createRequire(modules)('kafkajs') as typeof kafkajs;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const read = (key: string) => readFileSync(`${secret}/${key}`, 'utf8').trim();

const kafka = new Kafka({
  clientId: 'judge',
  brokers: (settings.bootstrap ?? read('bootstrap.servers')).split(','),
  logLevel: logLevel.NOTHING,
  connectionTimeout: 3_000,
  requestTimeout: 10_000,
  retry: { retries: 30, maxRetryTime: 5_000 },
  ...(secret === undefined ? {} : { ssl: tls(), ...sasl() }),
});

function tls(): tlsModule.ConnectionOptions {
  const own = existsSync(`${secret}/tls.key`) ? { cert: read('tls.crt'), key: read('tls.key') } : {};
  return { ca: [read('ca.crt')], ...own };
}

function sasl(): { sasl?: kafkajs.SASLOptions } {
  if (!existsSync(`${secret}/username`)) return {};
  return { sasl: { mechanism: 'scram-sha-512', username: read('username'), password: read('password') } };
}

/** Polls the topic's metadata until it is as it should be; a broker that has not heard of a new topic yet makes kafkajs give up at once. */
async function waitFor(
  admin: kafkajs.Admin,
  isGood: (partition: kafkajs.PartitionMetadata) => boolean,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const known = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
    const found = known?.topics[0]?.partitions ?? [];
    if (found.length === partitions && found.every(isGood)) return;
    if (Date.now() > deadline) throw new Error(`${topic} was not so within ${timeoutMs / 1000} s`);
    await pause(250);
  }
}

const allInSync = ({ isr, replicas }: kafkajs.PartitionMetadata): boolean => isr.length === replicas.length;

async function withAdmin(use: (admin: kafkajs.Admin) => Promise<void>): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await use(admin);
  await admin.disconnect();
}

const create = () =>
  withAdmin(async (admin) => {
    const { assignment, configs = { 'min.insync.replicas': '2' } } = settings;
    const shape =
      assignment === undefined
        ? { numPartitions: partitions, replicationFactor: 3 }
        : {
            replicaAssignment: assignment.map((replicas, partition) => ({
              partition,
              replicas: [...replicas],
            })),
          };
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await patiently(() =>
      // False where it is there already: an attempt whose answer was lost.
      admin.createTopics({ waitForLeaders: false, topics: [{ topic, ...shape, configEntries }] }),
    );
    await waitFor(admin, (one) => one.leader >= 0 && allInSync(one), 60_000);
  });

interface Turn {
  readonly producer: kafkajs.Producer;
  readonly partition: number;
  readonly stopped: () => boolean;
}

interface Account {
  sent: number;
  readonly acknowledged: string[];
  readonly rejected: Rejection[];
  readonly gap: { ms: number; partition: number; atMs: number };
}

/** One partition's messages, one after the other, each numbered, so that no retry can overtake another message. */
async function produceTo({ producer, partition, stopped }: Turn, account: Account): Promise<void> {
  let lastMs = Date.now();
  const noteGap = () => {
    const ms = Date.now() - lastMs;
    if (ms > account.gap.ms) Object.assign(account.gap, { ms, partition, atMs: lastMs });
  };
  // Partitions begin spread over the interval, not all at once.
  await pause((settings.intervalMs * partition) / partitions);
  for (let number = 0; !stopped(); number++) {
    const startedMs = Date.now();
    const value = `k.${partition}.${number}`;
    account.sent++;
    try {
      await producer.send({ topic, acks: -1, timeout: 10_000, messages: [{ partition, value }] });
      account.acknowledged.push(value);
      if (account.acknowledged.length === 1) writeFileSync(`${settings.folder}/kafkajs.first`, value);
      noteGap();
      lastMs = Date.now();
    } catch (error) {
      account.rejected.push({ value, reason: (error as Error).message });
    }
    await pause(Math.max(0, settings.intervalMs - (Date.now() - startedMs)));
  }
  noteGap();
}

async function produce(): Promise<void> {
  const producer = kafka.producer({ idempotent: false, retry: { retries: 30, maxRetryTime: 5_000 } });
  await producer.connect();
  const account: Account = {
    sent: 0,
    acknowledged: [],
    rejected: [],
    gap: { ms: 0, partition: 0, atMs: 0 },
  };
  let stop = false;
  // Where the folder is gone, whoever asked for this is too.
  const watch = setInterval(() => {
    stop = existsSync(`${settings.folder}/stop`) || !existsSync(settings.folder);
  }, 200);
  const all = Array.from({ length: partitions }, (_, partition) =>
    produceTo({ producer, partition, stopped: () => stop }, account),
  );
  await Promise.all(all);
  clearInterval(watch);
  await producer.disconnect().catch(() => undefined);
  const { gap, ...counted } = account;
  const tally: Tally = { client: 'kafkajs', ...counted, longestGapMs: gap.ms, longestGapAt: gap };
  leave('kafkajs', tally);
}

/** kafkajs gives some errors up at once that pass by themselves, such as a broker that has not heard of the topic yet. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 60_000; ; await pause(500))
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
}

/** Where each partition ends now; those that never had a message are left out. */
async function endsNow(): Promise<Map<number, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await patiently(() => admin.fetchTopicOffsets(topic));
  await admin.disconnect();
  return new Map(
    offsets.flatMap(({ partition, high, low }): [number, bigint][] =>
      BigInt(high) > BigInt(low) ? [[partition, BigInt(high)]] : [],
    ),
  );
}

interface Reader {
  readonly values: string[];
  /** The offset after the last one read, by partition. */
  readonly next: ReadonlyMap<number, bigint>;
}

/** A consumer group of one member that reads from the beginning until this process ends. */
async function startReading(group: string, autoCommit: boolean): Promise<Reader> {
  const consumer = kafka.consumer({ groupId: group, retry: { retries: 30, maxRetryTime: 5_000 } });
  const values: string[] = [];
  const next = new Map<number, bigint>();
  await consumer.connect();
  await patiently(() => consumer.subscribe({ topics: [topic], fromBeginning: true }));
  await consumer.run({
    autoCommit,
    eachBatch: async ({ batch: { partition, messages } }) => {
      for (const { value } of messages) values.push(value?.toString() ?? '');
      next.set(partition, BigInt(messages.at(-1)?.offset ?? -1) + 1n);
    },
  });
  return { values, next };
}

/** Partitions that were not read to these ends within two minutes. */
async function unreadAt(ends: ReadonlyMap<number, bigint>, { next }: Reader): Promise<number[]> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const open = [...ends].filter(([partition, end]) => (next.get(partition) ?? 0n) < end);
    if (open.length === 0 || Date.now() > deadline)
      return open.map(([partition]) => partition).sort((a, b) => a - b);
    await pause(100);
  }
}

/** A file appears whole, or not at all. */
function leave(name: string, content: Tally | Reading): void {
  writeFileSync(`${settings.folder}/${name}.partial`, JSON.stringify(content));
  renameSync(`${settings.folder}/${name}.partial`, `${settings.folder}/${name}.json`);
}

function leaveReading(name: string, values: readonly string[]): void {
  const unique = [...new Set(values)];
  leave(name, { values: unique, duplicates: values.length - unique.length });
}

/** Reads to the ends that the partitions have now. Fails where a partition cannot be read for two minutes. */
async function readAll(): Promise<void> {
  const ends = await endsNow();
  const reader = await startReading(settings.group, false);
  const unread = await unreadAt(ends, reader);
  if (unread.length > 0) throw new Error(`not read within two minutes: partitions ${unread.join(', ')}`);
  leaveReading('reading', reader.values);
}

/** What cannot be read is missing in what is left behind, and said on standard error. */
async function follow(): Promise<void> {
  const reader = await startReading(`${settings.group}-along`, true);
  while (!existsSync(`${settings.folder}/read-up-to`)) {
    if (!existsSync(settings.folder)) return;
    await pause(200);
  }
  const unread = await unreadAt(await endsNow(), reader);
  if (unread.length > 0) console.error(`not read within two minutes: partitions ${unread.join(', ')}`);
  leaveReading('following', reader.values);
}

const serving = () =>
  withAdmin(async (admin) => {
    for (const deadline = Date.now() + 120_000; ; await pause(250)) {
      const { brokers } = await patiently(() => admin.describeCluster());
      if (brokers.length === Number(number)) return;
      if (Date.now() > deadline) throw new Error(`${brokers.length} brokers serve, not ${number}`);
    }
  });

const verbs: Record<string, () => Promise<void>> = {
  create,
  produce,
  follow,
  read: readAll,
  serving,
  'in-sync': () => withAdmin((admin) => waitFor(admin, allInSync, Number(number) * 1000)),
};
const act = verbs[verb];
if (act === undefined) throw new Error(`There is no verb ${verb}: ${Object.keys(verbs).join(', ')}.`);
await act();
process.exit(0);

// An ordinary application: kafkajs, with what the Secret of a KafkaUser has. Runs in a pod beside the cluster.
//   node client.ts produce TOPIC COUNT | consume TOPIC GROUP COUNT | connect [plain|anonymous]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as kafkajs from 'kafkajs';

const { Kafka, logLevel } = createRequire('/app/package.json')('kafkajs') as typeof kafkajs;
const secret = (key: string) => readFileSync(`/etc/kafka-user/${key}`, 'utf8').trim();
const [verb = '', ...rest] = process.argv.slice(2);
const broker = process.env['BOOTSTRAP'] ?? secret('bootstrap.servers');

type Kind = 'plain' | 'anonymous' | 'user';
const security: Record<Kind, Pick<kafkajs.KafkaConfig, 'ssl' | 'sasl'>> = {
  plain: {},
  anonymous: { ssl: { ca: [secret('ca.crt')] } },
  user: {
    ssl: { ca: [secret('ca.crt')] },
    sasl: { mechanism: 'scram-sha-512', username: secret('username'), password: secret('password') },
  },
};
const client = (kind: Kind, retries: number) =>
  new Kafka({
    clientId: 'application',
    brokers: broker.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 10_000,
    retry: { retries, maxRetryTime: 5000 },
    ...security[kind],
  });

/**
 * Waits until a broker knows a leader for each partition. kafkajs gives up at once where the broker that it asks has not heard of
 * the new topic yet.
 */
async function leaders(admin: kafkajs.Admin, topic: string, count: number) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const known = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
    const partitions = known?.topics[0]?.partitions ?? [];
    if (partitions.length === count && partitions.every(({ leader }) => leader >= 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${topic} has no leaders after 20 s`);
}

async function produce(topic: string, count: number) {
  const kafka = client('user', 20);
  const admin = kafka.admin();
  await admin.connect();
  const numPartitions = 6;
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic, numPartitions, replicationFactor: Number(process.env['RF'] ?? -1) }],
  });
  await leaders(admin, topic, numPartitions);
  await admin.disconnect();
  const producer = kafka.producer({ retry: { retries: 30, maxRetryTime: 5000 } });
  await producer.connect();
  for (let from = 0; from < count; from += 100) {
    const messages = Array.from({ length: Math.min(100, count - from) }, (_, i) => ({
      key: String(from + i),
      value: `message ${from + i}`,
    }));
    await producer.send({ topic, acks: -1, messages });
  }
  await producer.disconnect();
  console.log(JSON.stringify({ produced: count }));
}

/**
 * Reads until it has seen that many different messages. Where leaders move while kafkajs begins to fetch (each move has it join
 * the group again), it may never ask one of the brokers: what was written is there all the same, and a consumer that is started
 * anew, as an application's would be, reads it.
 */
async function consume(topic: string, groupId: string, count: number) {
  const kafka = client('user', 20);
  const seen = new Set<string>();
  const byPartition = new Map<number, number>();
  const attempts = 3;
  for (let attempt = 1; attempt <= attempts && seen.size < count; attempt++) {
    const consumer = kafka.consumer({ groupId: attempt === 1 ? groupId : `${groupId}-${attempt}` });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const done = new Promise<void>((resolve) => {
      setTimeout(resolve, 40_000).unref();
      void consumer.run({
        eachMessage: async ({ message, partition }) => {
          const value = message.value?.toString() ?? '';
          if (!seen.has(value)) byPartition.set(partition, (byPartition.get(partition) ?? 0) + 1);
          seen.add(value);
          if (seen.size >= count) resolve();
        },
      });
    });
    await done;
    await Promise.race([consumer.disconnect(), new Promise((resolve) => setTimeout(resolve, 5_000))]);
  }
  if (seen.size < count)
    throw new Error(
      `consumed ${seen.size} of ${count} in ${attempts} attempts; by partition: ${JSON.stringify([...byPartition])}`,
    );
  console.log(JSON.stringify({ consumed: seen.size }));
}

async function connect(kind: Kind = 'user') {
  const admin = client(kind, 0).admin();
  try {
    await admin.connect();
    const topics = await admin.listTopics();
    console.log(JSON.stringify({ connected: true, topics }));
    await admin.disconnect();
  } catch (error) {
    console.log(JSON.stringify({ connected: false, error: (error as Error).message }));
  }
}

const [first = '', second = '', third = ''] = rest;
if (verb === 'produce') await produce(first, Number(second));
else if (verb === 'consume') await consume(first, second, Number(third));
else if (verb === 'connect') await connect(first as Kind);
else throw new Error(`there is no verb ${verb}`);
process.exit(0);

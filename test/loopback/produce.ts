import type { Producer } from 'kafkajs';
import type { LoopbackKafka } from '../support/loopback-kafka.ts';

export interface Load {
  readonly partition?: number;
  readonly records: number;
  readonly valueBytes: number;
  /** Records in each batch; all in one unless given. */
  readonly batch?: number;
  /** kafkajs' number of the codec: 0 none, 1 gzip. */
  readonly compression?: 0 | 1;
  readonly key?: (index: number) => string;
}

/** Text that is unlike its neighbours, yet compresses a little. */
const valueOf = (index: number, bytes: number): string =>
  `${index}-`.padEnd(bytes, String.fromCharCode(97 + (index % 26)));

/** Sends records with acks from all in-sync replicas. */
export async function send(producer: Pick<Producer, 'send'>, topic: string, load: Load): Promise<void> {
  const { partition = 0, records, valueBytes, batch = records, compression = 0, key } = load;
  for (let from = 0; from < records; from += batch) {
    const messages = Array.from({ length: Math.min(batch, records - from) }, (_, offset) => ({
      partition,
      key: key?.(from + offset) ?? null,
      value: valueOf(from + offset, valueBytes),
    }));
    await producer.send({ topic, acks: -1, compression, messages });
  }
}

/** Runs with a connected producer. */
export async function withProducer<T>(
  kafka: LoopbackKafka,
  run: (producer: Producer) => Promise<T>,
): Promise<T> {
  const producer = kafka.client().producer();
  await producer.connect();
  try {
    return await run(producer);
  } finally {
    await producer.disconnect();
  }
}

import { type Reader, protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka';
import { KafkaError } from './errors.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Why one of many things that were asked for in a call was not done: Kafka's name of the refusal, and its words. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** What became of one partition; without `error` it was done. */
export interface PartitionOutcome extends TopicPartition {
  readonly error?: Refusal;
}

/** As many partitions as one request names: answers stay near a megabyte, and the controller's batches small. */
export const partitionsPerRequest = 2_000;

export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** The form that requests have: topics with their partitions. */
export function byTopic<T extends TopicPartition>(
  partitions: readonly T[],
): { topic: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const one of partitions) {
    const found = topics.get(one.topic);
    if (found === undefined) topics.set(one.topic, [one]);
    else found.push(one);
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }));
}

/** The form that answers have, one behind the other: what `read` makes of each partition, at its number. */
export function readByTopic<T>(reader: Reader, read: (one: Reader, topic: string) => T): T[] {
  return reader
    .readArray((topics) => {
      const topic = topics.readString();
      return topics.readArray((one) => read(one, topic));
    })
    .flat();
}

export const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** Kafka's name of an error code; a number that this client does not know stays one. */
export const reasonOf = (code: number): string => protocolErrorsCodesById[code] ?? `error ${code}`;

/** Undefined for the code 0. */
export function refusalOf(code: number, message: string | null): Refusal | undefined {
  if (code === 0) return undefined;
  const reason = reasonOf(code);
  const known = protocolErrors[reason]?.message ?? reason;
  return { reason, message: message === null || message === '' ? known : message };
}

export const outcomeOf = (
  { topic, partition }: TopicPartition,
  error: Refusal | undefined,
): PartitionOutcome => (error === undefined ? { topic, partition } : { topic, partition, error });

/** A failed call, as what became of each thing that it asked for. */
export const refusalFrom = (error: KafkaError): Refusal => ({
  reason: error.reason ?? error.code,
  message: error.problem,
});

/**
 * Asks for many partitions, some in each request. Throws where the first request fails; where a later one does, its
 * partitions are told as refused, since what went before has been done.
 */
export async function inRequests<T extends TopicPartition>(
  partitions: readonly T[],
  ask: (some: readonly T[]) => Promise<PartitionOutcome[]>,
): Promise<PartitionOutcome[]> {
  const outcomes: PartitionOutcome[] = [];
  for (const some of chunksOf(partitions, partitionsPerRequest)) {
    try {
      outcomes.push(...(await ask(some)));
    } catch (error) {
      if (!(error instanceof KafkaError) || outcomes.length === 0) throw error;
      outcomes.push(...some.map((one) => outcomeOf(one, refusalFrom(error))));
    }
  }
  return outcomes;
}

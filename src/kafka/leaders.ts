import type { Ask } from './ask.ts';
import { KafkaError } from './errors.ts';
import { type TopicPartition, chunksOf, partitionKey } from './partitions.ts';
import { describeTopics } from './topics.ts';

/** Partitions by the broker that leads them; those without a leader are left out. */
async function byLeader<T extends TopicPartition>(
  ask: Ask,
  partitions: readonly T[],
): Promise<Map<number, T[]>> {
  const topics = await describeTopics(ask, [...new Set(partitions.map(({ topic }) => topic))]);
  const leaderOf = new Map(
    topics.flatMap(({ name, partitions: known }) =>
      known.map(({ index, leader }) => [partitionKey({ topic: name, partition: index }), leader]),
    ),
  );
  const groups = new Map<number, T[]>();
  for (const one of partitions) {
    const leader = leaderOf.get(partitionKey(one)) ?? -1;
    if (leader < 0) continue;
    const group = groups.get(leader);
    if (group === undefined) groups.set(leader, [one]);
    else group.push(one);
  }
  return groups;
}

/**
 * Asks every leader about its own partitions, so many in each request. A leader that cannot be reached is about to lose
 * its partitions: they are left out as those without a leader are.
 */
export async function askLeaders<T extends TopicPartition, R>(
  ask: Ask,
  { partitions, perRequest }: { partitions: readonly T[]; perRequest: number },
  question: (leader: number, some: readonly T[]) => Promise<R[]>,
): Promise<R[]> {
  if (partitions.length === 0) return [];
  const groups = await byLeader(ask, partitions);
  const answers = await Promise.all(
    [...groups].map(async ([leader, own]) => {
      const found: R[] = [];
      for (const some of chunksOf(own, perRequest)) {
        try {
          found.push(...(await question(leader, some)));
        } catch (error) {
          if (isAway(error)) return found;
          throw error;
        }
      }
      return found;
    }),
  );
  return answers.flat();
}

const isAway = (error: unknown): boolean =>
  error instanceof KafkaError && (error.code === 'kafka-unreachable' || error.code === 'kafka-timeout');

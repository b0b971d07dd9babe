import {
  type BrokerFacts,
  type KafkaAdmin,
  KafkaError,
  type LogDir,
  type Topic,
  type TopicPartition,
  partitionKey,
} from '../kafka/index.ts';
import type { ClusterSample } from './sample.ts';

/** The calls that a sample needs. */
export type Sampled = Pick<
  KafkaAdmin,
  | 'committedOffsets'
  | 'describeCluster'
  | 'describeLogDirs'
  | 'listOffsets'
  | 'listReassignments'
  | 'tailBytesPerOffset'
  | 'topics'
>;

export interface SampleOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** The sample before: what has been written since is measured, and what is known of the rest is kept. */
  readonly earlier?: ClusterSample;
  /** Asks for what consumer groups have committed too. */
  readonly readRates?: boolean;
  /** Partitions whose log is looked at, those with most new offsets first; 20,000 (40 MB) unless given. */
  readonly mostTails?: number;
}

/**
 * Asks a cluster for all that its balance model is made of. A broker that does not answer leaves a gap that the sample
 * names; throws a `KafkaError` where no broker answers at all.
 */
export async function sampleCluster(admin: Sampled, options: SampleOptions): Promise<ClusterSample> {
  const problems: string[] = [];
  const [cluster, topics, reassignments] = await Promise.all([
    admin.describeCluster(),
    admin.topics(),
    admin.listReassignments(),
  ]);
  const brokers = await Promise.all(
    cluster.brokers
      .filter(({ fenced }) => fenced !== true)
      .map(async ({ id, rack }) => ({ id, rack, dirs: await dirsOf(admin, id, problems) })),
  );
  const before = options.now();
  const offsets = await admin.listOffsets('latest', partitionsOf(topics));
  const takenAtMs = (before + options.now()) / 2;
  const latest = new Map(offsets.map(({ offset, ...one }) => [partitionKey(one), offset]));
  const bytesPerOffset = await tails(admin, offsets, options);
  const committed = options.readRates === true ? await committedOf(admin, problems) : undefined;
  return { takenAtMs, brokers, topics, reassignments, latest, bytesPerOffset, committed, problems };
}

const partitionsOf = (topics: readonly Topic[]): TopicPartition[] =>
  topics.flatMap(({ name, partitions }) =>
    partitions.filter(({ leader }) => leader >= 0).map(({ index }) => ({ topic: name, partition: index })),
  );

async function dirsOf(
  admin: Sampled,
  id: BrokerFacts['id'],
  problems: string[],
): Promise<LogDir[] | undefined> {
  try {
    return await admin.describeLogDirs(id);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    problems.push(`The log directories of broker ${id} are not known: ${error.problem}`);
    return undefined;
  }
}

async function committedOf(
  admin: Sampled,
  problems: string[],
): Promise<ClusterSample['committed'] | undefined> {
  try {
    return await admin.committedOffsets();
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    problems.push(`What consumer groups have committed is not known: ${error.problem}`);
    return undefined;
  }
}

/** Looks at the logs of partitions with new offsets: only there does it matter what an offset takes. */
async function tails(
  admin: Sampled,
  offsets: readonly (TopicPartition & { readonly offset: bigint })[],
  { earlier, mostTails = 20_000 }: SampleOptions,
): Promise<Map<string, number>> {
  const known = new Map(earlier?.bytesPerOffset);
  if (earlier === undefined) return known;
  const written = offsets
    .map((one) => ({ ...one, latest: one.offset, added: addedTo(one, earlier) }))
    .filter(({ added }) => added > 0n)
    .sort((a, b) => (a.added < b.added ? 1 : a.added > b.added ? -1 : 0))
    .slice(0, mostTails);
  const first = await admin.listOffsets('earliest', written);
  const earliest = new Map(first.map(({ offset, ...one }) => [partitionKey(one), offset]));
  const readable = written.flatMap(({ topic, partition, latest }) => {
    const from = earliest.get(partitionKey({ topic, partition }));
    return from === undefined ? [] : [{ topic, partition, latest, earliest: from }];
  });
  for (const { bytesPerOffset, ...one } of await admin.tailBytesPerOffset(readable)) {
    known.set(partitionKey(one), bytesPerOffset);
  }
  return known;
}

const addedTo = (
  { topic, partition, offset }: TopicPartition & { readonly offset: bigint },
  { latest }: ClusterSample,
): bigint => offset - (latest.get(partitionKey({ topic, partition })) ?? offset);

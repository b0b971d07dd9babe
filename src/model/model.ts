import {
  type BrokerModel,
  type BrokerState,
  type ClusterModel,
  type PartitionModel,
  bytesPerMB,
} from '../balance/index.ts';
import { type LogDir, type TopicPartition, partitionKey } from '../kafka/index.ts';
import { type Capacity, type GivenCapacity, completed, knownDisks, withGiven } from './capacities.ts';
import {
  type Confidence,
  capacityConfidence,
  diskConfidence,
  readConfidence,
  writeConfidence,
} from './confidence.ts';
import { type Directories, directoriesOf } from './directories.ts';
import { readRates, spanSeconds, writeRates } from './rates.ts';
import type { ClusterSample } from './sample.ts';
import { sizesOf } from './sizes.ts';

/** What the caller wants of the cluster, and what it knows better than Kafka. */
export interface ModelPolicy {
  /** Brokers that are to be emptied, also ones that are gone for good. */
  readonly draining?: readonly number[];
  /** Brokers to be filled although they hold something already; those that hold nothing are new by themselves. */
  readonly newBrokers?: readonly number[];
  /** Names of topics that stay where they are; `*` stands for any text. */
  readonly excludedTopics?: readonly string[];
  readonly capacities?: ReadonlyMap<number, GivenCapacity>;
  /** In and out, of every broker that `capacities` says nothing else of. */
  readonly networkBytesPerSecond?: number;
}

/** A model, with what belongs to a request for a plan and what a person should know of it. */
export interface ModelledCluster {
  readonly model: ClusterModel;
  /** Topics that the policy excludes, by name. */
  readonly excludedTopics: readonly string[];
  /** Brokers that hold replicas and are away: not to be given anything. */
  readonly excludedBrokers: readonly number[];
  /** Log directories as brokers told of them. */
  readonly dirs: ReadonlyMap<number, readonly LogDir[]>;
  /** Partitions that Kafka moves already; the model has them where they are going to be. */
  readonly reassigning: readonly TopicPartition[];
  readonly confidence: readonly Confidence[];
  /** What else limits what the model says, in words. */
  readonly notes: readonly string[];
}

interface Placed extends TopicPartition {
  readonly key: string;
  readonly replicas: readonly number[];
  readonly leader: number;
  readonly offline: readonly number[];
}

/**
 * The balance model as of the last sample; earlier ones, oldest first, give the rates.
 *
 * `bytesIn` is what producers write to a partition, which each replica takes once, the followers by replication.
 * `bytesOut` is what its leader sends: that to every follower, and what consumers read where samples asked for it.
 * Throws where there is no sample.
 */
export function modelOf(samples: readonly ClusterSample[], policy: ModelPolicy = {}): ModelledCluster {
  const sample = samples.at(-1);
  if (sample === undefined) throw new RangeError('samples: is empty. Take one with sampleCluster first');
  const placed = placements(sample);
  const alive = new Set(sample.brokers.map(({ id }) => id));
  const holding = new Set(placed.flatMap(({ replicas }) => replicas));
  const ids = [...new Set([...alive, ...holding])].sort((a, b) => a - b);
  const stateOf = states(policy, holding);

  const directories = directoriesOf(sample.brokers);
  const measured = partitionsOf(samples, placed, directories);
  const { partitions } = measured;
  const capacities = capacitiesOf(sample, { ids, partitions, policy });
  const rackOf = racks(samples);
  const brokers = ids.map((id): BrokerModel => {
    const rack = rackOf.get(id);
    const capacity = {
      disk: capacities.disk.get(id)?.amount ?? 0,
      networkIn: capacities.networkIn.get(id)?.amount ?? 0,
      networkOut: capacities.networkOut.get(id)?.amount ?? 0,
    };
    const dirs = directories.of.get(id);
    return {
      id,
      ...(rack === undefined ? {} : { rack }),
      state: stateOf(id),
      capacity,
      ...(dirs === undefined ? {} : { dirs }),
    };
  });

  const away = ids.filter((id) => !alive.has(id));
  return {
    model: { brokers, partitions },
    dirs: new Map(sample.brokers.flatMap(({ id, dirs }) => (dirs === undefined ? [] : [[id, dirs]]))),
    excludedTopics: sample.topics.map(({ name }) => name).filter(matcher(policy.excludedTopics ?? [])),
    excludedBrokers: away.filter((id) => stateOf(id) !== 'draining'),
    reassigning: sample.reassignments.map(({ topic, partition }) => ({ topic, partition })),
    confidence: [
      ...measured.confidence,
      capacityConfidence('diskCapacity', [...capacities.disk.values()]),
      capacityConfidence('networkCapacity', [...capacities.networkIn.values()]),
    ],
    notes: [...sample.problems, ...notesOf(sample, { away, ids, policy, unsized: directories.unknown })],
  };
}

/**
 * Where each partition lies, or is going to once what Kafka does at the moment is done; by name and index, since answers
 * come in any order and the same cluster is to give the same plan.
 */
function placements({ topics, reassignments, brokers }: ClusterSample): Placed[] {
  const alive = new Set(brokers.map(({ id }) => id));
  const leaving = new Map(reassignments.map((one) => [partitionKey(one), new Set(one.removing)]));
  const placed = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ index, leader, replicas, offline }) => {
      const key = partitionKey({ topic: name, partition: index });
      const stay = replicas.filter((id) => leaving.get(key)?.has(id) !== true);
      const leads = leader < 0 || stay.includes(leader) ? leader : (stay[0] ?? -1);
      const lost = offline.filter((id) => alive.has(id) && stay.includes(id));
      return { topic: name, partition: index, key, replicas: stay, leader: leads, offline: lost };
    }),
  );
  return placed.sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  );
}

function states(
  { draining = [], newBrokers = [] }: ModelPolicy,
  holding: ReadonlySet<number>,
): (id: number) => BrokerState {
  const empty = new Set(draining);
  const fill = new Set(newBrokers);
  return (id) => {
    if (empty.has(id)) return 'draining';
    return fill.has(id) || !holding.has(id) ? 'new' : 'alive';
  };
}

/** Racks by broker; of one that is away the last that is known. */
const racks = (samples: readonly ClusterSample[]): Map<number, string> =>
  new Map(
    samples
      .flatMap(({ brokers }) => brokers)
      .flatMap(({ id, rack }) => (rack === undefined ? [] : [[id, rack] as const])),
  );

function partitionsOf(
  samples: readonly ClusterSample[],
  placed: readonly Placed[],
  directories: Directories,
): { partitions: PartitionModel[]; confidence: Confidence[] } {
  const sizes = latestSizes(samples);
  const writes = writeRates(samples);
  const reads = readRates(samples);
  const partitions = placed.map(({ key, offline, ...place }): PartitionModel => {
    const bytesIn = (writes.get(key)?.bytesPerSecond ?? 0) / bytesPerMB;
    const read = (reads?.get(key) ?? 0) / bytesPerMB;
    const dirs = directories.placesOf(place);
    return {
      ...place,
      size: (sizes.get(key) ?? 0) / bytesPerMB,
      bytesIn,
      bytesOut: bytesIn * Math.max(0, place.replicas.length - 1) + read,
      ...(offline.length === 0 ? {} : { offline }),
      ...(dirs === undefined ? {} : { dirs }),
    };
  });
  const keys = placed.map(({ key }) => key);
  const write = writeConfidence(keys, writes, spanSeconds(samples));
  const groups = samples.at(-1)?.committed?.length;
  const asked = groups === undefined ? 'off' : reads === undefined ? 'waiting' : groups;
  const known = keys.filter((key) => sizes.has(key)).length;
  return {
    partitions,
    confidence: [diskConfidence(known, keys.length), write, readConfidence(asked, write)],
  };
}

/** Sizes of the last sample that knows them: while a partition's brokers are away, those of before. */
const latestSizes = (samples: readonly ClusterSample[]): Map<string, number> =>
  new Map(samples.flatMap((sample) => [...sizesOf(sample)]));

interface Capacities {
  readonly disk: ReadonlyMap<number, Capacity>;
  readonly networkIn: ReadonlyMap<number, Capacity>;
  readonly networkOut: ReadonlyMap<number, Capacity>;
}

/** In MB and MB/s. */
function capacitiesOf(
  sample: ClusterSample,
  of: { ids: readonly number[]; partitions: readonly PartitionModel[]; policy: ModelPolicy },
): Capacities {
  const { ids, partitions, policy } = of;
  const { capacities = new Map<number, GivenCapacity>(), networkBytesPerSecond: network } = policy;
  const everywhere = new Map<number, Capacity>(
    network === undefined ? [] : ids.map((id) => [id, { amount: network, source: 'given' }]),
  );
  const load = (amount: (one: PartitionModel) => number) =>
    partitions.reduce((sum, one) => sum + amount(one), 0);
  const scaled = (all: Map<number, Capacity>) =>
    new Map([...all].map(([id, { amount, source }]) => [id, { amount: amount / bytesPerMB, source }]));
  return {
    disk: completed(
      ids,
      scaled(knownDisks(sample.brokers, capacities)),
      load((one) => one.size * one.replicas.length),
    ),
    networkIn: completed(
      ids,
      scaled(withGiven(everywhere, capacities, (one) => one.networkInBytesPerSecond)),
      load((one) => one.bytesIn * one.replicas.length),
    ),
    networkOut: completed(
      ids,
      scaled(withGiven(everywhere, capacities, (one) => one.networkOutBytesPerSecond)),
      load((one) => one.bytesOut),
    ),
  };
}

function matcher(patterns: readonly string[]): (topic: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`);
  });
  return (topic) => expressions.some((expression) => expression.test(topic));
}

function notesOf(
  { brokers, reassignments }: ClusterSample,
  of: {
    away: readonly number[];
    ids: readonly number[];
    policy: ModelPolicy;
    unsized: readonly number[];
  },
): string[] {
  const failed = brokers.flatMap(({ id, dirs = [] }) =>
    dirs.filter(({ error }) => error !== undefined).map(({ path }) => `${path} of broker ${id}`),
  );
  const draining = of.policy.draining ?? [];
  const unknown = draining.filter((id) => !of.ids.includes(id));
  const kept = of.away.filter((id) => !draining.includes(id));
  return [
    ...(kept.length === 0
      ? []
      : [`Brokers ${kept.join(', ')} hold replicas and are away: they are given nothing, and may return`]),
    ...(failed.length === 0
      ? []
      : [`Offline log directories: ${failed.join(', ')}; what they hold has to leave`]),
    ...(of.unsized.length === 0
      ? []
      : [
          `Brokers ${of.unsized.join(', ')} do not tell what each of their log directories can hold: they count as one disk, and Kafka chooses the directory`,
        ]),
    ...(reassignments.length === 0
      ? []
      : [`Kafka moves ${reassignments.length} partitions already: they count where they are going to be`]),
    ...(unknown.length === 0 ? [] : [`Brokers ${unknown.join(', ')} are to be emptied and hold nothing`]),
  ];
}

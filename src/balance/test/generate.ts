import type { BrokerModel, BrokerState, ClusterModel, PartitionModel } from '../model.ts';
import { randomOf } from '../random.ts';
import type { Random } from '../random.ts';

/** What a generated cluster is like. */
export interface Shape {
  readonly brokers: number;
  readonly partitions: number;
  /** Brokers are dealt to the racks in turn, or all but one each to the first with `unevenRacks`; 0: no racks. */
  readonly racks: number;
  readonly unevenRacks?: boolean;
  /** The replication factor of each topic is drawn from these; never more than there are brokers. */
  readonly replication: readonly number[];
  /** Standard deviation of the logarithm of the sizes. */
  readonly sigma: number;
  /** Share of the partitions that prefer the first third of the brokers at the start. */
  readonly skew: number;
  /** Multiplies rate and size of one partition. */
  readonly hot?: number;
  readonly newBrokers?: number;
  readonly draining?: number;
  /** Every second broker has this many times the capacity. */
  readonly capacityFactor?: number;
  readonly offline?: boolean;
  /** All brokers of the first rack are draining, where there is another. */
  readonly drainedRack?: boolean;
  /** Share of the partitions that begin on one broker, which their whole topic prefers. */
  readonly topicSkew?: number;
  /** Log directories of each broker, together as large as its disk; replicas lie in them at random. */
  readonly directories?: number;
}

const PARTITIONS_PER_TOPIC = 20;

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

function rackOf(shape: Shape, b: number): { rack?: string } {
  if (shape.racks === 0) return {};
  const rack = shape.unevenRacks ? Math.max(0, b - (shape.brokers - shape.racks)) : b % shape.racks;
  return { rack: `r${rack}` };
}

function stateOf(shape: Shape, b: number): BrokerState {
  if (b >= shape.brokers - (shape.newBrokers ?? 0)) return 'new';
  if (shape.drainedRack && shape.racks > 1 && rackOf(shape, b).rack === 'r0') return 'draining';
  return b < (shape.draining ?? 0) ? 'draining' : 'alive';
}

/** A set of brokers for one partition: distinct racks as far as there are such, skewed to the first ones. */
function placed(
  shape: Shape,
  brokers: readonly BrokerModel[],
  { topic, count }: { topic: number; count: number },
  random: Random,
): number[] {
  const old = brokers.filter((b) => b.state !== 'new');
  const chosen: BrokerModel[] = [];
  const favourite = old[topic % old.length];
  if (shape.topicSkew && favourite && random.next() < shape.topicSkew) chosen.push(favourite);
  while (chosen.length < count) {
    const spread = old.filter((b) => !chosen.some((c) => c.rack === b.rack));
    const left = old.filter((b) => !chosen.includes(b));
    const pool = spread.length > 0 ? spread : left;
    const preferred = random.next() < shape.skew ? Math.max(1, Math.ceil(pool.length / 3)) : pool.length;
    const broker = pool[random.below(preferred)];
    if (broker !== undefined) chosen.push(broker);
  }
  return chosen.map((b) => b.id);
}

/** A cluster with log-normal partition sizes, rates that go with the sizes, half of the disk in use. */
export function clusterOf(shape: Shape, seed: number): ClusterModel {
  const random = randomOf(seed);
  const skeleton: BrokerModel[] = Array.from({ length: shape.brokers }, (_, b) => ({
    id: b + 1,
    ...rackOf(shape, b),
    state: stateOf(shape, b),
    capacity: { disk: 1, networkIn: 1, networkOut: 1 },
  }));
  const old = skeleton.filter((b) => b.state !== 'new').length;
  const factors = Array.from({ length: Math.ceil(shape.partitions / PARTITIONS_PER_TOPIC) }, () =>
    Math.min(old, shape.replication[random.below(shape.replication.length)] ?? 1),
  );
  const partitions = Array.from({ length: shape.partitions }, (_, i): PartitionModel => {
    const topic = Math.floor(i / PARTITIONS_PER_TOPIC);
    const size = 300 * Math.exp(shape.sigma * normal(random)) * (i === 0 ? (shape.hot ?? 1) : 1);
    const bytesIn = 0.5 * size * Math.exp(0.5 * normal(random));
    const replicas = placed(shape, skeleton, { topic, count: factors[topic] ?? 1 }, random);
    const leader = replicas[0] ?? -1;
    const offline = shape.offline && replicas.length > 1 && random.next() < 0.02 ? replicas.slice(-1) : [];
    return {
      topic: `t${topic}`,
      partition: i % PARTITIONS_PER_TOPIC,
      replicas,
      leader,
      size,
      bytesIn,
      bytesOut: 2 * bytesIn * random.next(),
      ...(offline.length > 0 && { offline }),
    };
  });
  return withDirectories(shape, { brokers: withCapacity(shape, skeleton, partitions), partitions }, random);
}

function withCapacity(shape: Shape, brokers: BrokerModel[], partitions: PartitionModel[]): BrokerModel[] {
  const total = (amount: (p: PartitionModel) => number): number =>
    partitions.reduce((sum, p) => sum + amount(p), 0);
  const disk = (2 * total((p) => p.size * p.replicas.length)) / brokers.length;
  const networkIn = (3 * total((p) => p.bytesIn * p.replicas.length)) / brokers.length;
  const networkOut = (3 * total((p) => p.bytesOut)) / brokers.length;
  const factor = (b: number): number => (b % 2 === 0 ? (shape.capacityFactor ?? 1) : 1);
  return brokers.map((broker, b) => ({
    ...broker,
    capacity: {
      disk: disk * factor(b),
      networkIn: networkIn * factor(b),
      networkOut: networkOut * factor(b),
    },
  }));
}

/** Deals replicas to the directories of their brokers; none is over full at the start. */
function withDirectories({ directories = 0 }: Shape, model: ClusterModel, random: Random): ClusterModel {
  if (directories === 0) return model;
  const used = new Map<string, number>();
  const partitions = model.partitions.map((partition) => ({
    ...partition,
    dirs: partition.replicas.map((id) => {
      const path = `/data${Math.floor(directories * random.next() ** 1.5)}`;
      used.set(`${id}${path}`, (used.get(`${id}${path}`) ?? 0) + partition.size);
      return path;
    }),
  }));
  const brokers = model.brokers.map((broker) => ({
    ...broker,
    dirs: Array.from({ length: directories }, (_, i) => ({
      path: `/data${i}`,
      capacity: Math.max(broker.capacity.disk / directories, used.get(`${broker.id}/data${i}`) ?? 0),
    })),
  }));
  return { brokers, partitions };
}

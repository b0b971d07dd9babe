import {
  type ConfigRef,
  type ConfigSeen,
  type DiskState,
  type Limits,
  type LogDirState,
  type LookAt,
  type PartitionState,
  type Plan,
  type Seen,
  awayOf,
  belowMinIsr,
  configKey,
  keyOf,
  outOfSync,
  throttleKeys,
} from '../../execution/index.ts';
import type { ConfigResource, EffectiveConfig, KafkaAdmin, Topic } from '../../kafka/index.ts';
import type { Acted } from './execute-act.ts';

/** What the executor asks Kafka. */
export type ObservedKafka = Pick<
  KafkaAdmin,
  'describeCluster' | 'describeLogDirs' | 'describeManyConfigs' | 'listReassignments' | 'topics'
>;

export interface Intervals {
  /** Between pictures of all partitions, which the guards need; in between only those under way are asked for. */
  readonly pictureMs: number;
  readonly minIsrMs: number;
  /** Of disks that nothing is copied to, for the sizes of what is copied from them. */
  readonly sourceDisksMs: number;
}

export const defaultIntervals: Intervals = { pictureMs: 10_000, minIsrMs: 60_000, sourceDisksMs: 60_000 };

export interface ObserverOptions {
  readonly kafka: ObservedKafka;
  /** Whether settings of brokers that are away can be written. */
  readonly throughControllers: boolean;
  readonly plan: Plan;
  readonly limits: Limits;
  readonly intervals: Intervals;
  readonly nowMs: () => number;
  /** A call that failed without harm: the next look repeats it. */
  readonly onFailure: (error: unknown, what: string) => void;
}

/** Where a picture takes long, it is taken at most this part of the time. */
const pictureShare = 0.1;
const disksAtOnce = 8;

/** Looks at Kafka for the executor, and keeps what need not be asked each time. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #planKeys: ReadonlySet<string>;
  readonly #planBrokers: ReadonlySet<number>;
  readonly #needed: ReadonlySet<number>;
  readonly #topics = new Map<string, { topic: Topic; seenAtMs: number }>();
  readonly #disks = new Map<number, DiskState>();
  #minIsr = new Map<string, number>();
  #minIsrAtMs = -Infinity;
  #picture = { atMs: -Infinity, tookMs: 0 };

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#needed = new Set(options.plan.moves.flatMap(({ to }) => to));
    this.#planKeys = new Set(options.plan.moves.map(keyOf));
    this.#planBrokers = new Set(options.plan.moves.flatMap(({ from, to }) => [...from, ...to]));
  }

  /** Partitions are read last: decisions want them new. Throws where a guard could not be read. */
  async look(lookAt: LookAt, { failures, acknowledged }: Acted): Promise<Seen> {
    const { kafka, nowMs, throughControllers } = this.#options;
    const { brokers } = await kafka.describeCluster();
    const alive = new Set(brokers.filter(({ fenced }) => fenced !== true).map(({ id }) => id));
    const configs = await this.#configs(lookAt.configs, alive);
    await this.#lookAtDisks(lookAt, alive);
    const ongoing = await kafka.listReassignments();
    await this.#lookAtTopics(lookAt);
    await this.#readMinIsr();
    const all = [...this.#described()];
    return {
      nowMs: nowMs(),
      alive,
      away: awayOf(all, this.#needed, alive),
      partitions: this.#partitions(),
      ongoing,
      minIsr: this.#minIsr,
      belowMinIsr: belowMinIsr(all, (topic) => this.#minIsr.get(topic), alive),
      outOfSync: outOfSync(all, ongoing),
      disks: new Map(this.#disks),
      configs,
      failures,
      throughControllers,
      acknowledged,
    };
  }

  *#described() {
    for (const { topic } of this.#topics.values()) {
      for (const { index, replicas, isr, leader } of topic.partitions) {
        yield { topic: topic.name, partition: index, replicas, isr, leader };
      }
    }
  }

  #partitions(): Map<string, PartitionState> {
    const states = new Map<string, PartitionState>();
    for (const { topic, seenAtMs } of this.#topics.values()) {
      for (const { index, replicas, isr, leader } of topic.partitions) {
        const key = keyOf({ topic: topic.name, partition: index });
        if (this.#planKeys.has(key)) states.set(key, { replicas, isr, leader, seenAtMs });
      }
    }
    return states;
  }

  async #lookAtTopics({ partitions, upcoming }: LookAt): Promise<void> {
    const { kafka, nowMs, intervals, limits } = this.#options;
    // Debts alone are paid without a picture: nothing is moved that guards would have to look at.
    if (this.#planKeys.size === 0) return;
    const { atMs, tookMs } = this.#picture;
    const startedAtMs = nowMs();
    if (startedAtMs - atMs >= Math.max(intervals.pictureMs, tookMs / pictureShare)) {
      const topics = await kafka.topics();
      const seenAtMs = nowMs();
      this.#topics.clear();
      for (const topic of topics) this.#topics.set(topic.name, { topic, seenAtMs });
      this.#picture = { atMs: seenAtMs, tookMs: seenAtMs - startedAtMs };
      return;
    }
    const due = upcoming.filter(
      ({ topic }) => nowMs() - (this.#topics.get(topic)?.seenAtMs ?? -Infinity) > limits.freshMs / 2,
    );
    const names = [...new Set([...partitions, ...due].map(({ topic }) => topic))];
    if (names.length === 0) return;
    const topics = await kafka.topics(names);
    for (const name of names) this.#topics.delete(name);
    for (const topic of topics) this.#topics.set(topic.name, { topic, seenAtMs: nowMs() });
  }

  async #readMinIsr(): Promise<void> {
    const { kafka, nowMs, intervals } = this.#options;
    const unknown = [...this.#topics.keys()].some((name) => !this.#minIsr.has(name));
    if (!unknown && nowMs() - this.#minIsrAtMs < intervals.minIsrMs) return;
    const resources = [...this.#topics.keys()].map((name): ConfigResource => ({ type: 'topic', name }));
    const read = await kafka.describeManyConfigs(resources, ['min.insync.replicas']);
    this.#minIsr = new Map(
      read.map(({ resource, configs }) => [resource.name, Number(configs[0]?.value ?? 1)]),
    );
    this.#minIsrAtMs = nowMs();
  }

  async #lookAtDisks({ destinations, landedOn }: LookAt, alive: ReadonlySet<number>): Promise<void> {
    const { limits, intervals, nowMs } = this.#options;
    const [filled, landed] = [new Set(destinations), new Set(landedOn)];
    const due = [...this.#planBrokers].filter((broker) => {
      if (!alive.has(broker)) return false;
      const ageMs = nowMs() - (this.#disks.get(broker)?.seenAtMs ?? -Infinity);
      const longestMs = landed.has(broker)
        ? 0
        : filled.has(broker)
          ? limits.diskFreshMs / 2
          : intervals.sourceDisksMs;
      return ageMs > longestMs;
    });
    const waiting = [...due];
    const worker = async () => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await this.#lookAtDisk(id);
    };
    await Promise.all(Array.from({ length: disksAtOnce }, worker));
  }

  async #lookAtDisk(broker: number): Promise<void> {
    const { kafka, nowMs, onFailure } = this.#options;
    const seenAtMs = nowMs();
    try {
      const dirs = await kafka.describeLogDirs(broker);
      const working = dirs.filter(({ error }) => error === undefined);
      this.#disks.set(broker, { seenAtMs, dirs: working.map((dir) => this.#dir(dir)) });
    } catch (error) {
      onFailure(error, `the log directories of broker ${broker}`);
    }
  }

  #dir(dir: Awaited<ReturnType<ObservedKafka['describeLogDirs']>>[number]): LogDirState {
    const [sizes, futures] = [new Map<string, number>(), new Map<string, number>()];
    for (const { sizeBytes, future, ...at } of dir.replicas) {
      const key = keyOf(at);
      if (this.#planKeys.has(key)) (future ? futures : sizes).set(key, sizeBytes);
    }
    const { path, totalBytes, usableBytes } = dir;
    return {
      path,
      sizes,
      futures,
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(usableBytes === undefined ? {} : { usableBytes }),
    };
  }

  /** A broker that does not answer is left out: what was written to it stays owed. */
  async #configs(refs: readonly ConfigRef[], alive: ReadonlySet<number>): Promise<Map<string, ConfigSeen>> {
    const { kafka } = this.#options;
    const seen = new Map<string, ConfigSeen>();
    const topics = namesOf(refs, 'topic');
    const keys = [throttleKeys.sources, throttleKeys.destinations];
    const found = await kafka.describeManyConfigs(resourcesOf('topic', topics), keys);
    const byTopic = new Map(found.map(({ resource, configs }) => [resource.name, configs]));
    const byBroker = new Map<string, readonly EffectiveConfig[]>();
    const present = namesOf(refs, 'broker').filter((name) => alive.has(Number(name)));
    await this.#brokerConfigs(present, byBroker);
    for (const ref of refs) {
      const configs = (ref.type === 'topic' ? byTopic : byBroker).get(ref.name);
      if (configs !== undefined) seen.set(configKey(ref), { value: ownValue(configs, ref) });
      else if (ref.type === 'topic') seen.set(configKey(ref), { gone: true });
    }
    return seen;
  }

  async #brokerConfigs(
    names: readonly string[],
    into: Map<string, readonly EffectiveConfig[]>,
  ): Promise<void> {
    const keys = [...throttleKeys.rates, throttleKeys.directories];
    const one = async (some: readonly string[]) => {
      const found = await this.#options.kafka.describeManyConfigs(resourcesOf('broker', some), keys);
      for (const { resource, configs } of found) into.set(resource.name, configs);
    };
    try {
      await one(names);
    } catch {
      // One that does not answer fails the whole call: each by itself.
      for (const name of names) {
        await one([name]).catch((error: unknown) =>
          this.#options.onFailure(error, `the configuration of broker ${name}`),
        );
      }
    }
  }
}

const namesOf = (refs: readonly ConfigRef[], type: ConfigRef['type']): string[] => [
  ...new Set(refs.filter((ref) => ref.type === type).map(({ name }) => name)),
];

const resourcesOf = (type: ConfigRef['type'], names: readonly string[]): ConfigResource[] =>
  names.map((name) => ({ type, name }));

/** What stands on the resource itself: neither the cluster's default nor a static value is put back. */
function ownValue(configs: readonly EffectiveConfig[], { type, key }: ConfigRef): string | null {
  const config = configs.find(({ name }) => name === key);
  if (config === undefined) return null;
  const own = [config, ...config.synonyms].find(({ name, source }) => name === key && source === type);
  return own?.value ?? null;
}

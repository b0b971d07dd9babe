import {
  type ConfigResource,
  type EffectiveConfig,
  type KafkaAdmin,
  KafkaError,
  type OngoingReassignment,
  type PartitionOutcome,
  type ReassignmentChange,
  type ReplicaPlace,
  type TopicPartition,
} from '../../../kafka/index.ts';

interface FakePartition extends TopicPartition {
  replicas: number[];
  isr: number[];
  leader: number;
  /** Of a reassignment under way. */
  target?: number[];
}

const sizeBytes = 1_000;
const brokers = [0, 1, 2];

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id) => b.includes(id));

/** Three brokers and one topic, of which copies end at once, or when a test lets them. */
export class FakeKafka {
  readonly partitions: FakePartition[];
  /** `type/name/key` → value. */
  readonly configs = new Map<string, string>();
  readonly reassigned: ReassignmentChange[] = [];
  isHolding = false;
  isAway = false;
  /** Fails as nothing of Kafka's does. */
  isBroken = false;
  /** Lets nothing be moved. */
  hasPolicy = false;
  /** How long writes take by broker; none where nothing can be measured. */
  latency: () => ReadonlyMap<number, number> = () => new Map();
  measured = 0;
  /** Groups of measurements are left. */
  hasGroups = false;
  /** What a broker says that is told a directory of a replica; it has none yet. */
  directoryRefusal = 'REPLICA_NOT_AVAILABLE';
  readonly announced: ReplicaPlace[] = [];
  writes = 0;
  looks = 0;

  constructor(replicas: readonly (readonly number[])[]) {
    this.partitions = replicas.map((ids, partition) => ({
      ...{ topic: 'orders', partition, leader: ids[0] ?? -1 },
      ...{ replicas: [...ids], isr: [...ids] },
    }));
  }

  get underWay(): number {
    return this.partitions.filter(({ target }) => target !== undefined).length;
  }

  async describeCluster() {
    this.#look();
    const facts = (id: number) => ({ id, host: `kafka-${id}`, port: 9091, rack: undefined, fenced: false });
    return { clusterId: 'c', controllerId: 0, brokers: brokers.map(facts) };
  }

  async topics(names: readonly string[] = ['orders']) {
    this.#look();
    const partitions = this.partitions.map(({ partition, leader, replicas, isr }) => ({
      ...{ index: partition, leader, leaderEpoch: 0, offline: [] },
      ...{ replicas: [...replicas], isr: [...isr] },
    }));
    return names.includes('orders') ? [{ name: 'orders', internal: false, partitions }] : [];
  }

  async listReassignments(): Promise<OngoingReassignment[]> {
    this.#look();
    if (!this.isHolding) this.complete();
    return this.partitions.flatMap(({ topic, partition, replicas, isr, target }) => {
      if (target === undefined) return [];
      const adding = target.filter((id) => !isr.includes(id));
      return [{ topic, partition, replicas, adding, removing: isr.filter((id) => !target.includes(id)) }];
    });
  }

  /** What is under way ends. */
  complete(): void {
    for (const one of this.partitions) {
      if (one.target === undefined) continue;
      one.replicas = one.isr = one.target;
      if (!one.replicas.includes(one.leader)) one.leader = one.replicas[0] ?? -1;
      delete one.target;
    }
  }

  async alterReassignments(changes: readonly ReassignmentChange[]): Promise<PartitionOutcome[]> {
    this.#look();
    this.reassigned.push(...changes);
    return changes.map(({ topic, partition, replicas }) => {
      const one = this.partitions.find((each) => each.topic === topic && each.partition === partition);
      if (this.hasPolicy)
        return { topic, partition, error: { reason: 'POLICY_VIOLATION', message: 'not these' } };
      if (one === undefined) return { topic, partition, error: { reason: 'UNKNOWN', message: 'none' } };
      if (replicas === null) {
        one.replicas = [...one.isr];
        delete one.target;
      } else if (isSame(replicas, one.replicas)) one.replicas = one.isr = [...replicas];
      else {
        one.target = [...replicas];
        one.replicas = [...replicas, ...one.isr.filter((id) => !replicas.includes(id))];
      }
      return { topic, partition };
    });
  }

  async electPreferredLeaders(partitions: readonly TopicPartition[]): Promise<PartitionOutcome[]> {
    this.#look();
    for (const { partition } of partitions) {
      const one = this.partitions[partition];
      if (one !== undefined) one.leader = one.replicas[0] ?? -1;
    }
    return partitions.map(({ topic, partition }) => ({ topic, partition }));
  }

  async describeManyConfigs(resources: readonly ConfigResource[]) {
    this.#look();
    return resources.map((resource) => ({ resource, configs: this.#configsOf(resource) }));
  }

  #configsOf({ type, name }: ConfigResource): EffectiveConfig[] {
    const min = { name: 'min.insync.replicas', value: '1', source: 'default' as const, synonyms: [] };
    const prefix = `${type}/${name}/`;
    const own = [...this.configs].filter(([key]) => key.startsWith(prefix));
    return [
      min,
      ...own.map(([key, value]) => ({
        ...{ name: key.slice(prefix.length), value, source: type, synonyms: [] },
      })),
    ];
  }

  async alterManyConfigs(...[changes]: Parameters<KafkaAdmin['alterManyConfigs']>) {
    this.#look();
    this.writes += 1;
    if (this.isBroken) throw new TypeError('no answer that makes sense');
    for (const { resource, changes: some } of changes)
      for (const change of some) {
        const key = `${resource.type}/${resource.name}/${change.name}`;
        if ('set' in change) this.configs.set(key, change.set);
        else this.configs.delete(key);
      }
    return changes.map(({ resource }) => ({ resource }));
  }

  async appendLatency(ids: readonly number[]) {
    this.measured += 1;
    const all = [...this.latency()].map(([broker, ms]) => ({ broker, ms }));
    if (all.length > 0) this.hasGroups = true;
    return all.filter(({ broker }) => ids.includes(broker));
  }

  async removeLatencyGroups() {
    this.hasGroups = false;
  }

  async describeLogDirs(broker: number) {
    this.#look();
    const replicas = this.partitions
      .filter((one) => one.replicas.includes(broker))
      .map(({ topic, partition }) => ({ topic, partition, sizeBytes, future: false, lagOffsets: 0n }));
    return [{ path: '/data', totalBytes: 1e12, usableBytes: 9e11, replicas }];
  }

  async alterReplicaLogDirs(_broker: number, places: readonly ReplicaPlace[]): Promise<PartitionOutcome[]> {
    this.#look();
    this.announced.push(...places);
    const error = { reason: this.directoryRefusal, message: 'not here' };
    return places.map(({ topic, partition }) => ({ topic, partition, error }));
  }

  async listOffsets() {
    return [];
  }

  async tailBytesPerOffset() {
    return [];
  }

  #look(): void {
    this.looks += 1;
    if (this.isAway) throw new KafkaError('kafka-unreachable', 'no broker answers');
  }
}

import {
  type ConfigRef,
  type ConfigSeen,
  type DiskState,
  type Limits,
  type LogDirState,
  type Ongoing,
  type PartitionState,
  type Seen,
  type TopicPartition,
  configKey,
  keyOf,
  without,
} from '../model.ts';
import type { LookAt } from '../next.ts';
import { awayOf, belowMinIsr, outOfSync } from '../observe.ts';
import { effectiveMinIsr } from '../guards.ts';
import { throttleKeys } from '../throttles.ts';
import { elementsOf, isAll } from '../throttled-replicas.ts';

/**
 * A small Kafka, written from the facts about the real one (KIP-455, KIP-73, `PartitionReassignmentReplicas`,
 * `PartitionReassignmentRevert`): how assignments change, what a cancel does to order and ISR, which copies a throttle
 * slows down, which settings can be written while a broker is away, what a broker does with log directories
 * (`ReplicaManager.alterReplicaLogDirs`), and when space comes free. It exists for properties over
 * many random histories; the real one is tested in `test/loopback` and on the cluster.
 */
export interface SimPartition extends TopicPartition {
  replicas: number[];
  isr: number[];
  leader: number;
  adding: number[];
  removing: number[];
  sizeBytes: number;
  /** Bytes by broker. */
  has: Map<number, number>;
  /** Directory by broker. */
  lies: Map<number, string>;
  /** Copies that will replace replicas, by broker. */
  futures: Map<number, { path: string; bytes: number; foreign: boolean }>;
  /** Set by somebody else. */
  foreign: boolean;
  /** Somebody else has reassigned it, or cancelled what we did. */
  touched: boolean;
}

export interface SimBroker {
  readonly id: number;
  readonly rack: string;
  /** Of each directory. */
  readonly totalBytes: number;
  readonly dirs: readonly string[];
  alive: boolean;
  /** What others than these partitions take of the first directory. */
  otherBytes: number;
  deleting: { path: string; bytes: number; atMs: number }[];
  /** Directories of replicas that are to come; forgotten when it stops. */
  preferred: Map<string, string>;
}

const deleteDelayMs = 60_000;
const unthrottled = 1_000_000_000;

export class SimulatedKafka {
  nowMs = 1_000_000;
  readonly brokers = new Map<number, SimBroker>();
  readonly partitions = new Map<string, SimPartition>();
  readonly minIsr = new Map<string, number>();
  readonly configs = new Map<string, string>();
  throughControllers = false;
  /** Whether a preferred leader that is in sync comes to lead. */
  electable: (at: TopicPartition) => boolean = () => true;
  /** Whether the controllers take nothing at the moment. */
  refusing: (atMs: number) => boolean = () => false;
  /** The next look is answered by a broker that has not heard of the last second; reassignments come from the controller. */
  lagging = false;
  #before = { partitions: new Map<string, PartitionState>(), configs: new Map<string, string>() };
  readonly #disks = new Map<number, DiskState>();
  /** What must never be caused by us. */
  readonly violations: string[] = [];
  readonly #filledByOthers = new Set<number>();

  addBroker(id: number, rack: string, totalBytes: number, dirs: readonly string[] = ['/data']): void {
    const broker = { id, rack, totalBytes, dirs, otherBytes: 0, deleting: [], preferred: new Map() };
    this.brokers.set(id, { ...broker, alive: true });
  }

  broker(id: number): SimBroker {
    const found = this.brokers.get(id);
    if (found === undefined) throw new RangeError(`There is no broker ${id}`);
    return found;
  }

  addPartition(at: TopicPartition, replicas: readonly number[], sizeBytes: number): void {
    const lies = new Map(replicas.map((id) => [id, this.#emptiest(id)]));
    this.partitions.set(keyOf(at), {
      topic: at.topic,
      partition: at.partition,
      replicas: [...replicas],
      isr: [...replicas],
      leader: replicas[0] ?? -1,
      adding: [],
      removing: [],
      sizeBytes,
      has: new Map(replicas.map((id) => [id, sizeBytes])),
      lies,
      futures: new Map(),
      foreign: false,
      touched: false,
    });
  }

  usable(id: number, path: string): number {
    const broker = this.broker(id);
    let used = path === broker.dirs[0] ? broker.otherBytes : 0;
    for (const one of broker.deleting) if (one.path === path) used += one.bytes;
    for (const { has, lies, futures } of this.partitions.values()) {
      if (lies.get(id) === path) used += has.get(id) ?? 0;
      const future = futures.get(id);
      if (future?.path === path) used += future.bytes;
    }
    return broker.totalBytes - used;
  }

  /** Left to itself Kafka takes the directory with the fewest replicas. */
  #emptiest(id: number): string {
    const { dirs } = this.broker(id);
    const counts = dirs.map((path) => ({ path, count: 0 }));
    for (const { lies } of this.partitions.values()) {
      const found = counts.find(({ path }) => path === lies.get(id));
      if (found !== undefined) found.count += 1;
    }
    const [first] = counts.sort((a, b) => a.count - b.count);
    if (first === undefined) throw new RangeError(`Broker ${id} has no directory`);
    return first.path;
  }

  /**
   * A replica that is not there is remembered; one that is copied elsewhere begins anew, and stays where it is told to be
   * where it is.
   */
  alterDirectory(at: TopicPartition, id: number, path: string, by: 'us' | 'others'): string | undefined {
    const broker = this.broker(id);
    if (!broker.alive) return 'BROKER_AWAY';
    if (!broker.dirs.includes(path)) return 'LOG_DIR_NOT_FOUND';
    const one = this.partitions.get(keyOf(at));
    if (one?.has.has(id) !== true) {
      broker.preferred.set(keyOf(at), path);
      return 'REPLICA_NOT_AVAILABLE';
    }
    const known = one.futures.get(id);
    if (by === 'us' && known?.foreign === true)
      this.violations.push(`${keyOf(at)}: foreign copy to ${known.path} touched`);
    if (by === 'others') one.touched = true;
    if (known !== undefined && known.path !== path) this.#dropFuture(one, id);
    if (one.lies.get(id) === path || known?.path === path) return undefined;
    one.futures.set(id, { path, bytes: 0, foreign: by === 'others' });
    if (by === 'others') this.#filledByOthers.add(id);
    return undefined;
  }

  #dropFuture(one: SimPartition, id: number): void {
    const future = one.futures.get(id);
    if (future === undefined) return;
    const { path, bytes } = future;
    this.broker(id).deleting.push({ path, bytes, atMs: this.nowMs + deleteDelayMs });
    one.futures.delete(id);
  }

  #copyWithin(id: number, elapsedMs: number): void {
    const rate = Number(this.configs.get(`broker/${id}/${throttleKeys.directories}`) ?? unthrottled);
    let budget = Math.floor((rate * elapsedMs) / 1000);
    for (const one of this.partitions.values()) {
      const future = one.futures.get(id);
      if (future === undefined) continue;
      const bytes = Math.min((one.has.get(id) ?? 0) - future.bytes, budget);
      budget -= bytes;
      future.bytes += bytes;
      if (future.bytes < (one.has.get(id) ?? 0)) continue;
      const gone = { path: one.lies.get(id) ?? '', bytes: future.bytes };
      this.broker(id).deleting.push({ ...gone, atMs: this.nowMs + deleteDelayMs });
      one.lies.set(id, future.path);
      one.futures.delete(id);
    }
  }

  /** Replicas are copied, those behind catch up, reassignments complete, deleted segments go. */
  tick(elapsedMs: number): void {
    this.#before = { partitions: this.#states(), configs: this.snapshotConfigs() };
    this.nowMs += elapsedMs;
    for (const broker of this.brokers.values()) {
      broker.deleting = broker.deleting.filter(({ atMs }) => atMs > this.nowMs);
    }
    for (const { id, alive } of this.brokers.values()) if (alive) this.#copyWithin(id, elapsedMs);
    const spent = new Map<string, number>();
    for (const one of this.partitions.values()) {
      for (const id of one.replicas) this.#copy(one, id, { elapsedMs, spent });
      this.#complete(one);
      if (one.leader < 0 || !this.alive(one.leader)) this.#electAny(one);
    }
  }

  #copy(
    one: SimPartition,
    id: number,
    { elapsedMs, spent }: { elapsedMs: number; spent: Map<string, number> },
  ): void {
    if (one.isr.includes(id) || !this.alive(id) || one.leader < 0) return;
    const before = one.has.get(id) ?? 0;
    const budget = Math.min(
      this.#budget({ one, at: one.leader, of: id, keys: 'leader' }, { elapsedMs, spent }),
      this.#budget({ one, at: id, of: id, keys: 'follower' }, { elapsedMs, spent }),
    );
    const bytes = Math.min(one.sizeBytes - before, Math.floor(budget));
    for (const key of [`leader/${one.leader}`, `follower/${id}`])
      spent.set(key, (spent.get(key) ?? 0) + bytes);
    one.has.set(id, before + bytes);
    if (before + bytes >= one.sizeBytes) one.isr.push(id);
  }

  /** A listed replica that is not in sync passes at the broker's rate, any other at the network's (KIP-73). */
  #budget(
    { one, at, keys }: { one: SimPartition; at: number; of: number; keys: 'leader' | 'follower' },
    { elapsedMs, spent }: { elapsedMs: number; spent: Map<string, number> },
  ): number {
    const list = this.configs.get(`topic/${one.topic}/${keys}.replication.throttled.replicas`) ?? null;
    const listed = isAll(list) || elementsOf(list).includes(`${one.partition}:${at}`);
    const rate = this.configs.get(`broker/${at}/${keys}.replication.throttled.rate`);
    const bytesPerSecond = listed && rate !== undefined ? Number(rate) : unthrottled;
    return Math.max(0, (bytesPerSecond * elapsedMs) / 1000 - (spent.get(`${keys}/${at}`) ?? 0));
  }

  #complete(one: SimPartition): void {
    if (one.adding.length + one.removing.length === 0) return;
    const target = without(one.replicas, one.removing);
    const isr = without(one.isr, one.removing);
    if (isr.length === 0 || !target.every((id) => isr.includes(id))) return;
    for (const id of one.removing) this.#drop(one, id);
    Object.assign(one, { replicas: target, isr, adding: [], removing: [], foreign: false });
    if (!target.includes(one.leader)) this.#electAny(one);
  }

  #drop(one: SimPartition, id: number): void {
    this.#dropFuture(one, id);
    const gone = { path: one.lies.get(id) ?? '', bytes: one.has.get(id) ?? 0 };
    this.broker(id).deleting.push({ ...gone, atMs: this.nowMs + deleteDelayMs });
    one.has.delete(id);
    one.lies.delete(id);
  }

  #electAny(one: SimPartition): void {
    one.leader = one.replicas.find((id) => one.isr.includes(id) && this.alive(id)) ?? -1;
  }

  alive(id: number): boolean {
    return this.brokers.get(id)?.alive ?? false;
  }

  kill(id: number): void {
    this.broker(id).alive = false;
    this.broker(id).preferred.clear();
    for (const one of this.partitions.values()) {
      if (one.isr.length > 1) one.isr = one.isr.filter((other) => other !== id);
      if (one.leader === id) this.#electAny(one);
    }
  }

  revive(id: number): void {
    this.broker(id).alive = true;
    for (const one of this.partitions.values()) if (one.leader < 0) this.#electAny(one);
  }

  /** KIP-455. Removing replicas stand after the target in ascending order, and a cancel keeps what order remains. */
  reassign(at: TopicPartition, target: readonly number[] | null, by: 'us' | 'others'): string | undefined {
    const one = this.partitions.get(keyOf(at));
    if (one === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION';
    const busy = one.adding.length + one.removing.length > 0;
    if (by === 'us' && busy && one.foreign)
      this.violations.push(`${keyOf(at)}: foreign reassignment touched`);
    if (by === 'others') one.touched = true;
    if (target === null) return busy ? this.#cancel(one, by) : 'NO_REASSIGNMENT_IN_PROGRESS';
    const adding = without(target, one.replicas);
    if (target.some((id) => !this.alive(id) && adding.includes(id))) return 'INVALID_REPLICA_ASSIGNMENT';
    if (by === 'us') this.#judge(one, target);
    const removing = without(one.replicas, target).sort((a, b) => a - b);
    for (const id of adding) this.#create(one, id);
    if (by === 'others') for (const id of adding) this.#filledByOthers.add(id);
    Object.assign(one, { replicas: [...target, ...removing], adding, removing, foreign: by === 'others' });
    this.#complete(one);
    return undefined;
  }

  #create(one: SimPartition, id: number): void {
    const { preferred } = this.broker(id);
    one.lies.set(id, preferred.get(keyOf(one)) ?? this.#emptiest(id));
    preferred.delete(keyOf(one));
    one.has.set(id, 0);
  }

  #judge(one: SimPartition, target: readonly number[]): void {
    const key = keyOf(one);
    const staying = one.replicas.filter((id) => target.includes(id));
    if (target.length !== without(one.replicas, one.adding).length)
      this.violations.push(`${key}: number of replicas changed`);
    if (staying.length < target.length && staying.some((id) => !one.isr.includes(id)))
      this.violations.push(`${key}: submitted with ${staying.join()} not in sync`);
  }

  #cancel(one: SimPartition, by: 'us' | 'others'): string | undefined {
    const isr = without(one.isr, one.adding);
    if (isr.length === 0) return 'INVALID_REPLICA_ASSIGNMENT';
    const needed = effectiveMinIsr(this.minIsr.get(one.topic), without(one.replicas, one.adding).length);
    if (by === 'us' && isr.length < needed) this.violations.push(`${keyOf(one)}: cancelled below min ISR`);
    for (const id of one.adding) this.#drop(one, id);
    Object.assign(one, {
      replicas: without(one.replicas, one.adding),
      isr,
      adding: [],
      removing: [],
      foreign: false,
    });
    if (!one.replicas.includes(one.leader)) this.#electAny(one);
    return undefined;
  }

  elect(at: TopicPartition): string | undefined {
    const one = this.partitions.get(keyOf(at));
    if (one === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION';
    const [first = -1] = one.replicas;
    if (!one.isr.includes(first) || !this.alive(first)) return 'PREFERRED_LEADER_NOT_AVAILABLE';
    if (!this.electable(at)) return 'UNKNOWN_SERVER_ERROR';
    one.leader = first;
    return undefined;
  }

  /** A broker's own settings pass through itself, or through the controllers. */
  write(ref: ConfigRef, value: string | null, via: 'kafka' | 'controllers'): string | undefined {
    if (ref.type === 'broker' && via === 'kafka' && !this.alive(Number(ref.name))) return 'BROKER_AWAY';
    if (via === 'controllers' && !this.throughControllers) return 'NO_CONTROLLERS';
    if (via === 'controllers' && this.refusing(this.nowMs)) return 'NOT_CONTROLLER';
    if (ref.type === 'topic' && !this.#exists(ref.name)) return 'UNKNOWN_TOPIC_OR_PARTITION';
    if (value === null) this.configs.delete(configKey(ref));
    else this.configs.set(configKey(ref), value);
    return undefined;
  }

  #exists(topic: string): boolean {
    return [...this.partitions.values()].some((one) => one.topic === topic);
  }

  deleteTopic(topic: string): void {
    for (const [key, one] of this.partitions) {
      if (one.topic !== topic) continue;
      for (const id of one.has.keys()) this.#drop(one, id);
      this.partitions.delete(key);
    }
    for (const key of this.configs.keys()) if (key.startsWith(`topic/${topic}/`)) this.configs.delete(key);
  }

  ongoing(): Ongoing[] {
    return [...this.partitions.values()]
      .filter(({ adding, removing }) => adding.length + removing.length > 0)
      .map(({ topic, partition, replicas, adding, removing }) => ({
        topic,
        partition,
        replicas: [...replicas],
        adding: [...adding],
        removing: [...removing],
      }));
  }

  /** Reassignments of ours. */
  ours(): SimPartition[] {
    return [...this.partitions.values()].filter((one) => one.adding.length > 0 && !one.foreign);
  }

  /** The whole picture, as the shell would give it. */
  look(
    lookAt: LookAt | undefined,
    needed: readonly number[],
    { failures = [], acknowledged = new Map() }: Partial<Pick<Seen, 'failures' | 'acknowledged'>> = {},
  ): Seen {
    const all = [...this.partitions.values()];
    const alive = new Set([...this.brokers.values()].filter((one) => one.alive).map(({ id }) => id));
    const ongoing = this.ongoing();
    return {
      nowMs: this.nowMs,
      alive,
      away: awayOf(all, needed, alive),
      partitions: this.#seenPartitions(),
      ongoing,
      minIsr: this.minIsr,
      belowMinIsr: belowMinIsr(all, (topic) => this.minIsr.get(topic), alive),
      outOfSync: outOfSync(all, ongoing),
      disks: new Map([...alive].map((id): [number, DiskState] => [id, this.#seenDisk(id, lookAt)])),
      configs: new Map((lookAt?.configs ?? []).flatMap((ref) => this.#config(ref))),
      failures,
      throughControllers: this.throughControllers,
      acknowledged,
    };
  }

  #states(): Map<string, PartitionState> {
    return new Map([...this.partitions.values()].map((one) => [keyOf(one), this.#state(one)]));
  }

  #seenPartitions(): Map<string, PartitionState> {
    if (!this.lagging) return this.#states();
    return new Map([...this.#before.partitions].map(([key, one]) => [key, { ...one, seenAtMs: this.nowMs }]));
  }

  /** What a process that has ended had looked at. */
  forgetDisks(): void {
    this.#disks.clear();
  }

  /** Disks are not looked at each time, but after something has landed. */
  #seenDisk(id: number, lookAt: LookAt | undefined): DiskState {
    const known = this.#disks.get(id);
    const landed = lookAt?.landedOn.includes(id) === true;
    if (known !== undefined && !landed && this.nowMs - known.seenAtMs < 7_000) return known;
    const disk = this.#disk(id);
    this.#disks.set(id, disk);
    return disk;
  }

  #state({ replicas, isr, leader }: SimPartition): PartitionState {
    return { replicas: [...replicas], isr: [...isr], leader, seenAtMs: this.nowMs };
  }

  #disk(id: number): DiskState {
    const { totalBytes, dirs } = this.broker(id);
    return { seenAtMs: this.nowMs, dirs: dirs.map((path) => this.#dir(id, path, totalBytes)) };
  }

  #dir(id: number, path: string, totalBytes: number): LogDirState {
    const [sizes, futures] = [new Map<string, number>(), new Map<string, number>()];
    for (const [key, one] of this.partitions) {
      if (one.lies.get(id) === path) sizes.set(key, one.has.get(id) ?? 0);
      const future = one.futures.get(id);
      if (future?.path === path) futures.set(key, future.bytes);
    }
    return { path, totalBytes, usableBytes: this.usable(id, path), sizes, futures };
  }

  #config(ref: ConfigRef): [string, ConfigSeen][] {
    const key = configKey(ref);
    if (ref.type === 'topic' && !this.#exists(ref.name)) return [[key, { gone: true }]];
    if (ref.type === 'broker' && !this.alive(Number(ref.name))) return [];
    const from = this.lagging ? this.#before.configs : this.configs;
    return [[key, { value: from.get(key) ?? null }]];
  }

  /** Of what is under way by us: disks within their reserve, copies within the limits. */
  check(limits: Limits): void {
    const into = new Map<number, SimPartition[]>();
    let bytes = 0;
    for (const one of this.ours()) {
      for (const id of one.adding) into.set(id, [...(into.get(id) ?? []), one]);
      bytes += one.sizeBytes * one.adding.length;
    }
    if (bytes > limits.batchBytes && this.ours().length > 1) this.violations.push(`${bytes} bytes at once`);
    for (const [id, copies] of into) {
      // Of all but `movesPerBroker`, the smallest.
      const beside = copies
        .map(({ sizeBytes }) => sizeBytes)
        .sort((a, b) => b - a)
        .slice(limits.movesPerBroker);
      const small = beside.reduce((sum, one) => sum + one, 0) <= smallBytes(limits);
      if (!small || copies.length > limits.movesPerBroker * 10)
        this.violations.push(`${copies.length} copies into broker ${id}`);
      this.#checkDisk(id, limits);
    }
    for (const { id } of this.brokers.values()) {
      const futures = [...this.partitions.values()].filter(
        (one) => one.futures.get(id)?.foreign === false,
      ).length;
      if (futures > limits.movesPerBroker * 10) this.violations.push(`${futures} futures on broker ${id}`);
      if (futures > 0) this.#checkDisk(id, limits);
    }
  }

  #checkDisk(id: number, limits: Limits): void {
    // What others copy there is only seen when the disk shows it: of such a disk nothing is promised.
    if (this.#filledByOthers.has(id)) return;
    const { dirs, totalBytes } = this.broker(id);
    for (const path of dirs) {
      if (this.usable(id, path) < limits.diskReserve * totalBytes && this.#isFilled(id, path))
        this.violations.push(`disk ${id} ${path} over its reserve`);
    }
  }

  /** By something of ours. */
  #isFilled(id: number, path: string): boolean {
    return [...this.partitions.values()].some(({ adding, foreign, lies, futures }) => {
      const future = futures.get(id);
      return (
        (adding.includes(id) && !foreign && lies.get(id) === path) ||
        (future?.foreign === false && future.path === path)
      );
    });
  }

  snapshotConfigs(): Map<string, string> {
    return new Map(this.configs);
  }
}

/** What passes in a few seconds: so much may be under way in more copies than otherwise. */
const smallBytes = ({ throttle }: Limits): number => (throttle?.ceilingBytesPerSecond ?? 0) * 2;

export const racksOf = (kafka: SimulatedKafka): Record<string, string> =>
  Object.fromEntries([...kafka.brokers.values()].map(({ id, rack }) => [String(id), rack]));

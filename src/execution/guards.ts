import {
  type Copy,
  type DiskState,
  type Limits,
  type LogDirState,
  type Notice,
  type PartitionKey,
  type PartitionState,
  type Seen,
  type TopicPartition,
  keyOf,
  without,
} from './model.ts';

/** Why nothing new is submitted now, anywhere in the cluster. */
export function pauses(seen: Seen, limits: Limits): Notice[] {
  const notices: Notice[] = [];
  const [first] = seen.belowMinIsr;
  if (first !== undefined) {
    const more = seen.belowMinIsr.length > 1 ? ` and ${seen.belowMinIsr.length - 1} more` : '';
    notices.push({
      code: 'below-min-isr',
      message: `${keyOf(first)} has ${first.inSync} replicas in sync of at least ${first.minIsr}${more}; nothing new is submitted until they are back`,
    });
  }
  const away = seen.away.filter((id) => !limits.mayBeAway.includes(id));
  if (away.length > 0) {
    const [plural, verb] = away.length > 1 ? ['s', 'are'] : ['', 'is'];
    notices.push({
      code: 'broker-away',
      message: `broker${plural} ${away.join(', ')} ${verb} away; nothing new is submitted until all are back`,
    });
  }
  return notices;
}

/**
 * Whether a reassignment of this partition can complete and stays above min ISR. A replica that stays and is dead blocks
 * completion for ever (KAFKA-15665, 3.8), and before 3.8 the partition may end with too few in sync.
 */
export function replicasBehind(
  state: PartitionState,
  target: readonly number[],
  alive: ReadonlySet<number>,
): string | undefined {
  if (state.leader < 0) return 'has no leader';
  const staying = state.replicas.filter((id) => target.includes(id));
  const behind = staying.filter((id) => !state.isr.includes(id) || !alive.has(id));
  if (behind.length > 0) return `waits for replicas that are not in sync: ${behind.join(', ')}`;
  const absent = without(target, state.replicas).filter((id) => !alive.has(id));
  return absent.length > 0 ? `waits for broker ${absent.join(', ')}` : undefined;
}

/** Kafka's own rule: a partition with fewer replicas than `min.insync.replicas` needs all of them. */
export const effectiveMinIsr = (configured: number | undefined, replicas: number): number =>
  Math.max(1, Math.min(configured ?? 1, replicas));

/**
 * A cancel takes the adding replicas out of the ISR without looking at min ISR (`PartitionReassignmentRevert`). The text
 * says what is missing; nothing is returned where it may be cancelled.
 */
export function cannotCancel(
  state: PartitionState,
  adding: readonly number[],
  configuredMinIsr: number | undefined,
): string | undefined {
  const left = without(state.isr, adding);
  const needed = effectiveMinIsr(configuredMinIsr, without(state.replicas, adding).length);
  if (left.length >= needed) return undefined;
  return `only ${left.length} of its earlier replicas are in sync and ${needed} are needed; it is cancelled when more are, or finished`;
}

/** The size of a replica as its broker's disk shows it, 0 where that is not known. */
export function sizeOf(key: PartitionKey, broker: number, seen: Seen): number {
  let bytes = 0;
  for (const dir of seen.disks.get(broker)?.dirs ?? []) bytes = Math.max(bytes, dir.sizes.get(key) ?? 0);
  return bytes;
}

/** What a copy will still write into one directory of a broker; all of it where its directory is not known yet. */
function outstanding(disk: DiskState, dir: LogDirState, key: PartitionKey, bytes: number): number {
  const here = dir.sizes.get(key);
  if (here !== undefined) return Math.max(0, bytes - here);
  return disk.dirs.some((other) => other.sizes.has(key)) ? 0 : bytes;
}

export interface Filling extends TopicPartition {
  readonly bytes: number;
}

/** What the copies under way will still take of each broker's disks, and whether there is room for one more. */
export class Room {
  readonly #seen: Seen;
  readonly #limits: Limits;
  readonly #into = new Map<number, Filling[]>();

  constructor(seen: Seen, limits: Limits) {
    this.#seen = seen;
    this.#limits = limits;
  }

  add(copy: Pick<Copy, 'before' | 'target'>, filling: Filling): void {
    for (const broker of without(copy.target, copy.before)) {
      this.#into.set(broker, [...(this.#into.get(broker) ?? []), filling]);
    }
  }

  /**
   * Why a copy does not fit, if so. Space counts as free when the disk says so: a replica that has to leave takes its room
   * until Kafka has deleted it (a minute after the move). Kafka chooses the directory, so the copy must fit into each.
   */
  refusal(copy: Pick<Copy, 'before' | 'target'>, bytes: number): string | undefined {
    for (const broker of without(copy.target, copy.before)) {
      const why = this.#refusalOf(broker, bytes);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #refusalOf(broker: number, bytes: number): string | undefined {
    const disk = this.#seen.disks.get(broker);
    const unknown = this.#limits.allowUnknownDisks ? undefined : `the room on broker ${broker} is not known`;
    if (disk === undefined || this.#seen.nowMs - disk.seenAtMs > this.#limits.diskFreshMs) return unknown;
    for (const dir of disk.dirs) {
      const left = this.#left(broker, disk, dir);
      if (left === undefined) {
        if (unknown !== undefined) return unknown;
        continue;
      }
      const reserve = this.#limits.diskReserve * (dir.totalBytes ?? 0);
      if (left - bytes < reserve) {
        return `${dir.path} of broker ${broker} has ${Math.max(0, Math.round(left - reserve))} bytes above its reserve, and ${bytes} are needed`;
      }
    }
    return undefined;
  }

  /** What will be left in a directory when everything under way has arrived. */
  #left(broker: number, disk: DiskState, dir: LogDirState): number | undefined {
    if (dir.usableBytes === undefined || dir.totalBytes === undefined) return undefined;
    const coming = (this.#into.get(broker) ?? []).map((one) => outstanding(disk, dir, keyOf(one), one.bytes));
    return dir.usableBytes - coming.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** A broker one of whose disks would be filled to the last by what is under way (producers took the reserve). */
  overfull(): { readonly broker: number; readonly detail: string } | undefined {
    for (const broker of this.#into.keys()) {
      const disk = this.#seen.disks.get(broker);
      if (disk === undefined) continue;
      for (const dir of disk.dirs) {
        const left = this.#left(broker, disk, dir);
        if (left !== undefined && left < (this.#limits.diskReserve * (dir.totalBytes ?? 0)) / 4) {
          return { broker, detail: `${dir.path} of broker ${broker} fills up faster than planned` };
        }
      }
    }
    return undefined;
  }
}

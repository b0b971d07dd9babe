import type { DiskState, Limits, LogDirState, PartitionKey, Seen } from './model.ts';

/** What is being written to one broker: a new replica, or a copy from another directory of that broker. */
export interface Filling {
  readonly key: PartitionKey;
  readonly bytes: number;
  /** The directory, where it is known. */
  readonly path?: string | undefined;
  readonly relocated?: true;
}

const writtenTo = ({ sizes, futures }: LogDirState, { key, relocated }: Filling): number | undefined =>
  (relocated ? futures : sizes).get(key);

/** Whether something is written into a directory, or may be: Kafka has not chosen yet. */
function fills(disk: DiskState, dir: LogDirState, one: Filling): boolean {
  if (writtenTo(dir, one) !== undefined) return true;
  if (disk.dirs.some((other) => writtenTo(other, one) !== undefined)) return false;
  return one.path === undefined || one.path === dir.path;
}

/** What will still be written into one directory. */
const outstanding = (disk: DiskState, dir: LogDirState, one: Filling): number =>
  fills(disk, dir, one) ? Math.max(0, one.bytes - (writtenTo(dir, one) ?? 0)) : 0;

/** What is under way will still take of each broker's disks, and whether there is room for one more. */
export class Room {
  readonly #seen: Seen;
  readonly #limits: Limits;
  readonly #into = new Map<number, Filling[]>();

  constructor(seen: Seen, limits: Limits) {
    this.#seen = seen;
    this.#limits = limits;
  }

  add(brokers: readonly number[], filling: (broker: number) => Filling): void {
    for (const broker of brokers)
      this.#into.set(broker, [...(this.#into.get(broker) ?? []), filling(broker)]);
  }

  /**
   * Why something does not fit on one of the brokers, if so. Space counts as free when the disk says so: a replica that has to
   * leave takes its room until Kafka has deleted it (a minute after the move). Where Kafka chooses the directory, it must fit
   * into each.
   */
  refusal(brokers: readonly number[], filling: (broker: number) => Filling): string | undefined {
    for (const broker of brokers) {
      const why = this.#refusalOf(broker, filling(broker));
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #refusalOf(broker: number, { bytes, path }: Filling): string | undefined {
    const disk = this.#seen.disks.get(broker);
    const unknown = this.#limits.allowUnknownDisks ? undefined : `the room on broker ${broker} is not known`;
    if (disk === undefined || this.#seen.nowMs - disk.seenAtMs > this.#limits.diskFreshMs) return unknown;
    const dirs = path === undefined ? disk.dirs : disk.dirs.filter((dir) => dir.path === path);
    if (path !== undefined && dirs.length === 0) return `${path} of broker ${broker} is not in service`;
    for (const dir of dirs) {
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
    const coming = (this.#into.get(broker) ?? []).map((one) => outstanding(disk, dir, one));
    return dir.usableBytes - coming.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** A directory that would be filled to the last by what is under way (producers took the reserve), and what fills it. */
  overfull():
    | { readonly broker: number; readonly fills: (one: Filling) => boolean; readonly detail: string }
    | undefined {
    for (const broker of this.#into.keys()) {
      const disk = this.#seen.disks.get(broker);
      if (disk === undefined) continue;
      for (const dir of disk.dirs) {
        const left = this.#left(broker, disk, dir);
        if (left === undefined || left >= (this.#limits.diskReserve * (dir.totalBytes ?? 0)) / 4) continue;
        const detail = `${dir.path} of broker ${broker} fills up faster than planned`;
        return { broker, fills: (one) => fills(disk, dir, one), detail };
      }
    }
    return undefined;
  }
}

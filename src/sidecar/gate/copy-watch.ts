import type { CatchingUp } from '../../gate/evidence.ts';
import { type KafkaAdmin, type LogDir, partitionKey } from '../../kafka/index.ts';
import type { Lagging } from './sync.ts';

const againAfterMs = 5_000;
/** Where a look takes long, since brokers have many replicas, it takes this share of the time. */
const share = 1 / 20;
/** Brokers that are asked for sizes in one look; what lies on others is not told. */
const brokersAsked = 12;

interface Left {
  readonly bytes: number;
  readonly atMs: number;
}

/** How much replicas that are out of sync still have to copy, and how fast they do. For messages only. */
export class CopyWatch {
  readonly #kafka: Pick<KafkaAdmin, 'describeLogDirs'>;
  #before = new Map<number, Left>();
  #told: readonly CatchingUp[] = [];
  #lookedAtMs = -Infinity;
  #againAfterMs = againAfterMs;

  constructor(kafka: Pick<KafkaAdmin, 'describeLogDirs'>) {
    this.#kafka = kafka;
  }

  /** `serving`: brokers that may be asked; one that is away copies nothing. */
  async look(
    lagging: readonly Lagging[],
    serving: ReadonlySet<number>,
    nowMs: number,
  ): Promise<readonly CatchingUp[]> {
    const copying = lagging.filter(({ broker, leader }) => serving.has(broker) && leader !== broker);
    if (copying.length === 0) {
      this.#before.clear();
      return (this.#told = []);
    }
    if (nowMs - this.#lookedAtMs < this.#againAfterMs && this.#told.length > 0) return this.#told;
    this.#lookedAtMs = nowMs;
    const asked = [...new Set(copying.flatMap(({ broker, leader }) => [broker, leader]))];
    const fromMs = performance.now();
    const sizes = await this.#sizes(asked.filter((id) => serving.has(id)).slice(0, brokersAsked));
    this.#againAfterMs = Math.max(againAfterMs, (performance.now() - fromMs) / share);
    const byBroker = Map.groupBy(copying, ({ broker }) => broker);
    const left = new Map(
      [...byBroker].flatMap(([broker, some]): [number, Left][] => {
        const bytes = bytesLeft(some, sizes);
        return bytes === undefined ? [] : [[broker, { bytes, atMs: nowMs }]];
      }),
    );
    this.#told = [...byBroker.keys()]
      .sort((a, b) => a - b)
      .map((broker) => tellOf(broker, left.get(broker), this.#before.get(broker)));
    this.#before = left;
    return this.#told;
  }

  async #sizes(brokers: readonly number[]): Promise<Map<number, Map<string, number>>> {
    const all = await Promise.all(
      brokers.map(async (id) => [id, await this.#kafka.describeLogDirs(id).catch(() => undefined)] as const),
    );
    return new Map(all.flatMap(([id, dirs]) => (dirs === undefined ? [] : [[id, sizesIn(dirs)]])));
  }
}

const sizesIn = (dirs: readonly LogDir[]): Map<string, number> =>
  new Map(
    dirs.flatMap(({ replicas }) =>
      replicas
        .filter(({ future }) => !future)
        .map((one): [string, number] => [partitionKey(one), one.sizeBytes]),
    ),
  );

/** Undefined where a size is not known. */
function bytesLeft(
  some: readonly Lagging[],
  sizes: ReadonlyMap<number, ReadonlyMap<string, number>>,
): number | undefined {
  let sum = 0;
  for (const one of some) {
    const there = sizes.get(one.leader)?.get(partitionKey(one));
    const own = sizes.get(one.broker);
    if (there === undefined || own === undefined) return undefined;
    sum += Math.max(0, there - (own.get(partitionKey(one)) ?? 0));
  }
  return sum;
}

function tellOf(broker: number, now: Left | undefined, before: Left | undefined): CatchingUp {
  if (now === undefined) return { broker };
  const bytesPerMs =
    before === undefined ? 0 : (before.bytes - now.bytes) / Math.max(1, now.atMs - before.atMs);
  const secondsLeft = bytesPerMs > 0 ? now.bytes / bytesPerMs / 1_000 : undefined;
  return { broker, bytesLeft: now.bytes, ...(secondsLeft === undefined ? {} : { secondsLeft }) };
}

import { setTimeout as pause } from 'node:timers/promises';
import type { Limits, Seen } from '../../execution/index.ts';
import type { KafkaAdmin } from '../../kafka/index.ts';

/** What tells how long producers wait. */
export type MeasuredKafka = Pick<KafkaAdmin, 'appendLatency' | 'removeLatencyGroups'>;

export interface LatencyOptions {
  readonly kafka: MeasuredKafka;
  /** Brokers that the plan copies from or to. */
  readonly brokers: readonly number[];
  /** A sample is a write, and made only where it may be. */
  readonly holds: () => boolean;
  readonly nowMs: () => number;
  readonly onFailure: (error: unknown, what: string) => void;
  readonly everyMs?: number;
}

/** The median of so many: one slow write says little, two of three within a step of the rate do. */
const kept = 3;
const firstPauseMs = 200;
/** What is older says nothing of the present. */
const staleMs = 30_000;
/** The first samples are not worth a longer wait than this. */
const firstWithinMs = 5_000;

/** A fixed rate follows nothing. */
export const followsLatency = ({ throttle, produceLatencyLimitMs }: Limits): boolean =>
  produceLatencyLimitMs !== undefined &&
  throttle !== undefined &&
  throttle.floorBytesPerSecond < throttle.ceilingBytesPerSecond;

/** Samples how long writes take on each broker of a plan, beside the executor. */
export class LatencyProbe {
  readonly #options: LatencyOptions;
  readonly #samples = new Map<number, { readonly atMs: number; readonly ms: number }[]>();
  #lastAtMs = -Infinity;
  #sampling: Promise<void> | undefined;

  constructor(options: LatencyOptions) {
    this.#options = options;
  }

  /** Before anything is copied: what the rest is compared with. */
  async first(signal: AbortSignal): Promise<void> {
    const startedAtMs = this.#options.nowMs();
    for (let taken = 0; taken < kept; taken++) {
      if (taken > 0) await pause(firstPauseMs, undefined, { signal });
      await this.#sample();
      const none = this.#samples.size === 0;
      if (none || this.#options.nowMs() - startedAtMs > firstWithinMs) return;
    }
  }

  /** One sample of each broker, unless one is under way or was taken lately. Nobody waits for it. */
  sampleWhenDue(): void {
    const { everyMs = 5_000, nowMs } = this.#options;
    if (this.#sampling !== undefined || nowMs() - this.#lastAtMs < everyMs) return;
    this.#sampling = this.#sample().finally(() => (this.#sampling = undefined));
  }

  /** The broker whose median is the longest. */
  slowest(): Seen['produceLatency'] {
    const nowMs = this.#options.nowMs();
    return [...this.#samples]
      .flatMap(([broker, samples]) => {
        const fresh = samples.filter(({ atMs }) => nowMs - atMs <= staleMs);
        const ms = fresh.map((one) => one.ms).toSorted((a, b) => a - b)[Math.floor((fresh.length - 1) / 2)];
        return ms === undefined ? [] : [{ broker, ms }];
      })
      .reduce<Seen['produceLatency']>((most, one) => (one.ms > (most?.ms ?? -1) ? one : most), undefined);
  }

  /** Leaves nothing in Kafka. */
  async end(): Promise<void> {
    const { kafka, holds, onFailure } = this.#options;
    await this.#sampling;
    if (!holds()) return;
    try {
      await kafka.removeLatencyGroups();
    } catch (error) {
      onFailure(
        error,
        'groups of the latency measurement were not removed, Kafka forgets them after offsets.retention.minutes',
      );
    }
  }

  async #sample(): Promise<void> {
    const { kafka, brokers, holds, nowMs, onFailure } = this.#options;
    this.#lastAtMs = nowMs();
    if (!holds()) return;
    try {
      for (const { broker, ms } of await kafka.appendLatency(brokers)) {
        const earlier = this.#samples.get(broker) ?? [];
        this.#samples.set(broker, [...earlier, { atMs: nowMs(), ms }].slice(-kept));
      }
    } catch (error) {
      onFailure(error, 'the latency of writes was not measured');
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { CatchingUp, Prepared } from '../../gate/index.ts';
import type { BrokerFacts } from '../../kafka/index.ts';
import { CopyWatch } from './copy-watch.ts';
import { Digester } from './digester.ts';
import { type GateKafka, type KafkaEvidence, KafkaReader } from './kafka-reader.ts';
import { laggingIn } from './sync.ts';

/** What was last read of Kafka, ready to be judged for any pod. */
export interface Gathered {
  /** Pods and record are put in when it is judged: they are known better than every read. */
  readonly prepared: Prepared;
  readonly kafka: KafkaEvidence;
  readonly brokers: readonly BrokerFacts[];
  readonly atMs: number;
  /** The last of it was seen. */
  readonly seenAtMs: number;
  readonly tookMs: number;
}

export interface Periods {
  readonly idleMs: number;
  /** From the beginning of one read to the next, while somebody waits. */
  readonly quickMs: number;
  /** How long somebody who has asked is taken to wait: `kubectl drain` asks every 5 s. */
  readonly askedForMs: number;
  /** How often brokers are asked, while idle, whether they answer; left out: never. */
  readonly pingMs?: number;
}

export const defaultPeriods: Periods = {
  idleMs: 30_000,
  quickMs: 900,
  askedForMs: 60_000,
  pingMs: 2_000,
};

/** A read that failed is repeated after this: the budget is closed until it succeeds. */
const afterFailureMs = 2_000;

export interface SourceOptions {
  readonly kafka: GateKafka;
  readonly nowMs: () => number;
  /** Ids of the brokers that should serve. */
  readonly nodes: () => readonly number[];
  /** A read has ended, well or not, or a broker answers no more. */
  readonly onRead: () => void;
  readonly log: Record<'debug' | 'warn', (fields: object, message: string) => void>;
  readonly digester?: Digester;
  readonly periods?: Periods;
}

/** Reads Kafka every half minute, and about every second for as long as somebody waits for it. */
export class EvidenceSource {
  readonly #options: SourceOptions;
  readonly #periods: Periods;
  readonly #digester: Digester;
  readonly #reader: KafkaReader;
  readonly #copies: CopyWatch;
  #latest: Gathered | undefined;
  #problem: string | undefined;
  #quickUntilMs = -Infinity;
  #catchingUp: readonly CatchingUp[] = [];
  /** When the read under way began. */
  #readingSinceMs: number | undefined;
  /** When a broker that had answered the last read was found not to. */
  #silentSinceMs = -Infinity;
  /** Ends the pause; undefined while a read is under way. */
  #wake: (() => void) | undefined;
  #again = false;
  #slowestMs = Infinity;
  #waiting: (() => void)[] = [];

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#periods = options.periods ?? defaultPeriods;
    this.#digester = options.digester ?? new Digester({ log: options.log });
    this.#reader = new KafkaReader(options.kafka, options.nowMs, this.#digester);
    this.#copies = new CopyWatch(options.kafka);
  }

  get latest(): Gathered | undefined {
    return this.#latest;
  }

  /** Why the last read gave nothing; undefined where it gave something. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** A broker that had answered does not any more, and no read has looked at that yet. */
  get silent(): boolean {
    return (this.#latest?.atMs ?? -Infinity) < this.#silentSinceMs;
  }

  /** Replicas that copy, as they were seen a few seconds ago. */
  get catchingUp(): readonly CatchingUp[] {
    return this.#catchingUp;
  }

  /** Whether each broker answers at this moment: for the allow that is about to be said. */
  async ping(): Promise<Gathered['kafka']['pings']> {
    return this.#reader.ping(this.#latest?.brokers ?? []);
  }

  /** Somebody waits: reads follow each other quickly for a while. */
  hurry(forMs = this.#periods.askedForMs): void {
    const nowMs = performance.now();
    const idle = this.#quickUntilMs < nowMs;
    this.#quickUntilMs = Math.max(this.#quickUntilMs, nowMs + forMs);
    if (idle) this.#wake?.();
  }

  /** Reads follow each other at least so often, whoever waits. */
  pace(everyMs: number): void {
    this.#slowestMs = everyMs;
  }

  /** Something has changed: one read now. */
  look(): void {
    if (this.#wake === undefined) this.#again = true;
    else this.#wake();
  }

  /** What was read at most so long ago; waits for it as long as that may take. */
  async fresh(maxAgeMs: number, patienceMs: number): Promise<Gathered | undefined> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const latest = this.#latest;
      if (latest !== undefined && Math.abs(this.#options.nowMs() - latest.atMs) <= maxAgeMs) return latest;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return undefined;
      await this.#nextRead(leftMs);
    }
  }

  async #nextRead(timeoutMs: number): Promise<void> {
    const stop = new AbortController();
    const read = new Promise<void>((resolve) => this.#waiting.push(resolve));
    await Promise.race([read, delay(timeoutMs, undefined, { signal: stop.signal }).catch(() => undefined)]);
    stop.abort();
  }

  /** Until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await Promise.all([this.#readOn(signal), this.#heed(signal)]);
    } finally {
      await this.#digester.close();
    }
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const from = performance.now();
      await this.#read();
      if (!signal.aborted) await this.#pause(performance.now() - from, signal);
    }
  }

  /**
   * A broker that answers no more, or again, is reason to read at once. A webhook replica that went with the same node costs an
   * eviction the webhook's timeout, and then the budget decides alone: it has to be closed by then, and the read may first ask
   * the very broker that is gone.
   */
  async #heed(signal: AbortSignal): Promise<void> {
    const { pingMs } = this.#periods;
    while (pingMs !== undefined && !signal.aborted) {
      await delay(pingMs, undefined, { signal }).catch(() => undefined);
      const before = this.#latest?.kafka.pings;
      if (signal.aborted || before === undefined || this.#readsSoon(pingMs)) continue;
      const sinceMs = this.#options.nowMs();
      const now = await this.ping();
      const answered = (pings: typeof before, id: number) => pings.get(id)?.tookMs !== undefined;
      const changed = [...before.keys()].filter((id) => answered(before, id) !== answered(now, id));
      if (changed.length === 0) continue;
      this.look();
      const lost = changed.filter((id) => answered(before, id));
      if (lost.length === 0 || this.silent) continue;
      // One that only paused answers by now.
      const again = await this.ping();
      if (lost.every((id) => answered(again, id))) continue;
      this.#silentSinceMs = sinceMs;
      this.#options.onRead();
    }
  }

  /** A read asks each broker itself: one that has just begun, or comes in a moment, needs no help. */
  #readsSoon(pingMs: number): boolean {
    const nowMs = performance.now();
    return this.#readingSinceMs === undefined
      ? this.#quickUntilMs > nowMs
      : nowMs - this.#readingSinceMs < pingMs;
  }

  async #read(): Promise<void> {
    const { nodes, log, onRead } = this.#options;
    this.#again = false;
    this.#readingSinceMs = performance.now();
    const wanted = this.#quickUntilMs > performance.now();
    try {
      const { evidence, ...read } = await this.#reader.read(nodes());
      this.#latest = { kafka: evidence, ...read };
      this.#problem = undefined;
      if (wanted) void this.#lookAtCopies(evidence);
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      log.debug({ event: 'gate-not-read', err: error }, this.#problem);
    }
    this.#readingSinceMs = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
    onRead();
  }

  /** Beside the reads: sizes are for messages, and no verdict waits for them. */
  async #lookAtCopies(evidence: KafkaEvidence): Promise<void> {
    const serving = new Set(
      [...evidence.pings].filter(([, { tookMs }]) => tookMs !== undefined).map(([id]) => id),
    );
    this.#catchingUp = await this.#copies.look(laggingIn(evidence), serving, this.#options.nowMs());
  }

  /** From the beginning of one read to the next as asked for; where a read takes longer, brokers rest for a fifth of it. */
  async #pause(tookMs: number, signal: AbortSignal): Promise<void> {
    const { idleMs, quickMs } = this.#periods;
    const quick = this.#quickUntilMs > performance.now();
    const woken = new AbortController();
    const quickly = Math.max(50, Math.min(tookMs / 5, 1_000), quickMs - tookMs);
    const idle = Math.min(idleMs, this.#slowestMs, this.#problem === undefined ? Infinity : afterFailureMs);
    const pauseMs = quick ? quickly : this.#again ? 50 : idle;
    this.#wake = () => {
      if (!quick) woken.abort();
    };
    await delay(pauseMs, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(
      () => undefined,
    );
    this.#wake = undefined;
  }
}

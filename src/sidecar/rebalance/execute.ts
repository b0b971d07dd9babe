import { setTimeout as pause } from 'node:timers/promises';
import {
  type Action,
  type Journal,
  type Limits,
  type LookAt,
  type Notice,
  type Pace,
  type Plan,
  type Prepared,
  type Progress,
  type Sample,
  type Step,
  next,
  paceOf,
  prepare,
  requestStop,
  settledFor,
} from '../../execution/index.ts';
import { KafkaError } from '../../kafka/index.ts';
import type { Context } from '../context.ts';
import { type Acted, type ActedOnKafka, Actor, type ToldControllers } from './execute-act.ts';
import { type Intervals, type ObservedKafka, Observer, defaultIntervals } from './execute-observe.ts';
import { LatencyProbe, type MeasuredKafka, followsLatency } from './latency.ts';

/** What is told after each look. */
export interface Told {
  readonly journal: Journal;
  readonly progress: Progress;
  readonly pace: Pace;
  readonly waiting: readonly Notice[];
  /** New since the last look. */
  readonly said: readonly Notice[];
}

export interface ExecuteOptions {
  readonly kafka: ObservedKafka & ActedOnKafka;
  /** Where the controllers can be asked; without them the throttles of brokers that are gone wait for their return. */
  readonly controllers?: ToldControllers | undefined;
  readonly plan: Plan;
  readonly limits: Limits;
  /** Of `begin`, or the stored one of an execution that was interrupted. */
  readonly journal: Journal;
  /**
   * Stores the journal by compare-and-swap, before anything is done. It throws when the lease is another's, or when the
   * journal could not be stored; then nothing more is done.
   */
  readonly save: (journal: Journal) => Promise<void>;
  /**
   * Whether the lease of this process was renewed so lately that nobody else can have it. Asked before every request that
   * changes something; `run` rejects with `NotHeld` where it was not.
   */
  readonly holds?: () => boolean;
  /** Asked before each look. */
  readonly stopRequested?: () => boolean;
  /** Where the rate is to follow how long producers wait. */
  readonly latency?: MeasuredKafka | undefined;
  /** By partition key, as the model measured them. */
  readonly writeRates?: () => ReadonlyMap<string, number> | undefined;
  readonly tell?: (told: Told) => void;
  readonly signal: AbortSignal;
  readonly log?: { debug(fields: object, message: string): void };
  readonly pollMs?: number;
  readonly intervals?: Partial<Intervals>;
  readonly nowMs?: () => number;
}

/** What an execution in the sidecar reaches, and whether it still may. */
export const reachOf = ({
  kafka,
  controllers,
  holds,
}: Context): Pick<ExecuteOptions, 'kafka'> & Partial<ExecuteOptions> => ({
  kafka,
  controllers,
  latency: kafka,
  ...(holds === undefined ? {} : { holds }),
});

/**
 * Between two looks. Where something waits to be read back `soon`; of small copies many end in a second, and the next are begun
 * while the others still keep the throttle in use: ten looks for what is under way.
 */
const pauseMs = { soon: 100, shortest: 300, usual: 500, looks: 10 };
const nothingActed: Acted = { failures: [], acknowledged: new Map() };
/** The time of day, by a clock that is never set back: guards would take an old picture for a new one until it was overtaken. */
const steadyMs = (): number => Math.round(performance.timeOrigin + performance.now());
/** The speed is told over this time. */
const paceOverMs = 60_000;

/** Milliseconds until the next look, at most `longestMs`. */
export function pauseAfter(
  { soon, underWayMs = Infinity }: Pick<Step, 'soon' | 'underWayMs'>,
  longestMs: number,
): number {
  const brisk = Math.max(pauseMs.shortest, underWayMs / pauseMs.looks);
  return Math.min(longestMs, soon ? pauseMs.soon : brisk);
}

/** Runs a plan to its end, or from where a journal left off. */
export class Execution {
  readonly #options: ExecuteOptions;
  readonly #prepared: Prepared;
  readonly #observer: Observer;
  readonly #actor: Actor;
  readonly #latency: LatencyProbe | undefined;
  #journal: Journal;
  #hasLooked = false;
  #lookAt: LookAt;
  #acted: Acted = nothingActed;
  #samples: Sample[] = [];

  constructor(options: ExecuteOptions) {
    const { kafka, controllers, plan, limits, journal, nowMs = steadyMs, holds = () => true } = options;
    this.#options = options;
    this.#journal = journal;
    this.#prepared = prepare(plan, journal.racks);
    this.#actor = new Actor({ kafka, controllers, plan, holds });
    this.#observer = new Observer({
      kafka,
      throughControllers: controllers !== undefined,
      plan,
      limits,
      nowMs,
      intervals: { ...defaultIntervals, ...options.intervals },
      onFailure: (error, what) => this.#failed(error, what),
    });
    this.#latency = this.#probe(nowMs, holds);
    const partitions = journal.copies.flatMap(({ move }) => plan.moves[move] ?? []);
    this.#lookAt = { partitions, upcoming: [], configs: journal.ledger, destinations: [], landedOn: [] };
  }

  get journal(): Journal {
    return this.#journal;
  }

  /**
   * Until the plan has ended, and what became of it has been told once: also of a plan that had ended before. Rejects when the
   * journal cannot be stored, or when `signal` is aborted: then it may be resumed.
   */
  async run(): Promise<Journal> {
    if (this.#journal.rate === undefined && this.#journal.outcome === undefined)
      await this.#latency?.first(this.#options.signal);
    while (this.#journal.outcome === undefined || !this.#hasLooked) {
      if (this.#journal.outcome === undefined) this.#latency?.sampleWhenDue();
      await this.#roundAndPause();
    }
    await this.#latency?.end();
    return this.#journal;
  }

  #probe(nowMs: () => number, holds: () => boolean): LatencyProbe | undefined {
    const { latency, plan, limits } = this.#options;
    if (latency === undefined || !followsLatency(limits)) return undefined;
    const brokers = [...new Set(plan.moves.flatMap(({ from, to }) => [...from, ...to]))];
    const onFailure = (error: unknown, what: string) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log?.debug({ event: 'rebalance-latency-failed' }, `${what}: ${reason}`);
    };
    return new LatencyProbe({ kafka: latency, brokers, holds, nowMs, onFailure });
  }

  /**
   * Takes back throttles of brokers that were away when the plan ended, as far as they answer now. Returns whether
   * nothing is owed any more; call it again later otherwise.
   */
  async payDebts(): Promise<boolean> {
    // A look to see what stands there, one to write, one to read it back.
    for (let round = 0; round < 4 && !settledFor(this.#journal); round++) {
      await this.round();
      if (this.#acted.failures.length > 0) break;
    }
    return settledFor(this.#journal);
  }

  async #roundAndPause(): Promise<void> {
    const { signal, pollMs = pauseMs.usual } = this.#options;
    signal.throwIfAborted();
    await pause(pauseAfter(await this.round(), pollMs), undefined, { signal });
  }

  /** One look, and what follows from it. Returns when the next is worth while. */
  async round(): Promise<Pick<Step, 'soon' | 'underWayMs'>> {
    const { stopRequested, tell } = this.#options;
    const nowMs = this.#options.nowMs ?? steadyMs;
    const journal = stopRequested?.() === true ? requestStop(this.#journal, nowMs()) : this.#journal;
    const seen = await this.#look();
    if (seen === undefined) return { soon: false };
    const step = next(journal, seen, { prepared: this.#prepared, limits: this.#options.limits });
    // Also where only actions follow: storing proves that the lease is still ours.
    if (step.journal !== this.#journal || step.actions.length > 0) await this.#options.save(step.journal);
    this.#journal = step.journal;
    this.#lookAt = step.lookAt;
    await this.#act(step.actions);
    const { waiting, said, progress } = step;
    this.#hasLooked = true;
    tell?.({ journal: step.journal, progress, pace: this.#pace(seen.nowMs, progress), waiting, said });
    return step;
  }

  async #act(actions: readonly Action[]): Promise<void> {
    this.#acted = nothingActed;
    for (const action of actions) {
      this.#options.signal.throwIfAborted();
      const { failures, acknowledged } = await this.#actor.carryOut(action);
      this.#acted = {
        failures: [...this.#acted.failures, ...failures],
        acknowledged: new Map([...this.#acted.acknowledged, ...acknowledged]),
      };
    }
    for (const { message, reason } of this.#acted.failures) {
      this.#options.log?.debug({ event: 'rebalance-action-failed', reason }, message);
    }
  }

  async #look() {
    const { writeRates } = this.#options;
    try {
      const seen = await this.#observer.look(this.#lookAt, this.#acted);
      const [latency, rates] = [this.#latency?.slowest(), writeRates?.()];
      return {
        ...seen,
        ...(latency === undefined ? {} : { produceLatency: latency }),
        ...(rates === undefined ? {} : { writeRates: rates }),
      };
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#failed(error, 'the state of the cluster');
      return undefined;
    }
  }

  #failed(error: unknown, what: string): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log?.debug({ event: 'rebalance-look-failed' }, `${what} could not be read: ${reason}`);
  }

  #pace(atMs: number, progress: Progress): Pace {
    this.#samples.push({ atMs, bytesMoved: progress.bytesMoved });
    this.#samples = this.#samples.filter((one) => atMs - one.atMs <= paceOverMs);
    return paceOf(this.#samples, progress);
  }
}

/** Runs a plan to its end; see `Execution.run`. */
export const execute = (options: ExecuteOptions): Promise<Journal> => new Execution(options).run();

import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../kubernetes/object.ts';
import type { Facts, Report, Reports } from './context.ts';
import type { Metrics } from './metrics.ts';
import type { Kind } from './world.ts';

/** One thing that the sidecar keeps right: a pass compares what is with what should be, and changes only that. */
export interface Duty {
  readonly name: string;
  /** Safe to repeat, and writes nothing when nothing differs. */
  readonly reconcile: (signal: AbortSignal) => Promise<Report>;
  /** The longest pause between passes. */
  readonly everyMs: number;
  /** Changes that may give it something to do. */
  readonly wokenBy?: readonly Kind[];
  /** Duties that must have tried once before this one begins. */
  readonly after?: readonly string[];
}

export interface DutyLoop extends Reports {
  /** Asks for a pass soon: of one duty, or of those that a change may concern. */
  wake(name: string): void;
  tell(kind: Kind): void;
  /** Called after each pass whose report differs from the one before. */
  onReport(listener: (duty: string) => void): void;
  /** Runs all duties until aborted, each in its own loop. */
  run(signal: AbortSignal): Promise<void>;
}

const settleMs = 50;
const backoffMs = { first: 1_000, longest: 30_000 };
const sameErrorMs = 60_000;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Runs duties: after a change (gathered for 50 ms), after their pause, and again after a failure (1 s to 30 s). */
export function dutyLoop(
  duties: readonly Duty[],
  { log, metrics }: { log: Log; metrics: Metrics },
): DutyLoop {
  const reports = new Map<string, Report>();
  const wakers = new Map<string, () => void>();
  const dirty = new Set<string>();
  const tried = new Map(duties.map(({ name }) => [name, Promise.withResolvers<void>()]));
  let listener: (duty: string) => void = () => undefined;

  const wake = (name: string): void => {
    dirty.add(name);
    wakers.get(name)?.();
  };

  async function pass(duty: Duty, signal: AbortSignal): Promise<number> {
    const stop = metrics.reconcileSeconds.startTimer({ duty: duty.name });
    try {
      const report = await duty.reconcile(signal);
      const changed = JSON.stringify(report) !== JSON.stringify(reports.get(duty.name));
      reports.set(duty.name, report);
      if (changed) listener(duty.name);
      return report.againInMs ?? duty.everyMs;
    } finally {
      stop();
    }
  }

  async function keep(duty: Duty, signal: AbortSignal): Promise<void> {
    let failures = 0;
    let told = { text: '', atMs: -Infinity };
    const before = (duty.after ?? []).flatMap((name) => tried.get(name)?.promise ?? []);
    await Promise.race([Promise.all(before), aborted(signal)]);
    while (!signal.aborted) {
      dirty.delete(duty.name);
      let pauseMs: number;
      try {
        pauseMs = await pass(duty, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        pauseMs = Math.min(backoffMs.first * 2 ** failures, backoffMs.longest);
        failures += 1;
        metrics.reconcileErrors.inc({ duty: duty.name });
        const text = error instanceof Error ? error.message : String(error);
        if (text !== told.text || performance.now() - told.atMs > sameErrorMs) {
          log.warn({ event: 'duty-failed', duty: duty.name, failures, err: error }, text);
          told = { text, atMs: performance.now() };
        }
      }
      tried.get(duty.name)?.resolve();
      await nextTurn(duty.name, pauseMs, { signal, mayHurry: failures < 3 });
    }
  }

  async function nextTurn(
    name: string,
    pauseMs: number,
    { signal, mayHurry }: { signal: AbortSignal; mayHurry: boolean },
  ): Promise<void> {
    const woken = new AbortController();
    if (mayHurry) wakers.set(name, () => woken.abort());
    if (!(mayHurry && dirty.has(name))) {
      await delay(pauseMs, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(
        () => undefined,
      );
    }
    wakers.delete(name);
    await delay(settleMs, undefined, { signal }).catch(() => undefined);
  }

  return {
    all: () => [...reports.values()],
    facts: () => Object.assign({}, ...[...reports.values()].map(({ facts }) => facts ?? {})) as Facts,
    wake,
    tell: (kind) => duties.filter(({ wokenBy }) => wokenBy?.includes(kind)).forEach(({ name }) => wake(name)),
    onReport: (given) => void (listener = given),
    async run(signal) {
      await Promise.all(duties.map((duty) => keep(duty, signal)));
    },
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Informer } from '../kubernetes/informer.ts';

/**
 * Yields once at the start, then after changes in any of these informers (several at once count as one), and at least
 * every `atLeastEveryMs`; ends when the signal aborts. It is what a level-triggered loop waits for.
 */
export async function* changesOf(
  informers: readonly Pick<Informer<unknown>, 'onChange'>[],
  {
    atLeastEveryMs,
    signal,
    settleMs = 100,
  }: { atLeastEveryMs: number; signal: AbortSignal; settleMs?: number },
): AsyncGenerator<void, void, void> {
  let changed = Promise.withResolvers<void>();
  const stops = informers.map((informer) => informer.onChange(() => changed.resolve()));
  const ended = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  try {
    while (!signal.aborted) {
      changed = Promise.withResolvers<void>();
      yield;
      const pause = new AbortController();
      await Promise.race([
        changed.promise,
        ended,
        delay(atLeastEveryMs, undefined, pause).catch(() => undefined),
      ]);
      pause.abort();
      await Promise.race([ended, delay(settleMs)]);
    }
  } finally {
    for (const stop of stops) stop();
  }
}

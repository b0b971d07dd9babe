import { setTimeout as delay } from 'node:timers/promises';

/** The value, or `late` where it takes longer; what was begun goes on unheard. */
export async function inTime<T, L>(work: Promise<T>, patienceMs: number, late: () => L): Promise<T | L> {
  const stop = new AbortController();
  const pause = delay(patienceMs, undefined, { signal: stop.signal }).then(late);
  pause.catch(() => undefined);
  try {
    return await Promise.race([work, pause]);
  } finally {
    stop.abort();
  }
}

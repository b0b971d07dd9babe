import { setTimeout as delay } from 'node:timers/promises';

/** The value, or what `late` gives where it takes longer: an `Error` unless told otherwise. What was begun goes on unheard. */
export async function inTime<T, L = never>(
  work: Promise<T>,
  patienceMs: number,
  late: () => L = () => {
    throw new Error(`no answer within ${patienceMs} ms`);
  },
): Promise<T | L> {
  const stop = new AbortController();
  const pause = delay(patienceMs, undefined, { signal: stop.signal }).then(late);
  pause.catch(() => undefined);
  try {
    return await Promise.race([work, pause]);
  } finally {
    stop.abort();
  }
}

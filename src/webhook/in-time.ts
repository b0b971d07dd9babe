import { setTimeout as delay } from 'node:timers/promises';

/** The value, or an `Error` where it takes longer; the reading itself goes on unheard. */
export async function inTime<T>(reading: Promise<T>, patienceMs: number): Promise<T> {
  const pause = new AbortController();
  const late = delay(patienceMs, undefined, pause).then(() => {
    throw new Error(`no answer within ${patienceMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([reading, late]);
  } finally {
    pause.abort();
  }
}

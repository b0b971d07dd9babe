/** The value, or what `late` gives where it takes longer: an `Error` unless told otherwise. What was begun goes on unheard. */
export async function inTime<T, L = never>(
  work: Promise<T>,
  patienceMs: number,
  late: () => L = () => {
    throw new Error(`no answer within ${patienceMs} ms`);
  },
): Promise<T | L> {
  // No abort signal: to make the error of each abort costs more than the rest of a call.
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs))).then(late);
  try {
    return await Promise.race([work, pause]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Polls until a check yields a value, at most `timeoutMs`; a check that throws counts as not yet, unless `isFinal` says that it
 * will never be. Throws with the last reason.
 * For conditions of a real cluster, which tells of no event that a test could await.
 */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  {
    timeoutMs = 120_000,
    everyMs = 500,
    isFinal = () => false,
  }: { timeoutMs?: number; everyMs?: number; isFinal?: (error: unknown) => boolean } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown = 'it was never so';
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      if (isFinal(error)) throw error;
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() > deadline)
      throw new Error(`not within ${timeoutMs / 1000} s: ${what} (${String(last)})`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

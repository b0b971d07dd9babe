import type { Log } from '../kubernetes/object.ts';

/**
 * The same log, in which a warning of the same words comes once a minute at most: while the API server is away every
 * watch breaks again and again, and one line tells it. The next line says how many were left out.
 */
export function quietWarnings(log: Log, nowMs: () => number = () => performance.now()): Log {
  const told = new Map<string, { atMs: number; leftOut: number }>();
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    error: (fields, message) => log.error(fields, message),
    warn(fields, message) {
      const before = told.get(message);
      if (before !== undefined && nowMs() - before.atMs < 60_000) {
        before.leftOut += 1;
        return;
      }
      told.set(message, { atMs: nowMs(), leftOut: 0 });
      const leftOut = before?.leftOut ?? 0;
      log.warn(leftOut === 0 ? fields : { ...fields, leftOut }, message);
    },
  };
}

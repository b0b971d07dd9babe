import { exitCodes, type ExitCode } from '../errors.ts';

/** What is still open then (a socket kept alive) does not hold the process back for longer. */
const lingerMs = 5_000;

/** Runs a server or a longer task; SIGTERM or SIGINT asks it to end, a second signal ends it at once. */
export const serveUntilAsked = async (
  serve: (env: NodeJS.ProcessEnv, signal: AbortSignal) => Promise<unknown>,
): Promise<ExitCode> => {
  const stop = new AbortController();
  const ask = (): void => {
    if (stop.signal.aborted) process.exit(exitCodes.findings);
    stop.abort();
  };
  process.on('SIGTERM', ask);
  process.on('SIGINT', ask);
  await serve(process.env, stop.signal);
  setTimeout(() => process.exit(), lingerMs).unref();
  return exitCodes.ok;
};

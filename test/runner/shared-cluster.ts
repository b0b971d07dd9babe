import { clusterUnavailable, runningCluster, startCluster, stopCluster } from '../cluster/index.ts';

/**
 * One test cluster for all files that need one: started before the first, removed after the last, also on a signal. One that
 * stands already is given this checkout's image and left standing; where none can be had, the files skip by themselves.
 */
export async function withSharedCluster<T>(run: () => Promise<T>): Promise<T> {
  if (clusterUnavailable() !== undefined || (process.env['KUBECONFIG'] ?? '') !== '') return run();
  const standing = await runningCluster().catch(() => undefined);
  if (standing !== undefined) {
    await standing.loadImage();
    return run();
  }
  const end = (): void => {
    void stopCluster().finally(() => process.exit(130));
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    await startCluster({ standing: true });
    return await run();
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    await stopCluster();
  }
}

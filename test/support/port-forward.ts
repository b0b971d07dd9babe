import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Cluster } from '../cluster/index.ts';

/** A way to a pod's port from this machine, over the API server: works on every cluster. */
export interface Forward extends AsyncDisposable {
  port: number;
}

/** Opens `kubectl port-forward` to a pod's port. Throws when it ends before it is ready. */
export async function portForward(
  cluster: Cluster,
  { namespace, pod, port }: { namespace: string; pod: string; port: number },
): Promise<Forward> {
  const args = [
    '--kubeconfig',
    cluster.kubeconfig,
    '-n',
    namespace,
    'port-forward',
    `pod/${pod}`,
    `:${port}`,
  ];
  const child = spawn(cluster.programs.kubectl, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const local = new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /127\.0\.0\.1:(\d+)/.exec(line);
      if (match) resolve(Number(match[1]));
    });
    void exited.then(() => reject(new Error(`kubectl port-forward to ${pod}:${port} ended`)));
  });
  return {
    port: await local,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}

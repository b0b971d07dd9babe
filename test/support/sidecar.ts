import { connect, type Kube } from '../../src/kubernetes/client.ts';
import type { Log } from '../../src/kubernetes/object.ts';
import { runSidecar } from '../../src/sidecar/main.ts';
import type { Cluster } from '../cluster/index.ts';

/** A sidecar that runs in the test's own process, against a real cluster. */
export interface LocalSidecar {
  readonly lines: readonly { level: string; fields: object; message: string }[];
  readonly port: number;
  stop(): Promise<void>;
}

/** Where the sidecar of a cluster is started, and where its health is served. */
export interface Place {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** As the chart's `evictionGate.enabled`; off where absent. */
  readonly evictionGate?: boolean;
}

export const kubeOf = (cluster: Cluster): Promise<Kube> => connect({ kubeconfig: cluster.kubeconfig });

/** Starts one; broker names are resolved by the cluster's own DNS. */
export async function startSidecar(
  cluster: Cluster,
  { namespace, name, port, evictionGate = false }: Place,
): Promise<LocalSidecar> {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields, message });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const stop = new AbortController();
  const env = {
    WARDEN_NAMESPACE: namespace,
    WARDEN_CLUSTER: name,
    WARDEN_POD: `test-${process.pid}-${port}`,
    WARDEN_PORT: String(port),
    WARDEN_EVICTION_GATE: String(evictionGate),
  };
  const ended = runSidecar(env, stop.signal, { kube: await kubeOf(cluster), log, lookup: cluster.lookup });
  ended.catch(() => undefined);
  return {
    lines,
    port,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

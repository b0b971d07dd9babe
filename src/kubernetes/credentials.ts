import { readFileSync, statSync } from 'node:fs';
import https from 'node:https';
import type http from 'node:http';

/** Where the API server is and how a request proves who sends it. */
export interface Credentials {
  server: URL;
  /** The namespace that the context or the service account names. */
  namespace: string | undefined;
  /** Fresh for each request: tokens and the server's CA may be rotated under a running process. */
  prepare(): Promise<{ headers: Record<string, string>; agent: http.Agent }>;
}

const agentOptions: https.AgentOptions = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 4 };
const serviceAccountRoot = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Reads a small file again when it was changed (projected volumes swap a symbolic link). */
function rotating(path: string): () => string {
  let seenMs = -1;
  let text = '';
  return () => {
    const { mtimeMs } = statSync(path);
    if (mtimeMs !== seenMs) {
      text = readFileSync(path, 'utf8').trim();
      seenMs = mtimeMs;
    }
    return text;
  };
}

/** Credentials of the pod's own service account; undefined outside a pod. */
export function inClusterCredentials(
  env: NodeJS.ProcessEnv,
  root = serviceAccountRoot,
): Credentials | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (!host) return undefined;
  const token = rotating(`${root}/token`);
  const authority = rotating(`${root}/ca.crt`);
  let agent: https.Agent | undefined;
  let agentCa = '';
  const current = () => {
    const ca = authority();
    if (!agent || ca !== agentCa) {
      agent?.destroy();
      agentCa = ca;
      agent = new https.Agent({ ...agentOptions, ca });
    }
    return agent;
  };
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    namespace: rotating(`${root}/namespace`)(),
    prepare: async () => ({ headers: { authorization: `Bearer ${token()}` }, agent: current() }),
  };
}

/**
 * Credentials of a kubeconfig file (or text), of `$KUBECONFIG` or `~/.kube/config`. The Kubernetes client library
 * reads it, runs credential plugins and makes proxies' agents; it is loaded only here, because it doubles the
 * memory of a process.
 */
export async function kubeconfigCredentials(kubeconfig?: string): Promise<Credentials> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else if (kubeconfig.includes('\n')) config.loadFromString(kubeconfig);
  else config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (!cluster?.server)
    throw new Error(
      'the kubeconfig names no current cluster: set current-context, or give --kubeconfig FILE',
    );
  const proxied = Boolean(cluster.proxyUrl);
  let own: { key: string; agent: https.Agent } | undefined;
  const agentFor = (options: https.RequestOptions): http.Agent => {
    if (proxied || !cluster.server.startsWith('https:')) return options.agent as http.Agent;
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    const identity = [ca, cert, key].map(String).join('\n');
    if (own?.key !== identity) {
      const tls = { ca, cert, key, servername, rejectUnauthorized };
      const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
      own = { key: identity, agent: new https.Agent({ ...agentOptions, ...given }) };
    }
    return own.agent;
  };
  return {
    server: new URL(cluster.server),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    prepare: async () => {
      const options: https.RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const headers = { ...(options.headers as Record<string, string> | undefined) };
      if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
      return { headers, agent: agentFor(options) };
    },
  };
}

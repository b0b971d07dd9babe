import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** An object of the API, as far as this harness looks at it. */
export interface KubeObject {
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
  };
}

/** A client of the API server for the harness's own controllers: JSON in, JSON out. */
export interface ApiClient {
  list<T extends KubeObject>(path: string): Promise<T[]>;
  /** Deleting what is gone already counts as done. */
  send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<void>;
  /** Calls back on every event of a collection until the connection ends, and resolves then. */
  watch(path: string, onEvent: () => void): Promise<void>;
}

interface Kubeconfig {
  clusters: [{ cluster: { server: string; 'certificate-authority': string } }];
  users: [{ user: { 'client-certificate': string; 'client-key': string } }];
}

/** Reads one of the harness's own kubeconfig files (JSON, with file references). */
export async function apiClient(kubeconfigFile: string): Promise<ApiClient> {
  const config = JSON.parse(await readFile(kubeconfigFile, 'utf8')) as Kubeconfig;
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  const agent = new Agent({
    keepAlive: true,
    ca: await readFile(cluster['certificate-authority']),
    cert: await readFile(user['client-certificate']),
    key: await readFile(user['client-key']),
  });

  function open(method: string, path: string, body?: object): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const outgoing = request(new URL(path, cluster.server), {
        method,
        agent,
        headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': type }) },
      });
      outgoing.once('response', resolve).once('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async function call(method: string, path: string, body?: object): Promise<string> {
    const response = await open(method, path, body);
    const answer = await text(response);
    const status = response.statusCode ?? 0;
    const isGone = method === 'DELETE' && status === 404;
    if ((status >= 200 && status < 300) || isGone) return answer;
    throw new Error(`${method} ${path}: ${status} ${answer.slice(0, 500)}`);
  }

  return {
    async list<T extends KubeObject>(path: string) {
      return (JSON.parse(await call('GET', path)) as { items: T[] }).items;
    },
    async send(method, path, body) {
      await call(method, path, body);
    },
    async watch(path, onEvent) {
      const response = await open('GET', `${path}?watch=1&timeoutSeconds=300`);
      response.on('data', onEvent);
      await new Promise<void>((resolve, reject) => {
        response.once('end', resolve).once('error', reject).once('close', resolve);
      });
    },
  };
}

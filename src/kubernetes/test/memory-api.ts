import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from '../errors.ts';
import { kubeOver, type Kube } from '../client.ts';
import type { KubeObject } from '../object.ts';
import type { Exchange } from '../transport.ts';

type Tree = Record<string, unknown>;
type Asked = Pick<Exchange, 'method' | 'path' | 'query' | 'body'>;

/** What an API server answers. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** An API server in memory, as far as clients of plain objects need one: it stores, merges, lists, and counts versions. */
export interface MemoryApi {
  readonly objects: Map<string, KubeObject & Tree>;
  answer(asked: Asked): Answer;
  /** Called after each write, with what was written and its path. */
  onWrite?: (path: string, object: KubeObject & Tree) => void;
  /** Answers instead, where it returns something. */
  refuse?: (asked: Asked) => Answer | undefined;
  readonly kube: Kube;
  /** Puts an object there, as if somebody else had written it. */
  put(path: string, object: object): void;
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const result: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const refusal = (status: number, reason: string, path: string): Answer => ({
  status,
  body: { kind: 'Status', status: 'Failure', reason, code: status, message: `${path}: ${reason}` },
});

/** Whether the preconditions of a deletion hold. */
function isAsExpected({ metadata }: KubeObject, body: unknown): boolean {
  const { preconditions } = (body ?? {}) as { preconditions?: { uid?: string; resourceVersion?: string } };
  const { uid, resourceVersion } = { ...metadata, ...preconditions };
  return uid === metadata?.uid && resourceVersion === metadata?.resourceVersion;
}

const selects = (selector: string | undefined, labels: Record<string, string> = {}): boolean =>
  (selector ?? '')
    .split(',')
    .filter((one) => one !== '')
    .every((one) => labels[one.split('=')[0] ?? ''] === one.split('=')[1]);

export function memoryApi(namespace = 'shop'): MemoryApi {
  const objects: MemoryApi['objects'] = new Map();
  let version = 0;

  const store = (path: string, object: KubeObject & Tree): Answer => {
    version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    const stored = { ...object, metadata };
    objects.set(path, stored);
    api.onWrite?.(path, stored);
    return { status: 200, body: objects.get(path) };
  };

  const create = (path: string, body: KubeObject & Tree): Answer => {
    const { name, generateName } = (body.metadata ?? {}) as { name?: string; generateName?: string };
    const given = name ?? `${generateName ?? ''}${String(version).padStart(5, '0')}`;
    if (objects.has(`${path}/${given}`)) return refusal(409, 'AlreadyExists', `${path}/${given}`);
    const made = { uid: `uid-${version}`, generation: 1, creationTimestamp: new Date().toISOString() };
    return store(`${path}/${given}`, {
      ...body,
      metadata: { ...made, namespace, ...body.metadata, name: given },
    });
  };

  const list = (path: string, query: Asked['query']): Answer => {
    const items = [...objects]
      .filter(([key]) => key.startsWith(`${path}/`) && !key.slice(path.length + 1).includes('/'))
      .map(([, object]) => object)
      .filter(({ metadata }) => selects(query?.['labelSelector'] as string | undefined, metadata?.labels));
    const [first] = items;
    return {
      status: 200,
      body: {
        apiVersion: first?.apiVersion ?? 'v1',
        kind: `${first?.kind ?? ''}List`,
        metadata: { resourceVersion: String(version) },
        items,
      },
    };
  };

  const patch = (path: string, body: unknown): Answer => {
    const key = path.replace(/\/status$/, '');
    const there = objects.get(key);
    if (there === undefined) return refusal(404, 'NotFound', path);
    const version = (body as KubeObject).metadata?.resourceVersion;
    const stale = version !== undefined && version !== there.metadata?.resourceVersion;
    return stale ? refusal(409, 'Conflict', path) : store(key, merged(there, body) as KubeObject & Tree);
  };

  const remove = (path: string, there: KubeObject & Tree, body: unknown): Answer => {
    if (!isAsExpected(there, body)) return refusal(409, 'Conflict', path);
    objects.delete(path);
    return { status: 200, body: there };
  };

  const answer = (asked: Asked): Answer => {
    const refused = api.refuse?.(asked);
    if (refused !== undefined) return refused;
    const { method, path, query, body } = asked;
    const there = objects.get(path);
    if (method === 'POST') return create(path, body as KubeObject & Tree);
    if (method === 'PATCH') return patch(path, body);
    if (method === 'GET' && there === undefined && /s$/.test(path)) return list(path, query);
    if (there === undefined) return refusal(404, 'NotFound', path);
    if (method === 'GET') return { status: 200, body: there };
    if (method === 'PUT') {
      const replaced = (body as KubeObject).metadata?.resourceVersion;
      const stale = replaced !== undefined && replaced !== there.metadata?.resourceVersion;
      return stale ? refusal(409, 'Conflict', path) : store(path, body as KubeObject & Tree);
    }
    return remove(path, there, body);
  };

  const send = async (exchange: Exchange): Promise<string> => {
    const { status, body } = answer({ ...exchange, body: structuredClone(exchange.body) });
    if (status < 300) return JSON.stringify(body);
    const { reason, message } = body as { reason: string; message: string };
    throw new ApiError({ status, reason, message, path: exchange.path });
  };
  const open = () => Promise.reject(new Error('this API server has no watches'));
  const api: MemoryApi = {
    objects,
    answer,
    kube: kubeOver({ send, open }, namespace),
    put: (path, object) => void store(path, object as KubeObject & Tree),
  };
  return api;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}

/** A kubeconfig for an API server on loopback. */
export const kubeconfigFor = (port: number, namespace = 'shop'): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace } }],
    clusters: [
      { name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'u', user: { token: 't' } }],
  });

/** Answers requests, for a server of whatever kind. */
export const listenerOf =
  (api: MemoryApi): RequestListener =>
  (request, response) => {
    void bodyOf(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const method = request.method as Asked['method'];
      const query = Object.fromEntries(url.searchParams);
      const { status, body: text } = api.answer({ method, path: url.pathname, query, body });
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(text));
    });
  };

/** Serves it on this machine, for programs that come with a kubeconfig. Returns that as text, and how to end it. */
export async function serveMemoryApi(api: MemoryApi, namespace = 'shop') {
  const server = createServer(listenerOf(api)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const kubeconfig = kubeconfigFor(port, namespace);
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { kubeconfig, close };
}

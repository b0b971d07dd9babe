import { inClusterCredentials, kubeconfigCredentials } from './credentials.ts';
import { isStatus } from './errors.ts';
import type { KubeObject } from './object.ts';
import { transport, type Transport } from './transport.ts';
import { watchEvents, type WatchEvent } from './watch.ts';

export { ApiError, UnreachableError, isStatus } from './errors.ts';

export interface ListOptions {
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface WriteOptions {
  fieldManager?: string;
  /** `apply` only: take over fields that another manager owns. */
  force?: boolean;
  dryRun?: boolean;
}

export interface RemoveOptions {
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  gracePeriodSeconds?: number;
  dryRun?: boolean;
}

export interface WatchOptions extends ListOptions {
  resourceVersion: string;
  /** After this the server ends the watch by itself. */
  timeoutSeconds: number;
  /** A watch silent for longer is taken for dead (bookmarks come about every minute). */
  silenceMs: number;
  signal: AbortSignal;
}

export type PatchKind = 'merge' | 'strategic' | 'json' | 'apply';

/**
 * Thin calls on plain JSON objects by API path (see `paths`). All throw `ApiError` for the server's refusals and
 * `UnreachableError` where no answer came (nothing is known then about what was done).
 */
export interface Kube {
  /** The namespace of the context or of the service account. */
  readonly namespace: string | undefined;
  get<T>(path: string): Promise<T>;
  /** Undefined for 404. */
  tryGet<T>(path: string): Promise<T | undefined>;
  /** All items over all pages, each with its `apiVersion` and `kind`. */
  list<T>(path: string, options?: ListOptions): Promise<T[]>;
  /** `list` and the version from which a watch goes on. */
  listAt<T>(path: string, options?: ListOptions): Promise<{ items: T[]; resourceVersion: string }>;
  create<T>(path: string, body: unknown, options?: WriteOptions): Promise<T>;
  replace<T>(path: string, body: unknown, options?: WriteOptions): Promise<T>;
  patch<T>(path: string, body: unknown, kind: PatchKind, options?: WriteOptions): Promise<T>;
  /** An object that is already gone (404) is no error. */
  remove(path: string, options?: RemoveOptions): Promise<void>;
  watch<T>(path: string, options: WatchOptions): AsyncGenerator<WatchEvent<T>, void, void>;
}

const requestTimeoutMs = 15_000;
const pageSize = 500;

const contentTypes: Record<PatchKind, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

interface Page {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion: string; continue?: string };
  items: KubeObject[];
}

async function listPages<T>(wire: Transport, path: string, options: ListOptions = {}) {
  const items: T[] = [];
  let next: string | undefined;
  for (;;) {
    const query = { ...options, limit: pageSize, continue: next };
    const page = JSON.parse(
      await wire.send({ method: 'GET', path, query, timeoutMs: requestTimeoutMs }),
    ) as Page;
    const identity = { apiVersion: page.apiVersion, kind: page.kind.replace(/List$/, '') };
    for (const item of page.items) items.push({ ...identity, ...item } as T);
    next = page.metadata.continue;
    if (!next) return { items, resourceVersion: page.metadata.resourceVersion };
  }
}

/** The calls over a transport; `connect` makes both. */
export function kubeOver(wire: Transport, namespace?: string): Kube {
  const get = async <T>(path: string): Promise<T> =>
    JSON.parse(await wire.send({ method: 'GET', path, timeoutMs: requestTimeoutMs })) as T;

  async function write<T>(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    sent: { body: unknown; contentType?: string; options: WriteOptions },
  ): Promise<T> {
    const { fieldManager, force, dryRun } = sent.options;
    const query = { fieldManager, force, dryRun: dryRun ? 'All' : undefined };
    const { body, contentType = 'application/json' } = sent;
    return JSON.parse(
      await wire.send({ method, path, query, body, contentType, timeoutMs: requestTimeoutMs }),
    ) as T;
  }

  return {
    namespace,
    get,
    tryGet: async <T>(path: string) =>
      get<T>(path).catch((error: unknown) => {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }),
    list: async <T>(path: string, options?: ListOptions) => (await listPages<T>(wire, path, options)).items,
    listAt: (path, options) => listPages(wire, path, options),
    create: (path, body, options = {}) => write('POST', path, { body, options }),
    replace: (path, body, options = {}) => write('PUT', path, { body, options }),
    patch: (path, body, kind, options = {}) =>
      write('PATCH', path, { body, contentType: contentTypes[kind], options }),
    remove: async (path, { dryRun, ...options } = {}) => {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...options,
        ...(dryRun ? { dryRun: ['All'] } : {}),
      };
      await wire
        .send({ method: 'DELETE', path, body, timeoutMs: requestTimeoutMs })
        .catch((error: unknown) => {
          if (!isStatus(error, 404)) throw error;
        });
    },
    watch: (path, options) => watchEvents(wire, path, options),
  };
}

/**
 * Connects with the pod's service account where there is one, else with the kubeconfig: `kubeconfig` is a file's
 * path or the YAML text itself; without it `$KUBECONFIG`, then `~/.kube/config`. A given kubeconfig always wins.
 */
export async function connect(
  options: { kubeconfig?: string | undefined; env?: NodeJS.ProcessEnv } = {},
): Promise<Kube> {
  const { kubeconfig, env = process.env } = options;
  const inCluster = kubeconfig === undefined && !env['KUBECONFIG'] ? inClusterCredentials(env) : undefined;
  const credentials = inCluster ?? (await kubeconfigCredentials(kubeconfig));
  return kubeOver(transport(credentials), credentials.namespace);
}

import { setTimeout as delay } from 'node:timers/promises';
import { isStatus, type Kube } from './client.ts';
import type { Log } from './object.ts';

interface Named {
  metadata?: { name?: string; namespace?: string; resourceVersion?: string };
}

export type Change<T> =
  { type: 'added'; object: T } | { type: 'modified'; object: T; old: T } | { type: 'deleted'; object: T };

/** A live copy of one collection. Objects are shared: never change them. */
export interface Informer<T> {
  /** Begins to list and watch, until the signal aborts. */
  start(signal: AbortSignal): void;
  /** Resolves when the first list is in. */
  readonly synced: Promise<void>;
  get(namespace: string | undefined, name: string): T | undefined;
  list(): T[];
  /** Calls the listener at each change from now on; returns the call that ends it. */
  onChange(listener: (change: Change<T>) => void): () => void;
  /** Milliseconds since the API server was last heard (an event, a bookmark or a list); Infinity before. */
  ageMs(now?: number): number;
}

export interface InformerOptions<T> {
  path: string;
  labelSelector?: string;
  fieldSelector?: string;
  log: Log;
  /** Makes the stored form smaller; by default without `managedFields`. */
  trim?: (object: T) => T;
  /** A watch that is silent for longer is reopened; bookmarks come about every minute, but are not promised. */
  silenceMs?: number;
}

const watchSeconds = 300;
const firstBackoffMs = 500;
const maxBackoffMs = 30_000;
/** A server that ends each watch at once is not asked in a tight loop. */
const minWatchPauseMs = 200;

const keyOf = (namespace: string | undefined, name: string | undefined): string =>
  `${namespace ?? ''}/${name ?? ''}`;

function withoutManagedFields<T>(object: T): T {
  const { metadata } = object as { metadata?: { managedFields?: unknown } };
  if (metadata?.managedFields) delete metadata.managedFields;
  return object;
}

/**
 * A list-and-watch loop that does not give up: it resumes a broken watch from the last version seen, lists again
 * after 410 Gone, waits longer after each failure (0.5 s to 30 s, with jitter), and reopens a watch that is silent.
 */
export function informer<T extends Named>(kube: Kube, options: InformerOptions<T>): Informer<T> {
  const { path, labelSelector, fieldSelector, log, silenceMs = 150_000 } = options;
  const trim = options.trim ?? withoutManagedFields<T>;
  const selectors = { labelSelector, fieldSelector };
  const store = new Map<string, T>();
  const listeners = new Set<(change: Change<T>) => void>();
  const synced = Promise.withResolvers<void>();
  let lastHeardMs = -Infinity;

  function notify(change: Change<T>): void {
    for (const listener of listeners) {
      try {
        listener(change);
      } catch (error) {
        log.error({ path, err: error }, 'a listener failed');
      }
    }
  }

  function put(received: T): void {
    const object = trim(received);
    const key = keyOf(object.metadata?.namespace, object.metadata?.name);
    const old = store.get(key);
    store.set(key, object);
    if (!old) notify({ type: 'added', object });
    else if (old.metadata?.resourceVersion !== object.metadata?.resourceVersion)
      notify({ type: 'modified', object, old });
  }

  function drop(key: string, object: T): void {
    if (store.delete(key)) notify({ type: 'deleted', object });
  }

  async function relist(): Promise<string> {
    const { items, resourceVersion } = await kube.listAt<T>(path, selectors);
    lastHeardMs = Date.now();
    const present = new Set(items.map((item) => keyOf(item.metadata?.namespace, item.metadata?.name)));
    for (const [key, object] of [...store]) if (!present.has(key)) drop(key, object);
    for (const item of items) put(item);
    synced.resolve();
    return resourceVersion;
  }

  /** One watch; tells the version to resume from through `seen`. */
  async function follow(resourceVersion: string, signal: AbortSignal, seen: (version: string) => void) {
    // Watches of many replicas must not end at the same moment.
    const timeoutSeconds = Math.round(watchSeconds * (0.8 + Math.random() * 0.4));
    const watch = { ...selectors, resourceVersion, timeoutSeconds, silenceMs, signal };
    for await (const { type, object } of kube.watch<T>(path, watch)) {
      lastHeardMs = Date.now();
      if (type === 'DELETED') drop(keyOf(object.metadata?.namespace, object.metadata?.name), trim(object));
      else if (type !== 'BOOKMARK') put(object);
      if (object.metadata?.resourceVersion) seen(object.metadata.resourceVersion);
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => undefined);
    let version: string | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        version ??= await relist();
        await follow(version, signal, (next) => {
          version = next;
          failures = 0;
        });
        await pause(minWatchPauseMs);
      } catch (error) {
        if (signal.aborted) return;
        if (isStatus(error, 410)) version = undefined;
        failures += 1;
        const waitMs =
          Math.min(maxBackoffMs, firstBackoffMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
        log.warn({ path, err: error, failures, waitMs: Math.round(waitMs) }, 'the watch broke; trying again');
        await pause(waitMs);
      }
    }
  }

  return {
    start: (signal) => void run(signal),
    synced: synced.promise,
    get: (namespace, name) => store.get(keyOf(namespace, name)),
    list: () => [...store.values()],
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ageMs: (now = Date.now()) => now - lastHeardMs,
  };
}

import { hostname } from 'node:os';
import type { Kube } from './client.ts';
import type { KubeObject } from './object.ts';
import { paths } from './paths.ts';

export interface EventDetails {
  /** What the event is about. */
  regarding: KubeObject;
  type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  reason: string;
  /** For people; cut at 1,024 bytes. Constant per reason where possible: identical ones are written once. */
  message: string;
  /** What was being done, CamelCase. */
  action: string;
  /** The part that tells it, `webhook` or `sidecar`. */
  reporter: string;
}

const repeatAfterMs = 10 * 60_000;
const maxNoteBytes = 1_024;
const recent = new WeakMap<Kube, Map<string, number>>();

/** True, and remembered, when the same was not told within ten minutes. */
function isNews(kube: Kube, key: string, nowMs: number): boolean {
  const told = recent.get(kube) ?? new Map<string, number>();
  recent.set(kube, told);
  for (const [old, atMs] of told) if (nowMs - atMs > repeatAfterMs) told.delete(old);
  if (told.has(key)) return false;
  told.set(key, nowMs);
  return true;
}

function cut(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  return `${Buffer.from(text)
    .subarray(0, maxBytes - 6)
    .toString('utf8')
    .replace(/�+$/, '')}…`;
}

/**
 * Writes an events.k8s.io/v1 Event, beside the object it regards. An identical one within ten minutes is not
 * written again. Events are a courtesy: a failure to write one is told by the result, never thrown.
 */
export async function recordEvent(
  kube: Kube,
  details: EventDetails,
): Promise<'recorded' | 'repeated' | 'failed'> {
  const { regarding, type, reason, message, action, reporter } = details;
  const { apiVersion, kind, metadata = {} } = regarding;
  const { namespace = 'default', name, uid, resourceVersion } = metadata;
  const key = JSON.stringify([kind, namespace, name, uid, type, reason, message]);
  const nowMs = Date.now();
  if (!isNews(kube, key, nowMs)) return 'repeated';
  try {
    await kube.create(paths.events(namespace), {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { generateName: `${(name ?? 'unnamed').slice(0, 200)}-`, namespace },
      eventTime: new Date(nowMs).toISOString().replace('Z', '000Z'),
      reportingController: `kafka-warden.io/${reporter}`,
      reportingInstance: hostname().slice(0, 128),
      regarding: { apiVersion, kind, name, namespace: metadata.namespace, uid, resourceVersion },
      type,
      reason,
      action,
      note: cut(message, maxNoteBytes),
    });
    return 'recorded';
  } catch {
    recent.get(kube)?.delete(key);
    return 'failed';
  }
}

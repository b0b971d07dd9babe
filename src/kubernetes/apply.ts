import { fieldManager } from '../names.ts';
import type { Kube } from './client.ts';
import type { KubeObject } from './object.ts';
import { pathOf } from './paths.ts';

type Tree = { [key: string]: Tree };
interface Managed {
  metadata?: {
    managedFields?: { manager?: string; operation?: string; subresource?: string; fieldsV1?: Tree }[];
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** True when everything wanted stands in the live value too; what else stands there (defaults) does not matter. */
export function contains(live: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((item, index) => contains(live[index], item))
    );
  if (isRecord(wanted))
    return isRecord(live) && Object.entries(wanted).every(([key, value]) => contains(live[key], value));
  return live === wanted;
}

/** The part of `wanted` that one step of a fieldsV1 path leads to; undefined when it is no longer wanted. */
function stepInto(wanted: unknown, step: string): unknown {
  const name = step.slice(2);
  if (step.startsWith('f:')) return isRecord(wanted) ? wanted[name] : undefined;
  if (!Array.isArray(wanted)) return undefined;
  const items: unknown[] = wanted;
  const key: unknown = JSON.parse(name);
  if (step.startsWith('v:')) return items.includes(key) ? key : undefined;
  // A port's `protocol` belongs to its key, and is TCP where it is left out.
  return items.find((item) => isRecord(item) && contains({ protocol: 'TCP', ...item }, key));
}

/** True when each field that we once applied is still wanted. */
function ownsNothingElse(owned: Tree, wanted: unknown): boolean {
  return Object.entries(owned).every(([step, below]) => {
    if (step === '.') return true;
    const next = stepInto(wanted, step);
    return next !== undefined && ownsNothingElse(below, next);
  });
}

function isAsApplied(live: KubeObject & Managed, wanted: KubeObject): boolean {
  const ours = live.metadata?.managedFields?.find(
    (entry) => entry.manager === fieldManager && entry.operation === 'Apply' && !entry.subresource,
  );
  return ours?.fieldsV1 !== undefined && contains(live, wanted) && ownsNothingElse(ours.fieldsV1, wanted);
}

/**
 * Brings an object to the wanted form by server-side apply, taking over contested fields. Nothing is sent when the
 * live object has every wanted field and we own no other. Throws what `Kube` throws (422 for immutable fields).
 */
export async function ensure<T extends KubeObject>(
  kube: Kube,
  wanted: T,
): Promise<{ result: 'created' | 'changed' | 'unchanged'; object: T }> {
  const path = pathOf(wanted);
  const live = await kube.tryGet<T>(path);
  if (live && isAsApplied(live, wanted)) return { result: 'unchanged', object: live };
  const object = await kube.patch<T>(path, wanted, 'apply', { fieldManager, force: true });
  if (!live) return { result: 'created', object };
  const same = live.metadata?.resourceVersion === object.metadata?.resourceVersion;
  return { result: same ? 'unchanged' : 'changed', object };
}

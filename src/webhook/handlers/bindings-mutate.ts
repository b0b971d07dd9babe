import { keys } from '../../names.ts';
import { setNameOf, type ClusterView } from '../cluster-view.ts';
import { auditOf, type Answer } from '../response.ts';
import type { JsonObject, Review } from '../review.ts';
import type { PatchOperation, StatefulSet } from '../../hardening/model.ts';

const allowed: Answer = { allowed: true };
const rule = 'rack';

interface Binding {
  metadata?: { name?: string; annotations?: Record<string, string> };
  target?: { kind?: string; name?: string };
}

/** A template may name its rack itself, for example where each broker has a StatefulSet of its own. */
const namesItsRack = (set: StatefulSet): boolean =>
  keys.rack in (set.spec?.template?.metadata?.annotations ?? {});

function annotate(binding: Binding, zone: string): PatchOperation[] {
  const { annotations } = binding.metadata ?? {};
  if (annotations?.[keys.rack] !== undefined) return [];
  if (annotations === undefined)
    return [{ op: 'add', path: '/metadata/annotations', value: { [keys.rack]: zone }, rule }];
  return [{ op: 'add', path: `/metadata/annotations/${keys.rack.replace('/', '~1')}`, value: zone, rule }];
}

/**
 * Tells a pod of a hardened set its rack at the moment in which its node is chosen: the API server merges a Binding's annotations
 * into the pod in the same write as the node's name. Whatever is not certain (another pod, a node that is not known here or has
 * no zone) is let through as it is: no rack is better than a wrong one, and the launcher says that there is none.
 */
export function mutateBinding(review: Review, view: ClusterView): Answer {
  const { object, namespace } = review;
  if (review.kind !== 'Binding' || !object) return allowed;
  const binding = object as JsonObject & Binding;
  const set = setNameOf(review.name || (binding.metadata?.name ?? ''));
  const hardened = set === undefined ? undefined : view.hardenedSet(namespace, set);
  const { kind = 'Node', name: node = '' } = binding.target ?? {};
  if (!hardened || namesItsRack(hardened) || kind !== 'Node') return allowed;
  const zone = view.zoneOf(node);
  if (zone === undefined) return { allowed: true, audit: { decision: 'no-zone' } };
  const patch = annotate(binding, zone);
  return { allowed: true, patch, audit: patch.length > 0 ? { patch: auditOf(patch) } : {} };
}

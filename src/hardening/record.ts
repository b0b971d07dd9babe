import { changes } from './diff.ts';
import { clone, at, drop, equal, pathOf, pathText, put, type Json } from './tree.ts';

/**
 * What the hardened places were before. Stands in the StatefulSet's annotation `kafka-warden.io/inverse`, never in the template,
 * so that keeping it makes no new revision.
 */
export interface InverseRecord {
  schema: 1;
  /** By path: our value, the manifest's own (missing: it had none), and how deep a removal may prune. */
  fields: Record<string, { ours?: Json; was?: Json; depth: number }>;
}

/** The record that turns a hardened object back into the vanilla one. */
export function recordOf(vanilla: Json, hardened: Json): InverseRecord {
  const fields: InverseRecord['fields'] = {};
  for (const { path, before, after, depth } of changes(vanilla, hardened))
    fields[pathText(path)] = {
      ...(after === undefined ? {} : { ours: after }),
      ...(before === undefined ? {} : { was: before }),
      depth,
    };
  return { schema: 1, fields };
}

/**
 * The vanilla form of an object as it was written over a hardened one, in place. At each recorded place: equal to ours means the
 * record stands; missing means that the writer has none; anything else is the writer's own value.
 */
export function restore(object: Json, record: InverseRecord): void {
  // Elements of arrays from the last to the first, so that what is put back keeps its order.
  for (const [text, { ours, was, depth }] of Object.entries(record.fields).reverse()) {
    const path = pathOf(text);
    if (!equal(at(object, path), ours)) continue;
    if (was === undefined) drop(object, path, depth);
    else put(object, path, clone(was));
  }
}

/** Reads a record; undefined where the annotation is missing or cannot be understood. */
export function parseRecord(text: string | undefined): InverseRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as InverseRecord;
    return value.schema === 1 && typeof value.fields === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}

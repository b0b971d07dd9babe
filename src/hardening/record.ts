import { changes } from './diff.ts';
import { at, drop, equal, isObject, pathOf, pathText, put, type Json } from './tree.ts';

/**
 * What the hardened places were before. Stands in the StatefulSet's annotation `kafka-warden.io/inverse`, never in the template,
 * so that keeping it makes no new revision.
 */
export interface InverseRecord {
  schema: 1;
  fields: Record<string, RecordedField>;
}

/** Our value, the manifest's own (missing: it had none), and how deep a removal may prune. */
export interface RecordedField {
  ours: Json;
  was?: Json;
  depth: number;
}

/** The record that turns a hardened object back into the vanilla one. Rules add and replace; they remove nothing. */
export function recordOf(vanilla: Json, hardened: Json): InverseRecord {
  const fields: InverseRecord['fields'] = {};
  for (const { path, before, after, depth } of changes(vanilla, hardened))
    if (after !== undefined)
      fields[pathText(path)] = { ours: after, ...(before === undefined ? {} : { was: before }), depth };
  return { schema: 1, fields };
}

/**
 * The vanilla form of an object as it was written over a hardened one. At each recorded place: equal to ours means the record
 * stands; missing means that the writer has none; anything else is the writer's own value.
 */
export function restored(object: Json, record: InverseRecord): Json {
  let result = object;
  // Elements of arrays from the last to the first, so that what is put back keeps its order.
  for (const [text, { ours, was, depth }] of Object.entries(record.fields).reverse()) {
    const path = pathOf(text);
    if (!equal(at(result, path), ours)) continue;
    result = was === undefined ? drop(result, path, depth) : put(result, path, was);
  }
  return result;
}

/** Reads a record; undefined where the annotation is missing or cannot be understood. */
export function parseRecord(text: string | undefined): InverseRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as unknown;
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is InverseRecord {
  if (!isObject(value) || value['schema'] !== 1 || !isObject(value['fields'])) return false;
  return Object.values(value['fields']).every(
    (f) => isObject(f) && f['ours'] !== undefined && Number.isInteger(f['depth']),
  );
}

import { unharden } from '../hardening/index.ts';
import { withoutDefaults } from '../hardening/defaults.ts';
import { equal, isObject, type Json, type JsonObject } from '../hardening/tree.ts';
import { align } from './manifest/align.ts';

/** One place in the object as it is written, in the same object with the API's defaults left out, and in the original. */
interface Places<T> {
  readonly written: T;
  readonly plain: T;
  readonly original: T;
}

const restored = ({ written, plain, original }: Places<Json>): Json => {
  if (equal(plain, original)) return written;
  if (isObject(written) && isObject(plain) && isObject(original))
    return restoredObject({ written, plain, original });
  if (Array.isArray(written) && Array.isArray(plain) && Array.isArray(original))
    return restoredList({ written, plain, original });
  return original;
};

const restoredObject = ({ written, plain, original }: Places<JsonObject>): JsonObject => {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(written)) {
    const before = plain[key];
    const after = original[key];
    if (before === undefined) result[key] = after ?? value;
    else if (after !== undefined) result[key] = restored({ written: value, plain: before, original: after });
  }
  for (const [key, value] of Object.entries(original)) if (!(key in written)) result[key] = value;
  return result;
};

const restoredList = ({ written, plain, original }: Places<Json[]>): Json[] =>
  align(plain, original).flatMap(({ from, to }) => {
    if (to === undefined) return [];
    const value = original[to] ?? null;
    if (from === undefined) return [value];
    return [restored({ written: written[from] ?? null, plain: plain[from] ?? null, original: value })];
  });

/**
 * The original of a hardened StatefulSet, as `unharden` gives it, with what the core leaves out put back: values equal
 * to the API's defaults that the author wrote all the same. A set that is not hardened comes back as it is.
 */
export const originalOf = (set: JsonObject): JsonObject => {
  const found = unharden(set) as unknown as JsonObject;
  if (equal(found, set)) return set;
  const { status: _status, ...original } = found;
  return restoredObject({ written: set, plain: withoutDefaults(set), original });
};

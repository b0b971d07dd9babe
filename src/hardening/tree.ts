/**
 * Places in a JSON object, named so that they survive reordering: a segment `[x]` is the array element whose `name`
 * (or `mountPath`) is x.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type Path = readonly string[];

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A deep copy of a JSON value (several times faster than `structuredClone`). */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const copy: Record<string, unknown> = {};
  for (const key in value) copy[key] = clone(value[key]);
  return copy as T;
}

/** The name by which an array element is addressed, or undefined where it has none. */
export function elementKey(element: unknown): string | undefined {
  if (!isObject(element)) return undefined;
  const key = element['mountPath'] ?? element['name'];
  return typeof key === 'string' ? key : undefined;
}

const isSelector = (segment: string) => segment.startsWith('[') && segment.endsWith(']');

function child(parent: Json | undefined, segment: string): Json | undefined {
  if (Array.isArray(parent)) {
    if (isSelector(segment)) return parent.find((e) => elementKey(e) === segment.slice(1, -1));
    return parent[Number(segment)];
  }
  return isObject(parent) ? parent[segment] : undefined;
}

/** The value at a path, or undefined. */
export function at(root: Json | undefined, path: Path): Json | undefined {
  let value = root;
  for (const segment of path) value = child(value, segment);
  return value;
}

/** Sets a value, creating objects (and, for `[x]`, arrays) on the way. An element to append must carry its own key. */
export function put(root: Json, path: Path, value: Json): void {
  let parent: Json = root;
  for (const [i, segment] of path.slice(0, -1).entries()) {
    let next = child(parent, segment);
    if (next === undefined || next === null) {
      next = isSelector(path[i + 1] ?? '') ? [] : {};
      setChild(parent, segment, next);
    }
    parent = next;
  }
  setChild(parent, path.at(-1) ?? '', value);
}

function setChild(parent: Json, segment: string, value: Json): void {
  if (Array.isArray(parent)) {
    const index = parent.findIndex((e) => elementKey(e) === segment.slice(1, -1));
    if (index >= 0) parent[index] = value;
    else parent.push(value);
  } else if (isObject(parent)) parent[segment] = value;
}

/** Removes a value, and with it ancestors that become empty, but none shallower than `keep` segments. */
export function drop(root: Json, path: Path, keep: number): void {
  for (let length = path.length; length > 0; length--) {
    const parent = at(root, path.slice(0, length - 1));
    const segment = path[length - 1] ?? '';
    if (Array.isArray(parent)) {
      const index = parent.findIndex((e) => elementKey(e) === segment.slice(1, -1));
      if (index >= 0) parent.splice(index, 1);
    } else if (isObject(parent)) delete parent[segment];
    const empty = Array.isArray(parent)
      ? parent.length === 0
      : isObject(parent) && Object.keys(parent).length === 0;
    if (!empty || length - 1 <= keep) return;
  }
}

/** Equality of JSON values; the order of an object's keys does not count. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((x, i) => equal(x, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keysOfA = Object.keys(a).filter((k) => a[k] !== undefined);
  if (keysOfA.length !== Object.keys(b).filter((k) => b[k] !== undefined).length) return false;
  return keysOfA.every((k) => k in b && equal(a[k], b[k]));
}

/** A path as text and back; `/` and `~` are escaped as in a JSON pointer. */
export const pathText = (path: Path) =>
  path.map((s) => s.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
export const pathOf = (text: string): Path =>
  text.split('/').map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));

/** The RFC 6901 pointer of a keyed path within a given object; unknown elements point behind the array's end. */
export function pointer(root: Json, path: Path): string {
  let value: Json | undefined = root;
  let text = '';
  for (const segment of path) {
    let name = segment;
    if (Array.isArray(value) && isSelector(segment)) {
      const index = value.findIndex((e) => elementKey(e) === segment.slice(1, -1));
      name = index >= 0 ? String(index) : '-';
    }
    text += '/' + name.replaceAll('~', '~0').replaceAll('/', '~1');
    value = child(value, segment);
  }
  return text;
}

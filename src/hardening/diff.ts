import { type PatchOperation } from './model.ts';
import { clone, at, drop, elementKey, equal, isObject, put, type Json, type Path } from './tree.ts';

/** A place where two objects differ. `before` or `after` is missing where the place does not exist. */
export interface Change {
  path: Path;
  before?: Json;
  after?: Json;
  /** Segments of `path` that exist in the first object: how far a removal may prune. */
  depth: number;
}

const keyed = (value: Json): value is Json[] =>
  Array.isArray(value) && value.length > 0 && value.every((e) => elementKey(e) !== undefined);

/** True where the second array is the first one, changed in place, with elements appended. */
function extendsInOrder(a: Json[], b: Json[]): boolean {
  return a.length <= b.length && a.every((e, i) => elementKey(e) === elementKey(b[i]));
}

/**
 * Where two objects differ, leaf by leaf: arrays whose elements have names are compared element by element, other arrays are
 * leaves. An object that only the second one has is listed by its leaves, so that a later edit inside it stays visible; an
 * element that only the second one has is one change.
 */
export function changes(before: Json, after: Json): Change[] {
  const found: Change[] = [];
  compare(before, after, { path: [], depth: 0, found });
  return found;
}

interface Walk {
  path: Path;
  depth: number;
  found: Change[];
}

function compare(a: Json | undefined, b: Json | undefined, walk: Walk): void {
  if (equal(a, b)) return;
  const depth = a === undefined ? walk.depth : walk.path.length;
  if (isObject(b) && (a === undefined || isObject(a)) && Object.keys(b).length > 0) {
    for (const key of new Set([...Object.keys(a ?? {}), ...Object.keys(b)]))
      compare(a?.[key], b[key], { ...walk, path: [...walk.path, key], depth });
  } else if (canCompareByKey(a, b)) compareElements(a, b, { ...walk, depth });
  else walk.found.push({ path: walk.path, depth, ...present('before', a), ...present('after', b) });
}

const present = (key: 'before' | 'after', value: Json | undefined) =>
  value === undefined ? {} : { [key]: value };

const isKeyed = (value: Json | undefined): value is Json[] => value !== undefined && keyed(value);

const canCompareByKey = (a: Json | undefined, b: Json | undefined): b is Json[] =>
  isKeyed(b) && (a === undefined || (isKeyed(a) && extendsInOrder(a, b)));

function compareElements(a: Json | undefined, b: Json[], walk: Walk): void {
  for (const element of b) {
    const segment = `[${elementKey(element)}]`;
    const old = at(a, [segment]);
    const path = [...walk.path, segment];
    if (old === undefined) walk.found.push({ path, after: element, depth: walk.depth });
    else compare(old, element, { ...walk, path });
  }
}

const escape = (segment: string) => segment.replaceAll('~', '~0').replaceAll('/', '~1');

/**
 * The shortest JSON Patch that turns `before` into `after`: appended elements are added at the end, a new object is added whole.
 * `ruleOf` names the rule that answers for a path.
 */
export function patchBetween(before: Json, after: Json, ruleOf: (path: Path) => string): PatchOperation[] {
  const operations: PatchOperation[] = [];
  const walk = (a: Json | undefined, b: Json | undefined, place: { pointer: string; path: Path }): void => {
    if (equal(a, b)) return;
    const { pointer, path } = place;
    const rule = ruleOf(path);
    if (b === undefined) operations.push({ op: 'remove', path: pointer, rule });
    else if (a === undefined) operations.push({ op: 'add', path: pointer, value: b, rule });
    else if (isObject(a) && isObject(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
        walk(a[key], b[key], { pointer: `${pointer}/${escape(key)}`, path: [...path, key] });
    } else if (Array.isArray(a) && Array.isArray(b) && keyed(a) && keyed(b) && extendsInOrder(a, b)) {
      for (const [i, element] of b.entries()) {
        const inner = {
          pointer: `${pointer}/${i < a.length ? i : '-'}`,
          path: [...path, `[${elementKey(element)}]`],
        };
        walk(a[i], element, inner);
      }
    } else operations.push({ op: 'replace', path: pointer, value: b, rule });
  };
  walk(before, after, { pointer: '', path: [] });
  return operations;
}

/** Applies operations as `patchBetween` makes them (and any `add`, `replace`, `remove` of RFC 6902) to a copy. */
export function applyPatch<T>(object: T, operations: readonly PatchOperation[]): T {
  const copy = clone(object) as Json;
  for (const { op, path, value } of operations) {
    const segments = path
      .slice(1)
      .split('/')
      .map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
    const parent = at(copy, segments.slice(0, -1));
    const last = segments.at(-1) ?? '';
    if (Array.isArray(parent)) {
      if (op === 'remove') parent.splice(Number(last), 1);
      else if (op === 'replace') parent[Number(last)] = clone(value) as Json;
      else parent.splice(last === '-' ? parent.length : Number(last), 0, clone(value) as Json);
    } else if (op === 'remove') drop(copy, segments, segments.length - 1);
    else put(copy, segments, clone(value) as Json);
  }
  return copy as T;
}

import { type PatchOperation } from './model.ts';
import {
  at,
  clone,
  elementKey,
  equal,
  escaped,
  isObject,
  unescaped,
  type Json,
  type JsonObject,
  type Path,
} from './tree.ts';

/** A place where two objects differ. `before` or `after` is missing where the place does not exist. */
export interface Change {
  path: Path;
  before?: Json;
  after?: Json;
  /** Segments of `path` that exist in the first object: how far a removal may prune. */
  depth: number;
}

const keyed = (value: Json[]) => value.length > 0 && value.every((e) => elementKey(e) !== undefined);

/** True where both arrays have named elements and the second is the first one, changed in place, with elements appended. */
const extendsInOrder = (a: Json[], b: Json[]) =>
  a.length <= b.length && keyed(b) && a.every((e, i) => elementKey(e) === elementKey(b[i]));

const isFilled = (value: Json | undefined): value is JsonObject =>
  isObject(value) && Object.keys(value).length > 0;

/**
 * Where two objects differ, leaf by leaf: arrays whose elements have names are compared element by element, other arrays are
 * leaves. An object that only the second one has is listed by its leaves, so that a later edit inside it stays visible; an
 * element that only the second one has is one change. Subtrees that both share are not looked at.
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
  if (a === b) return;
  const { path, found } = walk;
  const depth = a === undefined ? walk.depth : path.length;
  if (isFilled(b) && (a === undefined || isObject(a))) {
    for (const key of keysOf(a, b)) compare(a?.[key], b[key], { path: [...path, key], depth, found });
  } else if (Array.isArray(b) && (a === undefined || Array.isArray(a)) && extendsInOrder(a ?? [], b)) {
    compareElements(a ?? [], b, { path, depth, found });
  } else if (!equal(a, b)) found.push({ path, depth, ...present('before', a), ...present('after', b) });
}

const keysOf = (a: JsonObject | undefined, b: JsonObject): string[] =>
  a === undefined
    ? Object.keys(b)
    : [...Object.keys(a), ...Object.keys(b).filter((key) => !Object.hasOwn(a, key))];

const present = (key: 'before' | 'after', value: Json | undefined) =>
  value === undefined ? {} : { [key]: value };

function compareElements(a: Json[], b: Json[], { path, depth, found }: Walk): void {
  for (const [i, element] of b.entries()) {
    if (element === a[i]) continue;
    const inner = [...path, `[${elementKey(element)}]`];
    if (i >= a.length) found.push({ path: inner, after: element, depth });
    else compare(a[i], element, { path: inner, depth, found });
  }
}

/**
 * The shortest JSON Patch that turns `before` into `after`: appended elements are added at the end, a new object is added whole.
 * `ruleOf` names the rule that answers for a path.
 */
export function patchBetween(before: Json, after: Json, ruleOf: (path: Path) => string): PatchOperation[] {
  const operations: PatchOperation[] = [];
  const walk = (a: Json | undefined, b: Json | undefined, place: { pointer: string; path: Path }): void => {
    if (a === b) return;
    const { pointer, path } = place;
    if (b === undefined) operations.push({ op: 'remove', path: pointer, rule: ruleOf(path) });
    else if (a === undefined) operations.push({ op: 'add', path: pointer, value: b, rule: ruleOf(path) });
    else if (isObject(a) && isObject(b)) {
      for (const key of keysOf(a, b))
        walk(a[key], b[key], { pointer: `${pointer}/${escaped(key)}`, path: [...path, key] });
    } else if (Array.isArray(a) && Array.isArray(b) && extendsInOrder(a, b)) {
      for (const [i, element] of b.entries())
        walk(a[i], element, {
          pointer: `${pointer}/${i < a.length ? i : '-'}`,
          path: [...path, `[${elementKey(element)}]`],
        });
    } else if (!equal(a, b)) operations.push({ op: 'replace', path: pointer, value: b, rule: ruleOf(path) });
  };
  walk(before, after, { pointer: '', path: [] });
  return operations;
}

/** Applies operations as `patchBetween` makes them (and any `add`, `replace`, `remove` of RFC 6902) to a copy. */
export function applyPatch<T>(object: T, operations: readonly PatchOperation[]): T {
  const copy = clone(object) as Json;
  for (const { op, path, value } of operations) {
    const segments = path.slice(1).split('/').map(unescaped);
    const parent = at(copy, segments.slice(0, -1));
    const last = segments.at(-1) ?? '';
    if (Array.isArray(parent)) {
      if (op === 'remove') parent.splice(Number(last), 1);
      else if (op === 'replace') parent[Number(last)] = clone(value) as Json;
      else parent.splice(last === '-' ? parent.length : Number(last), 0, clone(value) as Json);
    } else if (isObject(parent)) {
      if (op === 'remove') delete parent[last];
      else parent[last] = clone(value) as Json;
    }
  }
  return copy as T;
}

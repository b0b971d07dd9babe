import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  visit,
  type Alias,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import type { Json, JsonObject } from '../../hardening/tree.ts';

/** A place in a document that has no JSON form. `offset` is the position in the text. */
export class NoJsonForm extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.name = 'NoJsonForm';
    this.offset = offset;
  }
}

/** Aliases may multiply a small text into an endless value: more nodes than this, read through aliases, are refused. */
const maxAliasedNodes = 100_000;

/** Reads nodes as the JSON that kubectl makes of them: keys are strings, aliases and merge keys are resolved. */
export interface Reader {
  value(node: Node | null | undefined): Json;
  /** A key's text, or undefined for a merge key. */
  key(pair: Pair): string | undefined;
  /** What the merge keys of a map bring in, its own keys left out. */
  merged(map: YAMLMap): JsonObject;
  target(alias: Alias): Node;
}

const offsetOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;

/** True for the pair of a merge key (`<<: *defaults`). */
export const isMergePair = (pair: Pair): boolean =>
  isScalar(pair.key) && typeof pair.key.value === 'symbol' && pair.key.value.description === '<<';

/** What each alias refers to: the last node before it that carries its anchor. */
const targetsIn = (document: Document): ReadonlyMap<Alias, Node> => {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) {
        const found = anchors.get(node.source);
        if (found !== undefined) targets.set(node, found);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
};

/** A reader for one document. Its methods throw `NoJsonForm`. */
export const readerOf = (document: Document): Reader => {
  let depth = 0;
  let aliased = 0;

  const valueOfAlias = (alias: Alias): Json => {
    if (depth === 0) aliased = 0;
    depth++;
    try {
      return value(target(alias));
    } finally {
      depth--;
    }
  };

  let targets: ReadonlyMap<Alias, Node> | undefined;
  const target = (alias: Alias): Node => {
    const found = (targets ??= targetsIn(document)).get(alias);
    if (found === undefined)
      throw new NoJsonForm(`the alias *${alias.source} has no anchor`, offsetOf(alias));
    return found;
  };

  const key = (pair: Pair): string | undefined => {
    if (isMergePair(pair)) return undefined;
    const node = isAlias(pair.key) ? target(pair.key) : pair.key;
    if (!isScalar(node)) throw new NoJsonForm('a key is not a string', offsetOf(pair.key));
    if (node.value === null) throw new NoJsonForm('a key is empty', offsetOf(pair.key));
    return `${node.value as string | number | boolean}`;
  };

  const merged = (map: YAMLMap): JsonObject => {
    const result: JsonObject = {};
    for (const pair of map.items) if (isMergePair(pair)) mergeInto(result, pair.value as Node | null);
    for (const pair of map.items) {
      const own = key(pair);
      if (own !== undefined) delete result[own];
    }
    return result;
  };

  const mergeInto = (result: JsonObject, source: Node | null): void => {
    const node = isAlias(source) ? target(source) : source;
    if (isSeq(node)) for (const one of node.items) mergeInto(result, one as Node | null);
    else if (isMap(node)) {
      for (const [name, inner] of Object.entries(objectOf(node)))
        if (!(name in result)) set(result, name, inner);
    } else throw new NoJsonForm('a merge key (<<) needs a map', offsetOf(source));
  };

  const objectOf = (map: YAMLMap): JsonObject => {
    const object: JsonObject = {};
    for (const pair of map.items) {
      const name = key(pair);
      if (name !== undefined) set(object, name, value(pair.value as Node | null));
    }
    if (map.items.some(isMergePair))
      for (const [name, inner] of Object.entries(merged(map))) set(object, name, inner);
    return object;
  };

  const value = (node: Node | null | undefined): Json => {
    if (depth > 0 && ++aliased > maxAliasedNodes)
      throw new NoJsonForm('the aliases multiply to too large an object', offsetOf(node));
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return valueOfAlias(node);
    if (isMap(node)) return objectOf(node);
    if (isSeq(node)) return node.items.map((item) => value(item as Node | null));
    const scalar = isScalar(node) ? node.value : null;
    if (typeof scalar === 'number' && !Number.isFinite(scalar))
      throw new NoJsonForm('infinity and NaN have no JSON form', offsetOf(node));
    return scalar as Json;
  };

  return { value, key, merged, target };
};

/** Sets a key as data even where its name is `__proto__`. */
const set = (object: JsonObject, name: string, value: Json): void => {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  else object[name] = value;
};

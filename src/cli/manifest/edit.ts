import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  visit,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { equal, isObject, type Json, type JsonObject } from '../../hardening/tree.ts';
import { align } from './align.ts';
import { indentationOf, NotFollowed, type Indentation, type Layout } from './layout.ts';
import { block, flow } from './render.ts';
import { isMergePair, type Reader } from './value.ts';

/** Replaces `text.slice(start, end)`. Edits of one document never overlap; at one place they apply in their order. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Longer than this, a one-line collection is written as a block when it changes. */
const maxFlowLength = 100;

type Replace = (next: Json) => void;

interface Walk {
  readonly layout: Layout;
  readonly reader: Reader;
  readonly indentation: Indentation;
  /** Anchored nodes whose value changes: their aliases are written out. */
  readonly stale: ReadonlySet<unknown>;
  readonly touched: Set<unknown>;
  readonly edits: Edit[];
}

/**
 * The edits that turn a document's text into one whose value is `next`, leaving everything else as it stands: comments,
 * order, quotes, blank lines, anchors. Throws `NotFollowed` where a change lies in a construct that it does not follow.
 */
export const editsFor = (
  document: Document,
  next: Json,
  { layout, reader }: Pick<Walk, 'layout' | 'reader'>,
): Edit[] => {
  const root = document.contents;
  const indentation = indentationOf(root, layout);
  let stale: ReadonlySet<unknown> = new Set();
  for (;;) {
    const walk: Walk = { layout, reader, indentation, stale, touched: new Set(), edits: [] };
    update(walk, { node: root, next, replace: rootReplaced });
    if (walk.touched.size === stale.size) return walk.edits;
    stale = walk.touched;
  }
};

const rootReplaced: Replace = () => {
  throw new NotFollowed('the whole document changes');
};

interface Place {
  readonly node: unknown;
  readonly next: Json;
  readonly replace: Replace;
}

const update = (walk: Walk, { node, next, replace }: Place): void => {
  if (equal(walk.reader.value(node as Node), next) && !holdsStale(walk, node)) return;
  touch(walk, node);
  if (walk.layout.isBlock(node)) {
    if (isMap(node) && isObject(next) && updateMap(walk, node, next)) return;
    if (isSeq(node) && Array.isArray(next) && updateSeq(walk, node, next)) return;
  }
  touchWithin(walk, node);
  replace(next);
};

const touch = ({ touched }: Walk, node: unknown): void => {
  if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined) touched.add(node);
};

const touchWithin = (walk: Walk, node: unknown): void => {
  if (isScalar(node) || isAlias(node)) return;
  if (isMap(node) || isSeq(node)) visit(node, { Node: (_key, inner) => touch(walk, inner) });
};

/** True where an alias inside a node refers to something that changes. */
const holdsStale = ({ stale, reader }: Walk, node: unknown): boolean => {
  if (stale.size === 0 || node === null || node === undefined) return false;
  if (isAlias(node)) return stale.has(reader.target(node));
  if (!isMap(node) && !isSeq(node)) return false;
  let found = false;
  visit(node, {
    Alias: (_key, alias) => {
      if (!stale.has(reader.target(alias))) return undefined;
      found = true;
      return visit.BREAK;
    },
  });
  return found;
};

const indented = (text: string, column: number, eol: string): string =>
  text
    .split('\n')
    .map((line, index) => (index === 0 || line === '' ? line : ' '.repeat(column) + line))
    .join(eol);

/** Cuts an entry out: its lines with their trailing comments, or up to the next entry where it does not begin a line. */
const cut = (
  { layout, edits }: Walk,
  { start, end, following }: { start: number; end: number; following?: number },
) => {
  const lineStart = layout.lineStart(start);
  if (layout.text.slice(lineStart, start).trim() === '' && lineStart > 0) {
    const before = layout.text[lineStart - 2] === '\r' ? 2 : 1;
    edits.push({ start: lineStart - before, end: layout.lineEnd(end), text: '' });
  } else if (following !== undefined) edits.push({ start, end: following, text: '' });
  else throw new NotFollowed('the only entry of its line goes');
};

/** Puts lines below the line on which `after` lies. */
const insertBelow = (
  { layout, edits }: Walk,
  after: number,
  { text, column }: { text: string; column: number },
): void => {
  const at = layout.lineEnd(after);
  const lines = ' '.repeat(column) + indented(text, column, layout.eol);
  edits.push({ start: at, end: at, text: layout.eol + lines });
};

/** What follows the colon or the dash: on the same line where it is short, else on lines of its own. */
const bodyOf = (
  { indentation, layout }: Walk,
  { holder, node, next }: { holder: 'k' | '-'; node: unknown; next: Json },
): string => {
  const wasFlow = (isMap(node) || isSeq(node)) && node.flow === true && node.items.length > 0;
  if (wasFlow && typeof next === 'object' && next !== null) {
    const padded = isMap(node) && /^\{\s/.test(layout.text.slice(node.range?.[0] ?? 0));
    const line = flow(next, padded);
    if (line.length <= maxFlowLength && !line.includes('\n')) return ` ${line}`;
  }
  return holder === 'k' ? block({ k: next }, indentation).slice(2) : block([next], indentation).slice(1);
};

interface Slot {
  readonly holder: 'k' | '-';
  /** Behind the colon or the dash. */
  readonly start: number;
  readonly end: number;
  readonly column: number;
  readonly node: unknown;
}

/** Writes a new value into its place; a comment at the end of the line stays on the first line. */
const fill = (walk: Walk, { holder, start, end, column, node }: Slot, next: Json): void => {
  const { layout, edits } = walk;
  const [first = '', ...rest] = bodyOf(walk, { holder, node, next }).split('\n');
  if (rest.length === 0) {
    edits.push({ start, end, text: first });
    return;
  }
  const lineEnd = layout.lineEnd(end);
  const comment = layout.text.slice(end, lineEnd).trimEnd();
  const body = indented(['', ...rest].join('\n'), column, layout.eol);
  edits.push({ start, end: lineEnd, text: first + comment + body });
};

/** Merge keys stay where they stand unless what they bring in changes or has to go. */
const mergesStand = (walk: Walk, map: YAMLMap, next: JsonObject): boolean => {
  const merges = map.items.filter(isMergePair);
  if (merges.length === 0) return true;
  if (merges.some((pair) => holdsStale(walk, pair.value))) return false;
  return Object.keys(walk.reader.merged(map)).every((key) => Object.hasOwn(next, key));
};

const updateMap = (walk: Walk, map: YAMLMap, next: JsonObject): boolean => {
  const { layout, reader, indentation } = walk;
  const stands = mergesStand(walk, map, next);
  const stays = (pair: Pair): boolean => {
    const key = reader.key(pair);
    return key === undefined ? stands : Object.hasOwn(next, key);
  };
  const kept = map.items.filter(stays);
  const last = kept.at(-1);
  if (last === undefined) return false;
  const column = layout.column(map.range?.[0] ?? 0);
  const own = new Set<string>();
  for (const [index, pair] of map.items.entries()) {
    if (!stays(pair)) {
      const after = map.items[index + 1];
      const following = after && layout.pairStart(after);
      cut(walk, {
        start: layout.pairStart(pair),
        end: layout.pairEnd(pair),
        ...(following && { following }),
      });
      continue;
    }
    const key = reader.key(pair);
    if (key === undefined) continue;
    own.add(key);
    const slot = (): Slot => ({
      holder: 'k',
      start: layout.colonEnd(pair),
      end: layout.pairEnd(pair),
      column,
      node: pair.value,
    });
    update(walk, {
      node: pair.value,
      next: next[key] ?? null,
      replace: (value) => fill(walk, slot(), value),
    });
  }
  const merged = stands ? reader.merged(map) : {};
  for (const [key, value] of Object.entries(next))
    if (!own.has(key) && !(Object.hasOwn(merged, key) && equal(merged[key], value)))
      insertBelow(walk, layout.pairEnd(last), { text: block({ [key]: value }, indentation), column });
  return true;
};

const updateSeq = (walk: Walk, seq: YAMLSeq, next: readonly Json[]): boolean => {
  const { layout, reader, indentation } = walk;
  const aligned = align(reader.value(seq) as Json[], next);
  const first = aligned.find(({ from, to }) => from !== undefined && to !== undefined)?.from;
  if (first === undefined) return false;
  const column = layout.column(layout.dash(seq, 0));
  const end = (index: number): number => Math.max(layout.end(seq.items[index]), layout.dash(seq, index) + 1);
  let above: number | undefined;
  for (const { from, to } of aligned) {
    const value = next[to ?? -1] ?? null;
    if (from !== undefined && to !== undefined) {
      const node = seq.items[from];
      const slot = (): Slot => ({
        holder: '-',
        start: layout.dash(seq, from) + 1,
        end: end(from),
        column,
        node,
      });
      update(walk, { node, next: value, replace: (inner) => fill(walk, slot(), inner) });
      above = from;
    } else if (from !== undefined) {
      const following = from + 1 < seq.items.length ? layout.dash(seq, from + 1) : undefined;
      cut(walk, {
        start: layout.dash(seq, from),
        end: end(from),
        ...(following !== undefined && { following }),
      });
    } else if (above !== undefined)
      insertBelow(walk, end(above), { text: block([value], indentation), column });
    else {
      const at = layout.dash(seq, first);
      const text = indented(`${block([value], indentation)}\n`, column, layout.eol) + ' '.repeat(column);
      walk.edits.push({ start: at, end: at, text });
    }
  }
  return true;
};

/** Applies edits to a text. */
export const applyEdits = (text: string, edits: readonly Edit[]): string => {
  const ordered = edits.map((edit, order) => ({
    ...edit,
    order,
    insertion: edit.start === edit.end ? 0 : 1,
  }));
  ordered.sort((a, b) => a.start - b.start || a.insertion - b.insertion || a.order - b.order);
  let result = '';
  let at = 0;
  for (const { start, end, text: replacement } of ordered) {
    if (start < at) throw new NotFollowed('two changes overlap');
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
};

import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

/** A construct whose place in the text this program does not follow; the document is then written anew. */
export class NotFollowed extends Error {}

/** Where things stand in a YAML text. Offsets count UTF-16 units from the start of the text. */
export interface Layout {
  readonly text: string;
  readonly eol: string;
  lineStart(offset: number): number;
  /** The end of the line that `offset` is on, before its line end. */
  lineEnd(offset: number): number;
  column(offset: number): number;
  /** The first character of a pair: of its key. */
  pairStart(pair: Pair): number;
  /** Behind the colon of a pair. */
  colonEnd(pair: Pair): number;
  /** The dash of a block sequence's element. */
  dash(seq: YAMLSeq, index: number): number;
  /** Behind the last character of a node, its trailing comment and line end left out. */
  end(node: unknown): number;
  pairEnd(pair: Pair): number;
  /** True for a map or sequence that is written without brackets. */
  isBlock(node: unknown): node is YAMLMap | YAMLSeq;
}

const range = (node: unknown): readonly [number, number, number] => {
  const found = (node as Node | null | undefined)?.range;
  if (!found) throw new NotFollowed('a node without a place in the text');
  return found;
};

export const layoutOf = (text: string): Layout => {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';

  const lineStart = (offset: number): number => text.lastIndexOf('\n', offset - 1) + 1;

  const lineEnd = (offset: number): number => {
    const next = text.indexOf('\n', offset);
    const end = next < 0 ? text.length : next;
    return end > offset && text[end - 1] === '\r' ? end - 1 : end;
  };

  const isBlock = (node: unknown): node is YAMLMap | YAMLSeq =>
    isCollection(node) && node.flow !== true && node.items.length > 0;

  const pairStart = (pair: Pair): number => {
    const start = range(pair.key)[0];
    if (!/^\uFEFF?(?:---)?[ \t]*(?:- *)*$/.test(text.slice(lineStart(start), start)))
      throw new NotFollowed('a key that does not begin its line');
    return start;
  };

  const colonEnd = (pair: Pair): number => {
    const colon = /[ \t]*:/y;
    colon.lastIndex = range(pair.key)[1];
    if (!colon.test(text)) throw new NotFollowed('a key without a colon');
    return colon.lastIndex;
  };

  const dash = (seq: YAMLSeq, index: number): number => {
    const first = range(seq)[0];
    if (index === 0) return first;
    const wanted = first - lineStart(first);
    const before = end(seq.items[index - 1]);
    for (let at = range(seq.items[index])[0]; at >= before; at = text.lastIndexOf('-', at - 1))
      if (text[at] === '-' && at - lineStart(at) === wanted) return at;
    throw new NotFollowed('an element without a dash');
  };

  const pairEnd = (pair: Pair): number => Math.max(colonEnd(pair), pair.value === null ? 0 : end(pair.value));

  const end = (node: unknown): number => {
    if (isBlock(node)) {
      const last = node.items.at(-1);
      return isMap(node) ? pairEnd(last as Pair) : Math.max(end(last), dash(node, node.items.length - 1) + 1);
    }
    const [start, behind] = range(node);
    if (!isScalar(node) || !isBlockScalar(node.type)) return behind;
    // The range of a block scalar takes in its last line end.
    return behind > start && text[behind - 1] === '\n' ? lineEnd(lineStart(behind - 1)) : behind;
  };

  return {
    text,
    eol,
    lineStart,
    lineEnd,
    column: (offset) => offset - lineStart(offset) - (text[lineStart(offset)] === '\uFEFF' ? 1 : 0),
    pairStart,
    colonEnd,
    dash,
    end,
    pairEnd,
    isBlock,
  };
};

const isBlockScalar = (type: unknown): boolean => type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED';

/** How a document is indented, so that what is inserted looks like what stands there. */
export interface Indentation {
  /** Spaces per level. */
  readonly step: number;
  /** Whether the dashes of a sequence are indented below their key. */
  readonly sequences: boolean;
}

/** Reads the indentation off the first nested map and the first sequence of a document; two spaces by default. */
export const indentationOf = (root: unknown, layout: Layout): Indentation => {
  let step: number | undefined;
  let sequences: boolean | undefined;
  const visit = (node: unknown): void => {
    if ((step !== undefined && sequences !== undefined) || isAlias(node) || !layout.isBlock(node)) return;
    if (isSeq(node)) return node.items.forEach(visit);
    const own = layout.column(range(node)[0]);
    for (const { value } of node.items) {
      if (layout.isBlock(value)) {
        const inner = layout.column(range(value)[0]) - own;
        if (isSeq(value)) sequences ??= inner > 0;
        else if (inner > 0) step ??= inner;
      }
      visit(value);
    }
  };
  visit(root);
  return { step: Math.min(step ?? 2, 8), sequences: sequences ?? false };
};

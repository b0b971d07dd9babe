import { isAlias, isMap, isSeq, type Node } from 'yaml';
import type { Reader } from './value.ts';

const segmentsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));

const child = (node: unknown, segment: string, reader: Reader): Node | undefined => {
  if (isAlias(node)) return child(reader.target(node), segment, reader);
  if (isSeq(node)) return node.items[Number(segment)] as Node | undefined;
  if (!isMap(node)) return undefined;
  const pair = node.items.find((one) => reader.key(one) === segment);
  // The key tells the line better than its value, which may begin below it.
  return (pair?.key as Node | undefined) ?? undefined;
};

const valueOf = (node: unknown, segment: string, reader: Reader): unknown => {
  if (isAlias(node)) return valueOf(reader.target(node), segment, reader);
  if (isSeq(node)) return node.items[Number(segment)];
  if (!isMap(node)) return undefined;
  return node.items.find((one) => reader.key(one) === segment)?.value;
};

/** The node that a JSON pointer names (for a map's entry its key), or the nearest one around it. */
export const nodeAt = (root: Node | null, pointer: string, reader: Reader): Node | null => {
  let value: unknown = root;
  let nearest = root;
  for (const segment of segmentsOf(pointer)) {
    const next = child(value, segment, reader);
    if (next === undefined) return nearest;
    nearest = next;
    value = valueOf(value, segment, reader);
  }
  return nearest;
};

import { elementKey, equal, isObject, type Json } from '../../hardening/tree.ts';

/** An element of the old sequence, of the new one, or the same element in both. */
export interface Aligned {
  readonly from?: number;
  readonly to?: number;
}

/** More comparisons than this are not made; the sequences are then taken for unrelated. */
const maxComparisons = 1_000_000;

const same = (a: Json | undefined, b: Json | undefined): boolean => {
  const key = elementKey(a);
  return key === undefined ? equal(a, b) : key === elementKey(b);
};

/** Lengths of the longest common subsequences of all tails, row by row. */
const tails = (old: readonly Json[], next: readonly Json[]): number[][] => {
  const lengths = Array.from({ length: old.length + 1 }, () => new Array<number>(next.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    const row = lengths[i] ?? [];
    const below = lengths[i + 1] ?? [];
    for (let j = next.length - 1; j >= 0; j--)
      row[j] = same(old[i], next[j]) ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
  }
  return lengths;
};

/** The elements that correspond, in order: equal ones, or objects with the same name. */
const matches = (old: readonly Json[], next: readonly Json[]): (readonly [number, number])[] => {
  if (old.length * next.length > maxComparisons) return [];
  const lengths = tails(old, next);
  const found: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < old.length && j < next.length;) {
    if (same(old[i], next[j])) found.push([i++, j++]);
    else if ((lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) i++;
    else j++;
  }
  return found;
};

const bothObjects = (a: Json | undefined, b: Json | undefined): boolean => isObject(a) && isObject(b);

/** What lies between two matches: as many objects on both sides are taken for edited ones. */
const gap = (old: readonly Json[], next: readonly Json[], [i0, i1, j0, j1]: readonly number[]): Aligned[] => {
  const from = Array.from({ length: (i1 ?? 0) - (i0 ?? 0) }, (_, n) => (i0 ?? 0) + n);
  const to = Array.from({ length: (j1 ?? 0) - (j0 ?? 0) }, (_, n) => (j0 ?? 0) + n);
  if (from.length === to.length && from.every((i, n) => bothObjects(old[i], next[to[n] ?? -1])))
    return from.map((i, n) => ({ from: i, ...(to[n] !== undefined && { to: to[n] }) }));
  return [...from.map((i) => ({ from: i })), ...to.map((j) => ({ to: j }))];
};

/** Which elements of two sequences belong together, in the order of the new one with removed elements in between. */
export const align = (old: readonly Json[], next: readonly Json[]): Aligned[] => {
  const result: Aligned[] = [];
  let i = 0;
  let j = 0;
  for (const [from, to] of [...matches(old, next), [old.length, next.length] as const]) {
    result.push(...gap(old, next, [i, from, j, to]));
    if (from < old.length) result.push({ from, to });
    i = from + 1;
    j = to + 1;
  }
  return result;
};

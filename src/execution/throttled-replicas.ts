/**
 * The lists of KIP-73, `partition:broker,partition:broker` or `*` for all. A list that somebody else wrote is extended and
 * shortened as text, so that what is theirs stays as they wrote it.
 */

export const elementsOf = (list: string | null): string[] =>
  (list ?? '')
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');

export const isAll = (list: string | null): boolean => list?.trim() === '*';

/** `list` with what it lacks of `elements`; `*` has everything already. */
export function merged(list: string | null, elements: readonly string[]): string | null {
  if (isAll(list)) return list;
  const present = new Set(elementsOf(list));
  const missing = [...new Set(elements)].filter((element) => !present.has(element));
  if (missing.length === 0) return list;
  return [...elementsOf(list), ...missing.sort(byPartition)].join(',');
}

/** `list` without `elements`; null where nothing remains. */
export function reduced(list: string | null, elements: readonly string[]): string | null {
  if (list === null || isAll(list)) return list;
  const present = elementsOf(list);
  const left = present.filter((element) => !elements.includes(element));
  if (left.length === present.length) return list;
  return left.length === 0 ? null : left.join(',');
}

const byPartition = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

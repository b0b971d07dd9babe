import { styleText } from 'node:util';

/** Lines around a change that a unified diff shows. */
const context = 3;

/** Beyond this many differing lines on a side the whole stretch is shown as replaced. */
const maxDistance = 4000;

interface Line {
  readonly kind: ' ' | '-' | '+';
  readonly text: string;
}

const linesOf = (text: string): string[] => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else lines.push(`${lines.pop() ?? ''}\n\\ No newline at end of file`);
  return lines;
};

/** Myers' greedy algorithm (1986): for each distance the furthest point reached on each diagonal. */
const trace = (a: readonly string[], b: readonly string[]): Int32Array[] | undefined => {
  const limit = Math.min(a.length + b.length, maxDistance);
  const furthest = new Int32Array(2 * limit + 3);
  const history: Int32Array[] = [];
  for (let distance = 0; distance <= limit; distance++) {
    history.push(furthest.slice(limit - distance, limit + distance + 3));
    for (let k = -distance; k <= distance; k += 2) {
      let x = startOf(
        furthest,
        limit + 1 + k,
        k === -distance || k === distance ? Math.sign(k) : 0,
        distance,
      );
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[limit + 1 + k] = x;
      if (x >= a.length && x - k >= b.length) return history;
    }
  }
  return undefined;
};

/** Where a path on a diagonal begins: one step down from the diagonal above, or one to the right from the one below. */
const startOf = (furthest: Int32Array, at: number, edge: number, distance: number): number => {
  if (distance === 0) return 0;
  const down = furthest[at + 1] ?? 0;
  const right = (furthest[at - 1] ?? 0) + 1;
  if (edge < 0) return down;
  if (edge > 0) return right;
  return Math.max(down, right);
};

/** The diagonal step that led to a point: down (a line added) or right (a line removed), and the point it led to. */
const stepInto = (row: Int32Array, distance: number, k: number): { down: boolean; x: number } => {
  const at = (diagonal: number): number => row[diagonal + distance + 1] ?? 0;
  const down = k === -distance || (k !== distance && at(k - 1) + 1 <= at(k + 1));
  return { down, x: down ? at(k + 1) : at(k - 1) + 1 };
};

const compare = (a: readonly string[], b: readonly string[]): Line[] => {
  const history = trace(a, b);
  const removed = (text: string): Line => ({ kind: '-', text });
  const added = (text: string): Line => ({ kind: '+', text });
  if (history === undefined) return [...a.map(removed), ...b.map(added)];
  const lines: Line[] = [];
  let x = a.length;
  let y = b.length;
  for (const [distance, row] of [...history.entries()].reverse()) {
    const k = x - y;
    const step = distance === 0 ? { down: false, x: 0 } : stepInto(row, distance, k);
    for (; x > step.x && y > step.x - k; x--, y--) lines.push({ kind: ' ', text: a[x - 1] ?? '' });
    if (distance === 0) break;
    if (step.down) lines.push(added(b[--y] ?? ''));
    else lines.push(removed(a[--x] ?? ''));
  }
  return lines.reverse();
};

/** All lines of both texts; equal beginnings and ends are not compared twice. */
const script = (a: readonly string[], b: readonly string[]): Line[] => {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const same = (text: string): Line => ({ kind: ' ', text });
  return [
    ...a.slice(0, head).map(same),
    ...compare(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ];
};

/** Stretches of lines that are shown together: changes with their context. */
const hunks = (lines: readonly Line[]): [number, number][] => {
  const found: [number, number][] = [];
  for (const [index, { kind }] of lines.entries()) {
    if (kind === ' ') continue;
    const last = found.at(-1);
    const end = Math.min(lines.length, index + context + 1);
    if (last !== undefined && index - context <= last[1]) last[1] = end;
    else found.push([Math.max(0, index - context), end]);
  }
  return found;
};

const count = (lines: readonly Line[], kind: Line['kind']): number =>
  lines.filter((line) => line.kind !== kind).length;

const header = (start: number, length: number): string => `${length === 0 ? start : start + 1},${length}`;

/**
 * A unified diff of two texts, as `diff -u` prints it; empty where they are equal. `colour` paints it for a
 * terminal.
 */
export const unifiedDiff = (
  before: { name: string; text: string },
  after: { name: string; text: string },
  colour = false,
): string => {
  if (before.text === after.text) return '';
  const paint = (style: Parameters<typeof styleText>[0], line: string): string =>
    colour ? styleText(style, line, { validateStream: false }) : line;
  const lines = script(linesOf(before.text), linesOf(after.text));
  const output = [paint('bold', `--- ${before.name}`), paint('bold', `+++ ${after.name}`)];
  for (const [start, end] of hunks(lines)) {
    const shown = lines.slice(start, end);
    const above = lines.slice(0, start);
    const [oldStart, newStart] = [count(above, '+'), count(above, '-')];
    const [oldLength, newLength] = [count(shown, '+'), count(shown, '-')];
    output.push(paint('cyan', `@@ -${header(oldStart, oldLength)} +${header(newStart, newLength)} @@`));
    for (const { kind, text } of shown) {
      const line = kind + text;
      output.push(kind === ' ' ? line : paint(kind === '-' ? 'red' : 'green', line));
    }
  }
  return `${output.join('\n')}\n`;
};

/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { Problem } from './problem.ts';

/** Brokers that take replicas, rack by rack: those of rack x are `list[first[x]]` and the `count[x] - 1` after. */
export interface Destinations {
  readonly list: Int32Array;
  readonly first: Int32Array;
  readonly count: Int32Array;
}

/** The brokers that take replicas, grouped by rack. */
export function destinationsOf(problem: Problem): Destinations {
  const { brokers, rack, receives } = problem;
  const list = Int32Array.from({ length: brokers }, (_, b) => b).filter((b) => receives[b]);
  list.sort((a, b) => rack[a]! - rack[b]! || a - b);
  const count = new Int32Array(problem.racks);
  for (const b of list) count[rack[b]!]!++;
  const first = new Int32Array(problem.racks);
  for (let x = 1; x < problem.racks; x++) first[x] = first[x - 1]! + count[x - 1]!;
  return { list, first, count };
}

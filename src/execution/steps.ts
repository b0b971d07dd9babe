import { type Move, type PartitionKey, type Plan, keyOf, without } from './model.ts';

/** A plan with what is worked out once: the assignments that each move passes through. */
export interface Prepared {
  readonly plan: Plan;
  readonly keys: readonly PartitionKey[];
  /** By move: `from`, then the assignment after each copy. */
  readonly chains: readonly (readonly (readonly number[])[])[];
  /** Moves for which log directories are named. */
  readonly withDirectories: readonly number[];
}

type Racks = Readonly<Record<string, string>>;

export function prepare(plan: Plan, racks: Racks): Prepared {
  const chains = plan.moves.map((move) => chainOf(move, racks));
  const withDirectories = plan.moves.flatMap(({ toDirs }, index) => (toDirs === undefined ? [] : [index]));
  return { plan, keys: plan.moves.map(keyOf), chains, withDirectories };
}

/**
 * One replica after the other where several move: never more than one copy beside those that serve, instead of all. The
 * first replica is replaced last, so the leader changes once. Where that would leave fewer racks in between than before
 * and after, all replicas move at once. A preferred leader that stays keeps its place until the copies are done.
 */
export function chainOf(move: Move, racks: Racks): number[][] {
  const { from, to } = move;
  const [first] = from;
  const stays = first !== undefined && to.includes(first);
  const last = stays ? [first, ...without(to, [first])] : [...to];
  const added = without(to, from);
  if (added.length === 0) return [[...from]];
  const leaving = without(from, to);
  const removed = [...leaving.slice(1), ...leaving.slice(0, 1)];
  if (added.length === 1 || added.length !== removed.length) return [[...from], last];
  const enough = Math.min(rackCount(from, racks), rackCount(to, racks));
  for (const order of permutations(added)) {
    const between = intermediate(from, removed, order);
    if (between.every((replicas) => rackCount(replicas, racks) >= enough))
      return [[...from], ...between, last];
  }
  return [[...from], last];
}

/** The assignments after all but the last exchange. */
function intermediate(
  from: readonly number[],
  removed: readonly number[],
  added: readonly number[],
): number[][] {
  const passed: number[][] = [];
  let replicas = [...from];
  for (const [index, leaving] of removed.slice(0, -1).entries()) {
    replicas = replicas.map((id) => (id === leaving ? (added[index] ?? id) : id));
    passed.push(replicas);
  }
  return passed;
}

const rackCount = (replicas: readonly number[], racks: Racks): number =>
  new Set(replicas.map((id) => racks[id] ?? '')).size;

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length <= 1) {
    yield [...items];
    return;
  }
  for (const [index, item] of items.entries()) {
    for (const rest of permutations([...items.slice(0, index), ...items.slice(index + 1)]))
      yield [item, ...rest];
  }
}

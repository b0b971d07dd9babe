import {
  type Copy,
  type Journal,
  type Ongoing,
  type PartitionState,
  type Refusal,
  type Seen,
  keyOf,
  sameOrder,
} from './model.ts';
import { deadKept } from './guards.ts';
import type { Prepared } from './steps.ts';

/** The assignments before and after a copy. */
export type Exchange = Pick<Copy, 'before' | 'target'>;

/** How far a move is, read off Kafka. */
export type Standing =
  /** With its next copy. */
  | ({ readonly at: 'open' } & Exchange)
  /** In the journal's `copies`. */
  | { readonly at: 'copying' }
  /** Somebody else reassigns this partition. */
  | { readonly at: 'foreign' }
  /** Only the order of the replicas remains to be changed. */
  | { readonly at: 'copied' }
  | { readonly at: 'placed' }
  | { readonly at: 'refused'; readonly refusal: Refusal };

/** All reassignments in progress by partition. */
export type OngoingByKey = ReadonlyMap<string, Ongoing>;

export const ongoingByKey = (seen: Seen): OngoingByKey =>
  new Map(seen.ongoing.map((one) => [keyOf(one), one]));

export function standings(journal: Journal, seen: Seen, prepared: Prepared): Standing[] {
  const ongoing = ongoingByKey(seen);
  const busy = new Set(journal.copies.filter(({ state }) => state !== 'landed').map(({ move }) => move));
  return prepared.keys.map((key, move) => {
    const refusal = journal.refused[move];
    if (refusal !== undefined) return { at: 'refused', refusal };
    if (busy.has(move)) return { at: 'copying' };
    if (ongoing.has(key)) return { at: 'foreign' };
    const standing = read(prepared, move, seen);
    return standing.at === 'open' && journal.noRoom
      ? refused('no-room', `${key}: no room came free`)
      : standing;
  });
}

function read(prepared: Prepared, index: number, { partitions, alive }: Seen): Standing {
  const move = prepared.plan.moves[index];
  const chain = prepared.chains[index];
  const state = partitions.get(prepared.keys[index] ?? '');
  if (move === undefined || chain === undefined) throw new RangeError(`The plan has no move ${index}`);
  if (move.from.length !== move.to.length) return refused('replicas-differ-in-number', numbers(move));
  if (state === undefined) return refused('gone', `${keyOf(move)} no longer exists`);
  if (sameOrder(state.replicas, move.to)) return { at: 'placed' };
  const passed = chain.findIndex((replicas) => sameOrder(replicas, state.replicas));
  if (passed < 0) return refused('drifted', difference(move, state));
  const [before, ...ahead] = chain.slice(passed);
  // An assignment that keeps a dead replica for a while would never be reached: one that keeps none is gone to at once.
  const target = ahead.find((next) => deadKept(state.replicas, next, alive).length === 0) ?? ahead.at(-1);
  return before === undefined || target === undefined ? { at: 'copied' } : { at: 'open', before, target };
}

const refused = (code: Refusal['code'], detail: string): Standing => ({
  at: 'refused',
  refusal: { code, detail },
});

const list = (replicas: readonly number[]): string => replicas.join(',');

const numbers = ({ from, to }: { from: readonly number[]; to: readonly number[] }): string =>
  `the plan has ${to.length} replicas for ${from.length} (${list(from)} → ${list(to)}); the number of replicas is never changed`;

const difference = (
  move: { from: readonly number[]; to: readonly number[] },
  state: PartitionState,
): string => `replicas are ${list(state.replicas)}; the plan moves ${list(move.from)} to ${list(move.to)}`;

import { type Election, type Journal, type Reassignment, sameOrder } from './model.ts';
import { pauses, replicasBehind } from './guards.ts';
import type { Round } from './round.ts';
import type { Standing } from './standing.ts';

/** At a time, so that clients look for new leaders of some partitions, not of all. */
export const atATime = { orders: 200, elections: 100 };

/** The moves whose partitions have to be looked at before their order or leader is changed. */
export function leadershipLeft(
  round: Round,
  standings: readonly Standing[],
): { readonly copied: number[]; readonly led: number[] } {
  const copied: number[] = [];
  const led: number[] = [];
  for (const [index, { at }] of standings.entries()) {
    if (at === 'copied') copied.push(index);
    if (at === 'placed' && ledElsewhere(round, index)) led.push(index);
  }
  return { copied, led };
}

const preferred = (round: Round, index: number): number => round.prepared.plan.moves[index]?.to[0] ?? -1;

/** Where only directories change, who leads is nothing that was planned. */
function ledElsewhere(round: Round, index: number): boolean {
  const move = round.prepared.plan.moves[index];
  if (move !== undefined && sameOrder(move.from, move.to)) return false;
  const leader = round.seen.partitions.get(round.move(index).key)?.leader;
  return leader !== undefined && leader !== preferred(round, index);
}

/** Puts replicas in the planned order: no data moves, and Kafka does it at once. */
export function order(round: Round, moves: readonly number[]): void {
  for (const notice of pauses(round.seen, round.limits)) round.wait(notice);
  if (pauses(round.seen, round.limits).length > 0) return;
  const partitions: Reassignment[] = [];
  for (const move of moves.slice(0, atATime.orders)) {
    const { key, topic, partition } = round.move(move);
    const failure = round.seen.failures.find((one) => one.move === move);
    if (failure !== undefined && !failure.mayPassLater && failure.reason !== 'FOREIGN_REASSIGNMENT') {
      round.refuse(move, { code: 'refused-by-kafka', detail: failure.message });
      continue;
    }
    const state = round.fresh(key);
    if (state === undefined) continue;
    const replicas = round.prepared.plan.moves[move]?.to ?? [];
    const behind = replicasBehind(state, replicas, round.seen.alive);
    if (behind === undefined) partitions.push({ move, topic, partition, replicas });
    else round.wait({ code: 'replicas-behind', message: `${key} ${behind}` });
  }
  if (partitions.length > 0) round.actions.push({ kind: 'reassign', partitions });
}

/** Between elections that changed nothing. */
const pauseMs = { first: 1_000, longest: 15_000 };
const named = 10;

/**
 * Preferred elections, of leaders that are in sync; whether that is all that can be done. Partitions take their turns; once
 * all have had one and no leader has changed, the pauses double. Given up when none has changed for `electionPatienceMs`.
 */
export function elect(round: Round, moves: readonly number[]): boolean {
  if (round.journal.ledElsewhere !== undefined) return true;
  const { nowMs } = round.seen;
  const before = round.journal.electing;
  const changed = before?.left !== moves.length;
  const now = changed ? { sinceMs: nowMs, left: moves.length, tried: 0, triedAtMs: nowMs } : before;
  if (nowMs - now.sinceMs >= round.limits.electionPatienceMs) {
    giveUp(round, moves);
    return true;
  }
  const turns = Math.ceil(moves.length / atATime.elections);
  const around = Math.floor(now.tried / turns);
  const waitMs = around === 0 ? 0 : Math.min(pauseMs.longest, pauseMs.first * 2 ** (around - 1));
  if (nowMs - now.triedAtMs < waitMs) {
    round.record({ electing: now });
    return false;
  }
  const start = (now.tried % turns) * atATime.elections;
  const partitions = electable(round, moves.slice(start, start + atATime.elections));
  round.record({ electing: { ...now, tried: now.tried + 1, triedAtMs: nowMs } });
  if (partitions.length > 0) round.actions.push({ kind: 'elect', partitions });
  return false;
}

function electable(round: Round, moves: readonly number[]): Election[] {
  return moves.flatMap((move) => {
    const { key, topic, partition } = round.move(move);
    const state = round.fresh(key);
    return state?.isr.includes(preferred(round, move)) === true ? [{ move, topic, partition }] : [];
  });
}

/** The moves that `elect` wants to know more of: those whose turn is next. */
export function nextToElect({ journal }: Round, moves: readonly number[]): readonly number[] {
  const turns = Math.max(1, Math.ceil(moves.length / atATime.elections));
  const start = ((journal.electing?.tried ?? 0) % turns) * atATime.elections;
  return moves.slice(start, start + atATime.elections);
}

function giveUp(round: Round, moves: readonly number[]): void {
  const examples = moves.slice(0, named).map((move) => {
    const { key } = round.move(move);
    const [broker, state] = [preferred(round, move), round.seen.partitions.get(key)];
    const why = state?.isr.includes(broker) === true ? 'could not be elected' : 'is not in sync';
    return `${key}: broker ${broker} ${why}`;
  });
  const ledElsewhere = { count: moves.length, examples };
  round.record({ ledElsewhere });
  round.say({ code: 'leader-elsewhere', message: ledElsewhereText(ledElsewhere) });
}

/** What is told of leaders that are not where the plan wants them. */
export function ledElsewhereText({ count, examples }: NonNullable<Journal['ledElsewhere']>): string {
  const [what, are] = count === 1 ? ['partition', 'is'] : ['partitions', 'are'];
  const more = count > examples.length ? ` and ${count - examples.length} more` : '';
  return `${count} ${what} ${are} not led by the planned broker (${examples.join('; ')}${more}); Kafka elects it by itself when it can (auto.leader.rebalance.enable), kafka-leader-election --election-type preferred at any time`;
}

import type { Election, Reassignment } from './model.ts';
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

function ledElsewhere(round: Round, index: number): boolean {
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

/** Preferred elections, of leaders that are in sync. Whether that is all that can be done. */
export function elect(round: Round, moves: readonly number[]): boolean {
  if (moves.length === 0) return true;
  const { nowMs } = round.seen;
  const since = round.journal.electingSinceMs;
  if (since === undefined) round.record({ electingSinceMs: nowMs });
  else if (nowMs - since >= round.limits.electionPatienceMs) {
    const [first] = moves;
    const named = first === undefined ? '' : `, ${round.move(first).key} among them`;
    round.say({
      code: 'leader-elsewhere',
      message: `${moves.length} partitions${named} are not led by the planned broker, which is not in sync; Kafka elects it when it is (auto.leader.rebalance.enable)`,
    });
    return true;
  }
  const partitions: Election[] = [];
  for (const move of moves) {
    if (partitions.length >= atATime.elections) break;
    const { key, topic, partition } = round.move(move);
    const state = round.fresh(key);
    if (state?.isr.includes(preferred(round, move))) partitions.push({ move, topic, partition });
  }
  if (partitions.length > 0) round.actions.push({ kind: 'elect', partitions });
  return false;
}

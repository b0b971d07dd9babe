import {
  type Cancellation,
  type Copy,
  type PartitionState,
  type Reassignment,
  sameOrder,
  sameSet,
  targetOf,
  without,
} from './model.ts';
import { cannotCancel, deadKept } from './guards.ts';
import type { Round } from './round.ts';

interface Found {
  readonly copy: Copy;
  readonly key: string;
  readonly state: PartitionState | undefined;
  /** Kafka is carrying out exactly this copy. */
  readonly inProgress: boolean;
  readonly adding: readonly number[];
}

type Fate = Copy | undefined;

/** Follows every chosen copy: what Kafka shows of it decides what it is now. */
export function followCopies(round: Round): void {
  const cancels: Cancellation[] = [];
  const orders: Reassignment[] = [];
  const left: Copy[] = [];
  for (const copy of round.journal.copies) {
    const found = find(round, copy);
    const fate = found === undefined ? copy : follow(round, found, { cancels, orders });
    if (fate !== undefined) left.push(fate);
  }
  round.copies(left);
  if (cancels.length > 0) round.actions.push({ kind: 'cancel', partitions: cancels });
  if (orders.length > 0) round.actions.push({ kind: 'reassign', partitions: orders });
}

/** Nothing where the partition has not been looked at just now. */
function find(round: Round, copy: Copy): Found | undefined {
  const { key } = round.move(copy.move);
  const known = round.seen.partitions.has(key);
  const state = round.fresh(key);
  if (known && state === undefined) return undefined;
  const ongoing = round.ongoing.get(key);
  const inProgress = ongoing !== undefined && sameOrder(targetOf(ongoing), copy.target);
  return { copy, key, state, inProgress, adding: ongoing?.adding ?? [] };
}

interface Orders {
  readonly cancels: Cancellation[];
  readonly orders: Reassignment[];
}

function follow(round: Round, found: Found, orders: Orders): Fate {
  switch (found.copy.state) {
    case 'queued':
      return round.journal.stop === undefined ? found.copy : undefined;
    case 'landed':
      return landed(round, found);
    case 'submitted':
      return submitted(round, found, orders);
    case 'reverting':
      return reverting(round, found, orders);
  }
}

/** Counted against the disks until they have been looked at since. */
function landed(round: Round, { copy }: Found): Fate {
  const since = copy.landedAtMs ?? 0;
  const unseen = without(copy.target, copy.before).some((broker) => {
    const disk = round.seen.disks.get(broker);
    return round.seen.alive.has(broker) && (disk === undefined || disk.seenAtMs <= since);
  });
  return unseen ? copy : undefined;
}

function submitted(round: Round, found: Found, orders: Orders): Fate {
  const { copy, state, inProgress } = found;
  if (state === undefined) return odd(round, copy, () => undefined);
  const failure = round.seen.failures.find(({ move }) => move === copy.move);
  if (failure?.reason === 'FOREIGN_REASSIGNMENT' && copy.seen === undefined) return undefined;
  if (failure !== undefined && !inProgress && copy.seen === undefined) {
    if (!failure.mayPassLater) {
      round.refuse(copy.move, { code: 'refused-by-kafka', detail: failure.message });
      return undefined;
    }
    round.wait({ code: 'kafka-refused', message: failure.message });
  }
  if (inProgress) {
    const known: Copy = { ...even(copy), seen: true };
    const ends = round.journal.stop !== undefined || keepsDead(round, copy);
    return ends ? cancel(round, { ...found, copy: known }, orders) : known;
  }
  if (round.ongoing.has(found.key)) {
    round.say({
      code: 'foreign-reassignment',
      message: `${found.key}: somebody else has replaced our reassignment`,
    });
    return undefined;
  }
  if (sameOrder(state.replicas, copy.target)) return arrived(round, copy);
  return odd(round, copy, () => {
    if (copy.seen === undefined || !sameSet(state.replicas, copy.before)) return undefined;
    round.refuse(copy.move, {
      code: 'cancelled-elsewhere',
      detail: `${found.key}: somebody else has cancelled our reassignment`,
    });
    return undefined;
  });
}

/**
 * A replica that was to stay for a while is on a broker that is emptied and away: it will not be reached. Taken back, the
 * partition goes to an assignment without that one.
 */
const keepsDead = ({ seen, limits }: Round, { before, target }: Copy): boolean =>
  deadKept(before, target, seen.alive).some((id) => limits.mayBeAway.includes(id));

function arrived(round: Round, copy: Copy): Copy {
  const { stop } = round.journal;
  const late = copy.held === true || copy.state === 'reverting';
  if (stop !== undefined && late) {
    round.record({ stop: { ...stop, forward: [...stop.forward, copy.move] } });
  }
  return { ...even(copy), state: 'landed', landedAtMs: round.seen.nowMs };
}

/** True revert (KIP-455), as soon as enough of the earlier replicas are in sync. */
function cancel(round: Round, found: Found, orders: Orders): Copy {
  const { copy, key, state, adding } = found;
  const { topic, partition } = round.move(copy.move);
  const why = state === undefined ? undefined : cannotCancel(state, adding, round.seen.minIsr.get(topic));
  if (why !== undefined) {
    round.wait({ code: 'stop-waits', message: `${key}: ${why}` });
    return { ...copy, held: true };
  }
  orders.cancels.push({ move: copy.move, topic, partition, target: copy.target });
  return { ...copy, state: 'reverting' };
}

function reverting(round: Round, found: Found, orders: Orders): Fate {
  const { copy, key, state, inProgress } = found;
  if (state === undefined) return odd(round, copy, () => undefined);
  if (inProgress) return cancel(round, { ...found, copy: even(copy) }, orders);
  if (round.ongoing.has(key)) return undefined;
  if (sameOrder(state.replicas, copy.target)) return arrived(round, copy);
  if (sameOrder(state.replicas, copy.before)) {
    reverted(round, copy);
    return undefined;
  }
  if (sameSet(state.replicas, copy.before)) {
    // Kafka takes the new replicas out of a list that begins with those that stay: the order has to be put back.
    const { topic, partition } = round.move(copy.move);
    orders.orders.push({ move: copy.move, topic, partition, replicas: copy.before });
    return even(copy);
  }
  return odd(round, copy, () => undefined);
}

function reverted(round: Round, copy: Copy): void {
  const { stop } = round.journal;
  if (copy.because !== undefined) round.refuse(copy.move, copy.because);
  if (stop !== undefined) round.record({ stop: { ...stop, reverted: [...stop.reverted, copy.move] } });
}

const even = ({ oddSinceMs: _odd, ...copy }: Copy): Copy => copy;

/** Brokers answer a little behind the controller, so what fits nothing is believed only when it stands. */
function odd(round: Round, copy: Copy, believed: () => Fate): Fate {
  const { nowMs } = round.seen;
  if (copy.oddSinceMs === undefined) return { ...copy, oddSinceMs: nowMs };
  return nowMs - copy.oddSinceMs < round.limits.settleMs ? copy : believed();
}

import { roomOf } from './batches.ts';
import { type Lying, brokersWithDirectory, directoryOf, isInPlace, lyingOn, sizeOf } from './directories.ts';
import { pauses } from './guards.ts';
import { leadershipLeft } from './leaders.ts';
import type { Notice, Place, Relocation } from './model.ts';
import type { Round } from './round.ts';
import type { Standing } from './standing.ts';

/** Beyond `movesPerBroker` only small ones, so many times as many and so much in all: each takes a look or two anyway. */
const small = { times: 10, bytes: 64 * 2 ** 20 };

type Fate = Relocation | undefined;

/** Follows every chosen relocation: what its broker shows of it decides what it is now. */
export function followRelocations(round: Round): void {
  const { relocations = [] } = round.journal;
  if (relocations.length === 0) return;
  const ended: Place[] = [];
  round.relocations(relocations.flatMap((one) => follow(round, one, ended) ?? []));
  if (ended.length > 0) round.actions.push({ kind: 'keep-in-place', partitions: ended });
}

function follow(round: Round, one: Relocation, ended: Place[]): Fate {
  const { stop } = round.journal;
  if (one.state === 'queued') return stop === undefined ? one : undefined;
  if (!round.seen.alive.has(one.broker)) return away(round, one);
  const disk = round.seen.disks.get(one.broker);
  if (disk === undefined || disk.seenAtMs <= one.sinceMs) {
    const isLate = round.seen.nowMs - one.sinceMs > round.limits.diskFreshMs;
    if (isLate) round.wait({ code: 'replicas-behind', message: unknown(one.broker) });
    return one;
  }
  const lying = lyingOn(disk, round.move(one.move).key);
  return one.state === 'submitted'
    ? submitted(round, one, { lying, ended })
    : reverting(round, one, { lying, ended });
}

const unknown = (broker: number): string => `the log directories of broker ${broker} are not known`;

/** A broker goes on with it by itself when it is back, so that a stop need not wait for one that may never be. */
function away(round: Round, one: Relocation): Fate {
  const { stop } = round.journal;
  const { key } = round.move(one.move);
  const message = `${key} is being copied to ${one.to} on broker ${one.broker}, which is away`;
  round.wait({ code: 'broker-away', message });
  if (stop === undefined) return one;
  return odd(round, one, () => {
    finished(round, one);
    return undefined;
  });
}

interface Look {
  readonly lying: Lying;
  readonly ended: Place[];
}

function submitted(round: Round, one: Relocation, look: Look): Fate {
  const { lying } = look;
  const { key } = round.move(one.move);
  if (lying.future === one.to) {
    const known: Relocation = { ...even(one), seen: true };
    return round.journal.stop === undefined ? known : takeBack(round, known, look);
  }
  if (lying.future !== undefined) return replaced(round, one, lying.future);
  if (lying.in === one.to) return undefined;
  const failure = round.seen.failures.find((it) => it.move === one.move && it.broker === one.broker);
  if (failure !== undefined && one.seen === undefined) {
    if (!failure.mayPassLater) {
      round.refuse(one.move, { code: 'refused-by-kafka', detail: failure.message });
      return undefined;
    }
    round.wait({ code: 'kafka-refused', message: failure.message });
  }
  // The request may be on its way still: one that says the contrary arrives after it.
  if (round.journal.stop !== undefined) return takeBack(round, one, look);
  return odd(round, one, () => {
    if (one.seen === undefined || lying.in !== one.from) return undefined;
    const detail = `${key}: somebody else has ended its copy to ${one.to} on broker ${one.broker}`;
    round.refuse(one.move, { code: 'cancelled-elsewhere', detail });
    return undefined;
  });
}

/** The directory that a replica lies in ends its copy to another one (`ReplicaManager.alterReplicaLogDirs`). */
function takeBack(round: Round, one: Relocation, { lying, ended }: Look): Fate {
  if (lying.in === undefined) return odd(round, one, () => undefined);
  const { topic, partition } = round.move(one.move);
  ended.push({ move: one.move, topic, partition, broker: one.broker, path: lying.in });
  return { ...even(one), state: 'reverting', sinceMs: round.seen.nowMs };
}

function reverting(round: Round, one: Relocation, look: Look): Fate {
  const { lying } = look;
  // Where the copy was complete before it was ended, naming the earlier directory has begun one back: that is ended too.
  const isOurs = lying.future === one.to || (lying.future === one.from && lying.in === one.to);
  if (isOurs) return takeBack(round, { ...one, seen: true }, look);
  if (lying.future !== undefined) return replaced(round, one, lying.future);
  if (lying.in === one.to) {
    finished(round, one);
    return undefined;
  }
  // What was never seen may still begin.
  return one.seen === undefined ? odd(round, one, () => reverted(round, one)) : reverted(round, one);
}

function reverted(round: Round, { move, because }: Relocation): undefined {
  const { stop } = round.journal;
  if (because !== undefined) round.refuse(move, because);
  if (stop !== undefined) round.record({ stop: { ...stop, reverted: [...stop.reverted, move] } });
}

function finished(round: Round, { move }: Relocation): void {
  const { stop } = round.journal;
  if (stop !== undefined) round.record({ stop: { ...stop, forward: [...stop.forward, move] } });
}

function replaced(round: Round, { move, broker }: Relocation, path: string): undefined {
  const message = `${round.move(move).key}: somebody else has it copied to ${path} on broker ${broker} instead`;
  round.say({ code: 'foreign-reassignment', message });
}

const even = ({ oddSinceMs: _odd, ...one }: Relocation): Relocation => one;

function odd(round: Round, one: Relocation, believed: () => Fate): Fate {
  const { nowMs } = round.seen;
  if (one.oddSinceMs === undefined) return { ...one, oddSinceMs: nowMs };
  return nowMs - one.oddSinceMs < round.limits.settleMs ? one : believed();
}

interface Wanted extends Place {
  readonly key: string;
}

/** Replicas that are to lie in another directory, as far as is known; none before all else of the plan is done. */
export function relocationsLeft(round: Round, all: readonly Standing[]): Wanted[] {
  const { withDirectories } = round.prepared;
  if (withDirectories.length === 0) return [];
  if (!all.every(({ at }) => at === 'placed' || at === 'refused')) return [];
  const { led } = leadershipLeft(round, all);
  if (led.length > 0 && round.journal.ledElsewhere === undefined) return [];
  return withDirectories.flatMap((move) => (all[move]?.at === 'placed' ? wantedOf(round, move) : []));
}

function wantedOf(round: Round, index: number): Wanted[] {
  const move = round.prepared.plan.moves[index];
  if (move === undefined) return [];
  const { key, topic, partition } = round.move(index);
  return brokersWithDirectory(move).flatMap((broker) => {
    const path = directoryOf(move, broker);
    if (path === undefined || isInPlace(round.seen, key, { broker, path })) return [];
    return [{ move: index, key, topic, partition, broker, path }];
  });
}

/** Chooses relocations up to the limits, when nothing else of the plan is left. Their throttle comes first. */
export function chooseRelocations(round: Round, all: readonly Standing[]): void {
  const chosen = new Set((round.journal.relocations ?? []).map(idOf));
  const wanted = relocationsLeft(round, all).filter((one) => !chosen.has(idOf(one)));
  if (wanted.length === 0) {
    roomAgain(round);
    return foundAgain(round);
  }
  const paused = pauses(round.seen, round.limits);
  for (const notice of paused) round.wait(notice);
  if (paused.length > 0) return;
  const blocked: (Notice & { readonly move: number })[] = [];
  if (wanted.every((one) => isSomewhere(round, one))) foundAgain(round);
  for (const one of wanted) {
    const why = choose(round, one);
    if (why !== undefined) blocked.push({ ...why, move: one.move });
  }
  for (const { code, message } of blocked.slice(0, 10)) round.wait({ code, message });
  noRoom(round, blocked);
}

const idOf = ({ move, broker }: { move: number; broker: number }): string => `${move}/${broker}`;

/** Why one is not begun although the limits allow it. */
function choose(round: Round, { move, key, broker, path }: Wanted): Notice | undefined {
  const { seen, limits } = round;
  const { relocations = [] } = round.journal;
  if (round.journal.refused[move] !== undefined) return undefined;
  const disk = seen.disks.get(broker);
  if (disk === undefined || seen.nowMs - disk.seenAtMs > limits.diskFreshMs)
    return { code: 'replicas-behind', message: unknown(broker) };
  const lying = lyingOn(disk, key);
  if (lying.future !== undefined)
    return {
      code: 'foreign-reassignment',
      message: `${key}: somebody else has it copied to ${lying.future} on broker ${broker}; it waits`,
    };
  if (lying.in === undefined) return nowhere(round, { move, key, broker });
  const bytes = Math.max(round.prepared.plan.moves[move]?.sizeBytes ?? 0, sizeOf(key, broker, seen));
  if (isBusy(round, broker, bytes)) return undefined;
  const why = roomOf(round).refusal([broker], () => ({ key, bytes, path, relocated: true }));
  if (why !== undefined) return { code: 'disk', message: `${key}: ${why}` };
  const next = { move, broker, from: lying.in, to: path, bytes, sinceMs: seen.nowMs } as const;
  round.relocations([...relocations, { ...next, state: 'queued' }]);
  return undefined;
}

/** Its directory has failed; or it came after the last look at the disk, so that a later one has to say the same. */
function nowhere(
  round: Round,
  { move, key, broker }: Pick<Wanted, 'move' | 'key' | 'broker'>,
): Notice | undefined {
  const { seen, limits, journal } = round;
  const { nowhereSinceMs = seen.nowMs } = journal;
  const detail = `${key}: broker ${broker} has it in no log directory that is in service`;
  if ((seen.disks.get(broker)?.seenAtMs ?? 0) - nowhereSinceMs > limits.settleMs) {
    round.refuse(move, { code: 'drifted', detail });
    return undefined;
  }
  round.record({ nowhereSinceMs });
  return { code: 'replicas-behind', message: detail };
}

function isBusy({ journal, limits }: Round, broker: number, bytes: number): boolean {
  const { relocations = [] } = journal;
  const all = relocations.reduce((sum, one) => sum + one.bytes, 0);
  if (all > 0 && all + bytes > limits.batchBytes) return true;
  const own = relocations.filter((one) => one.broker === broker);
  if (own.length < limits.movesPerBroker) return false;
  const there = own.reduce((sum, one) => sum + one.bytes, 0);
  return own.length >= limits.movesPerBroker * small.times || there + bytes > small.bytes;
}

/** Where nothing is under way and no space comes free, waiting for room would never end. */
function noRoom(round: Round, blocked: readonly (Notice & { readonly move: number })[]): void {
  const { journal, seen, limits } = round;
  const idle = (journal.relocations ?? []).length === 0;
  if (!idle || blocked.length === 0 || blocked.some(({ code }) => code !== 'disk')) return roomAgain(round);
  const { noRoomInDirectorySinceMs: since = seen.nowMs } = journal;
  if (journal.noRoomInDirectorySinceMs === undefined) round.record({ noRoomInDirectorySinceMs: since });
  if (seen.nowMs - since < limits.diskPatienceMs) return;
  for (const { move, message } of blocked) round.refuse(move, { code: 'no-room', detail: message });
}

function roomAgain(round: Round): void {
  const { noRoomInDirectorySinceMs, ...journal } = round.journal;
  if (noRoomInDirectorySinceMs !== undefined) round.journal = journal;
}

const isSomewhere = ({ seen }: Round, { key, broker }: Wanted): boolean => {
  const disk = seen.disks.get(broker);
  return disk === undefined || lyingOn(disk, key).in !== undefined;
};

function foundAgain(round: Round): void {
  const { nowhereSinceMs, ...journal } = round.journal;
  if (nowhereSinceMs !== undefined) round.journal = journal;
}

/** Sends the queued ones whose throttle has been read back, where everything still allows it. */
export function submitRelocations(round: Round, throttled: (one: Relocation) => boolean): void {
  const { relocations = [] } = round.journal;
  if (relocations.length === 0 || pauses(round.seen, round.limits).length > 0) return;
  const sent: Place[] = [];
  const left: Relocation[] = [];
  for (const one of relocations) {
    const next = one.state === 'queued' ? submission(round, one, throttled) : one;
    if (next === undefined) continue;
    left.push(next);
    if (next === one) continue;
    const { topic, partition } = round.move(one.move);
    sent.push({ move: one.move, topic, partition, broker: one.broker, path: one.to });
  }
  round.relocations(left);
  if (sent.length > 0) round.actions.push({ kind: 'relocate', partitions: sent });
}

/** The relocation itself while it waits, nothing where it no longer applies. */
function submission(round: Round, one: Relocation, throttled: (one: Relocation) => boolean): Fate {
  const { seen } = round;
  const { key } = round.move(one.move);
  const disk = seen.disks.get(one.broker);
  if (round.ongoing.has(key) || !seen.alive.has(one.broker)) return undefined;
  if (disk === undefined || disk.seenAtMs <= one.sinceMs || seen.nowMs - disk.seenAtMs > round.limits.freshMs)
    return one;
  const lying = lyingOn(disk, key);
  if (lying.future !== undefined || lying.in !== one.from) return undefined;
  const filling = { key, bytes: one.bytes, path: one.to, relocated: true } as const;
  if (roomOf(round, one).refusal([one.broker], () => filling) !== undefined) return undefined;
  return throttled(one) ? { ...one, state: 'submitted', sinceMs: seen.nowMs } : one;
}

import {
  type Copy,
  type Notice,
  type Place,
  type Reassignment,
  type Relocation,
  sameOrder,
  without,
} from './model.ts';
import { directoryOf, sizeOf } from './directories.ts';
import { pauses, replicasBehind } from './guards.ts';
import { type Filling, Room } from './room.ts';
import type { Round } from './round.ts';
import type { Exchange, Standing } from './standing.ts';

/**
 * How long small copies beyond `movesPerBroker` may keep the throttle busy, and how many times as many they may be. It takes one
 * to two seconds from the end of a copy to the begin of the next. More at once would make the throttle inexact: a follower asks
 * whether it may fetch, and then fetches up to 1 MB of each partition, 10 MB from each leader (KIP-73).
 */
const ahead = { seconds: 1.5, times: 10 };

/** Reverts the largest copy into a disk that producers fill faster than was foreseen. */
export function relieveDisks(round: Round): void {
  const over = roomOf(round).overfull();
  if (over === undefined) return;
  const because = { code: 'no-room', detail: over.detail } as const;
  const running = ({ state, because: reason }: Copy | Relocation) =>
    state === 'submitted' && reason === undefined;
  const relocations = (round.journal.relocations ?? []).filter(
    (one) => running(one) && one.broker === over.broker && over.fills(fillingOfRelocation(round, one)),
  );
  const [relocated] = relocations.sort((a, b) => b.bytes - a.bytes);
  if (relocated !== undefined) {
    round.relocations(
      (round.journal.relocations ?? []).map((one) =>
        one === relocated ? { ...one, state: 'reverting', because } : one,
      ),
    );
    return;
  }
  const into = round.journal.copies.filter(
    (copy) =>
      running(copy) &&
      without(copy.target, copy.before).includes(over.broker) &&
      over.fills(fillingOf(round, copy, over.broker)),
  );
  const [largest] = into.sort((a, b) => b.bytes - a.bytes);
  if (largest === undefined) return;
  round.copies(
    round.journal.copies.map((copy) => (copy === largest ? { ...copy, state: 'reverting', because } : copy)),
  );
}

/** Chooses copies up to the limits. Their throttles come first; `submitQueued` sends them when those have been read back. */
export function chooseCopies(round: Round, standings: readonly Standing[]): void {
  const paused = pauses(round.seen, round.limits);
  for (const notice of paused) round.wait(notice);
  if (paused.length > 0) return;
  const load = new Load(round);
  const chosen: Copy[] = [];
  const blocked: Notice[] = [];
  for (const [index, standing] of standings.entries()) {
    if (load.full()) break;
    if (standing.at !== 'open') continue;
    const copy = candidate(round, index, standing);
    const why = 'code' in copy ? copy : load.refusal(copy);
    if (why === 'limits') continue;
    if (why !== undefined) blocked.push(why);
    else if (!('code' in copy)) {
      load.add(copy);
      chosen.push(copy);
    }
  }
  if (chosen.length > 0) round.copies([...round.journal.copies, ...chosen]);
  for (const notice of blocked.slice(0, 10)) round.wait(notice);
  noRoom(round, blocked);
}

/** Where nothing is under way and no space comes free, waiting for room would never end. */
function noRoom(round: Round, blocked: readonly Notice[]): void {
  const { journal, seen, limits } = round;
  const stuck =
    journal.copies.length === 0 && blocked.length > 0 && blocked.every(({ code }) => code === 'disk');
  if (!stuck) {
    if (journal.noRoomSinceMs !== undefined) {
      const { noRoomSinceMs: _since, ...rest } = journal;
      round.journal = rest;
    }
    return;
  }
  if (journal.noRoomSinceMs === undefined) round.record({ noRoomSinceMs: seen.nowMs });
  else if (seen.nowMs - journal.noRoomSinceMs >= limits.diskPatienceMs) round.record({ noRoom: true });
}

function candidate(round: Round, index: number, { before, target }: Exchange): Copy | Notice {
  const { key } = round.move(index);
  const state = round.seen.partitions.get(key);
  if (state === undefined) return { code: 'replicas-behind', message: `${key} has not been looked at` };
  const behind = replicasBehind(state, target, round.seen.alive);
  if (behind !== undefined) return { code: 'replicas-behind', message: `${key} ${behind}` };
  const planned = round.prepared.plan.moves[index]?.sizeBytes ?? 0;
  const bytes = Math.max(planned, sizeOf(key, state.leader, round.seen));
  return { move: index, state: 'queued', before, target, source: state.leader, bytes };
}

/** How long what is under way takes to pass at the rate, on the broker to which most is copied. */
export function underWayMs({ journal, limits }: Round): number | undefined {
  if (limits.throttle === undefined || journal.rate === undefined) return undefined;
  const into = new Map<number, number>();
  for (const { state, before, target, bytes } of journal.copies)
    if (state === 'submitted')
      for (const broker of without(target, before)) into.set(broker, (into.get(broker) ?? 0) + bytes);
  if (into.size === 0) return undefined;
  return (1_000 * Math.max(...into.values())) / journal.rate.bytesPerSecond;
}

/** What is under way against the limits. */
class Load {
  readonly #round: Round;
  /** The sizes of copies. */
  readonly #into = new Map<number, number[]>();
  readonly #outOf = new Map<number, number[]>();
  readonly #room: Room;
  #bytes = 0;

  constructor(round: Round) {
    this.#round = round;
    this.#room = roomOf(round);
    for (const copy of round.journal.copies) if (copy.state !== 'landed') this.#count(copy);
  }

  full(): boolean {
    return this.#bytes >= this.#round.limits.batchBytes;
  }

  refusal(copy: Copy): 'limits' | Notice | undefined {
    const { limits } = this.#round;
    const added = without(copy.target, copy.before);
    // A partition all of whose replicas move at once is one copy into each broker and several out of its leader.
    const out = this.#outOf.get(copy.source);
    if (out !== undefined && this.#tooMany(out, added.length, copy)) return 'limits';
    if (added.some((id) => this.#tooMany(this.#into.get(id) ?? [], 1, copy))) return 'limits';
    const bytes = copy.bytes * added.length;
    if (this.#bytes > 0 && this.#bytes + bytes > limits.batchBytes) return 'limits';
    const why = this.#room.refusal(added, (broker) => fillingOf(this.#round, copy, broker));
    if (why === undefined) return undefined;
    return { code: 'disk', message: `${this.#round.move(copy.move).key}: ${why}` };
  }

  add(copy: Copy): void {
    this.#count(copy);
    const added = without(copy.target, copy.before);
    this.#room.add(added, (broker) => fillingOf(this.#round, copy, broker));
  }

  /**
   * Beside `movesPerBroker` copies the smallest are not counted, up to `ahead`: what is under way has to last until the next ones are
   * chosen and submitted.
   */
  #tooMany(under: readonly number[], more: number, { bytes }: Copy): boolean {
    const { limits, journal } = this.#round;
    const most = limits.movesPerBroker;
    const copies = under.length + more;
    if (copies <= most) return false;
    if (copies > most * ahead.times) return true;
    const lasting = limits.throttle === undefined ? 0 : (journal.rate?.bytesPerSecond ?? 0) * ahead.seconds;
    const sizes = [...under, ...Array<number>(more).fill(bytes)].sort((a, b) => a - b);
    return sizes.slice(0, copies - most).reduce((sum, one) => sum + one, 0) > lasting;
  }

  #count(copy: Copy): void {
    const added = without(copy.target, copy.before);
    for (const id of added) add(this.#into, id, copy.bytes);
    for (const _ of added) add(this.#outOf, copy.source, copy.bytes);
    this.#bytes += copy.bytes * added.length;
  }
}

function add(sizes: Map<number, number[]>, broker: number, bytes: number): void {
  const known = sizes.get(broker);
  if (known === undefined) sizes.set(broker, [bytes]);
  else known.push(bytes);
}

const fillingOf = (round: Round, { move, bytes }: Copy, broker: number): Filling => ({
  key: round.move(move).key,
  bytes,
  path: directoryOf(round.prepared.plan.moves[move], broker),
});

const fillingOfRelocation = (round: Round, { move, bytes, to }: Relocation): Filling => ({
  key: round.move(move).key,
  bytes,
  path: to,
  relocated: true,
});

/** The room that what is under way leaves. */
export function roomOf(round: Round, except?: Copy | Relocation): Room {
  const room = new Room(round.seen, round.limits);
  for (const copy of round.journal.copies) {
    if (copy === except) continue;
    const bytes = Math.max(copy.bytes, sizeOf(round.move(copy.move).key, copy.source, round.seen));
    room.add(without(copy.target, copy.before), (broker) => ({ ...fillingOf(round, copy, broker), bytes }));
  }
  for (const one of round.journal.relocations ?? []) {
    if (one !== except) room.add([one.broker], () => fillingOfRelocation(round, one));
  }
  return room;
}

/** Sends the queued copies whose throttles have been read back, where everything still allows it. */
export function submitQueued(round: Round, throttled: (copy: Copy) => boolean): void {
  if (pauses(round.seen, round.limits).length > 0) return;
  const sent: Reassignment[] = [];
  const left: Copy[] = [];
  for (const copy of round.journal.copies) {
    const next = copy.state === 'queued' ? submission(round, copy, throttled) : copy;
    if (next === undefined) continue;
    left.push(next);
    if (next === copy) continue;
    const { topic, partition } = round.move(copy.move);
    const places = placesOf(round, copy);
    const reassignment = { move: copy.move, topic, partition, replicas: copy.target };
    sent.push(places.length === 0 ? reassignment : { ...reassignment, places });
  }
  round.copies(left);
  if (sent.length > 0) round.actions.push({ kind: 'reassign', partitions: sent });
}

/** The copy itself while it waits, nothing where it no longer applies. */
function submission(round: Round, copy: Copy, throttled: (copy: Copy) => boolean): Copy | undefined {
  const { key } = round.move(copy.move);
  const state = round.fresh(key);
  if (state === undefined) return round.seen.partitions.has(key) ? copy : undefined;
  if (round.ongoing.has(key) || !sameOrder(state.replicas, copy.before)) return undefined;
  if (replicasBehind(state, copy.target, round.seen.alive) !== undefined) return undefined;
  const added = without(copy.target, copy.before);
  const why = roomOf(round, copy).refusal(added, (broker) => fillingOf(round, copy, broker));
  if (why !== undefined) return undefined;
  return throttled(copy) ? { ...copy, state: 'submitted' } : copy;
}

/** The directories of the replicas that a copy adds, where the plan names them. */
function placesOf(round: Round, { move, before, target }: Copy): Place[] {
  const { topic, partition } = round.move(move);
  return without(target, before).flatMap((broker) => {
    const path = directoryOf(round.prepared.plan.moves[move], broker);
    return path === undefined ? [] : [{ move, topic, partition, broker, path }];
  });
}

import {
  type ConfigRef,
  type ConfigWrite,
  type Copy,
  type LedgerEntry,
  type Relocation,
  configKey,
  without,
} from './model.ts';
import { type Settled, type Wanted, opened, owed, settle, settleUnread } from './ledger.ts';
import type { Round } from './round.ts';
import type { Upcoming } from './upcoming.ts';
import { elementsOf, isAll } from './throttled-replicas.ts';

/** KIP-73, and KIP-113 for copies between the directories of one broker. */
export const throttleKeys = {
  rates: ['leader.replication.throttled.rate', 'follower.replication.throttled.rate'],
  sources: 'leader.replication.throttled.replicas',
  destinations: 'follower.replication.throttled.replicas',
  directories: 'replica.alter.log.dirs.io.max.bytes.per.second',
} as const;

/** The setting that must be in force before a replica is copied to another directory of its broker. */
export const throttleOfDirectories = (broker: number): ConfigRef => ({
  type: 'broker',
  name: String(broker),
  key: throttleKeys.directories,
});

/** The settings that must be in force before a copy starts, as Kafka's own tool sets them. */
export function throttlesOf(
  copy: Pick<Copy, 'before' | 'target'>,
  topic: string,
  alive: ReadonlySet<number>,
): ConfigRef[] {
  const added = without(copy.target, copy.before);
  // Any of the earlier replicas may come to lead. A broker that is away sends nothing, and takes no setting.
  const brokers = [...copy.before.filter((id) => alive.has(id)), ...added];
  return [
    { type: 'topic', name: topic, key: throttleKeys.sources },
    { type: 'topic', name: topic, key: throttleKeys.destinations },
    ...brokers.flatMap((id) =>
      throttleKeys.rates.map((key): ConfigRef => ({ type: 'broker', name: String(id), key })),
    ),
  ];
}

/** What is left to be copied, by kind. */
interface Left {
  readonly copies: boolean;
  readonly relocations: boolean;
  readonly upcoming: readonly Upcoming[];
}

/** Whether the settings of something that has been chosen have been read back as they should be. */
interface Throttled {
  readonly copy: (copy: Copy) => boolean;
  readonly relocation: (one: Relocation) => boolean;
}

type Wishes = Map<string, ConfigRef & { readonly wanted: Wanted }>;

/**
 * Brings every throttle setting one step nearer to what the copies under way need, and back to what it was when there are
 * none.
 */
export function settleThrottles(round: Round, left: Left): Throttled {
  const wishes = wishesOf(round, left);
  const entries = new Map(round.journal.ledger.map((entry) => [configKey(entry), entry]));
  const inForce = new Set<string>();
  const listed = new Map<string, (element: string) => boolean>();
  const ledger: LedgerEntry[] = [];
  const writes: ConfigWrite[] = [];
  for (const [id, ref] of new Map<string, ConfigRef>([...entries, ...wishes])) {
    const entry = entries.get(id) ?? opened(round.seen, { type: ref.type, name: ref.name, key: ref.key });
    if (entry === undefined) continue;
    const settled = step(round, entry, wishes.get(id)?.wanted);
    if (settled.entry !== undefined) ledger.push(settled.entry);
    if (settled.write !== undefined) writes.push({ ...settled.write, via: routeOf(round, ref) });
    if (settled.notice !== undefined) round.say(settled.notice);
    if (settled.asWanted) inForce.add(id);
    else if (ref.type === 'topic') listed.set(id, inList(settled.entry));
  }
  round.record({ ledger });
  if (writes.length > 0) round.actions.push({ kind: 'configs', writes });
  tellFailures(round);
  const copied = (copy: Copy): boolean => {
    if (round.limits.throttle === undefined) return true;
    const { topic, partition } = round.move(copy.move);
    return throttlesOf(copy, topic, round.seen.alive).every((ref) => {
      const id = configKey(ref);
      if (inForce.has(id)) return true;
      // A list that is being extended for others has held this copy before, and will.
      const holds = listed.get(id);
      return holds !== undefined && elementsFor(copy, ref.key, partition).every(holds);
    });
  };
  const relocation = ({ broker }: Relocation): boolean =>
    round.limits.throttle === undefined || inForce.has(configKey(throttleOfDirectories(broker)));
  return { copy: copied, relocation };
}

/** What stands in a list now, has been read there, and is not about to leave it. */
function inList(entry: LedgerEntry | undefined): (element: string) => boolean {
  if (entry === undefined || entry.odd !== undefined || entry.openedAtMs !== undefined) return () => false;
  const lists = [entry.written, ...(entry.pending === undefined ? [] : [entry.pending.value])];
  const sets = lists.map((list) => (isAll(list) ? undefined : new Set(elementsOf(list))));
  return (element) => sets.every((set) => set?.has(element) ?? true);
}

/** What a copy adds to one of the two lists of its topic. */
function elementsFor({ before, target }: Pick<Copy, 'before' | 'target'>, key: string, partition: number) {
  const brokers = key === throttleKeys.sources ? before : without(target, before);
  return brokers.map((broker) => `${partition}:${broker}`);
}

function step(round: Round, entry: LedgerEntry, wanted: Wanted | undefined): Settled {
  if (wanted === undefined && entry.openedAtMs !== undefined) return { asWanted: true };
  const settled = settledAt(round, entry, wanted);
  const unpaid = settled.entry !== undefined && wanted === undefined && !seenNow(round, entry);
  if (unpaid) tellDebt(round, entry);
  return settled;
}

function settledAt(round: Round, entry: LedgerEntry, wanted: Wanted | undefined): Settled {
  const { seen, limits } = round;
  if (routeOf(round, entry) === 'controllers') {
    if (wanted !== undefined || !seen.throughControllers) return owed(entry);
    return settleUnread(entry, seen.acknowledged?.get(configKey(entry)));
  }
  const now = seen.configs.get(configKey(entry));
  if (now === undefined) return owed(entry);
  return settle(entry, now, wanted, { nowMs: seen.nowMs, settleMs: limits.settleMs });
}

const seenNow = ({ seen }: Round, entry: LedgerEntry): boolean =>
  entry.type === 'topic' || seen.configs.has(configKey(entry));

/** A broker that is away cannot be told its own settings; the controllers can. */
const routeOf = ({ seen }: Round, ref: ConfigRef): ConfigWrite['via'] =>
  ref.type === 'topic' || seen.alive.has(Number(ref.name)) ? 'kafka' : 'controllers';

/** Whether what a setting is owed can be paid now: not where its broker is away and the controllers did not take it. */
export function payable({ seen }: Round, ref: ConfigRef): boolean {
  if (ref.type === 'topic' || seen.alive.has(Number(ref.name))) return true;
  const refused = seen.failures.some(
    ({ config }) => config !== undefined && configKey(config) === configKey(ref),
  );
  return seen.throughControllers && !refused;
}

function wishesOf(round: Round, left: Left): Wishes {
  const wishes: Wishes = new Map();
  const { journal, limits } = round;
  if (limits.throttle === undefined || journal.rate === undefined) return wishes;
  const rate = { rate: String(Math.round(journal.rate.bytesPerSecond)) };
  for (const { type, name, key } of journal.ledger) {
    const isLeft = key === throttleKeys.directories ? left.relocations : left.copies;
    if (type === 'broker' && isLeft)
      wishes.set(configKey({ type, name, key }), { type, name, key, wanted: rate });
  }
  for (const { broker } of left.relocations ? (journal.relocations ?? []) : []) {
    const ref = throttleOfDirectories(broker);
    wishes.set(configKey(ref), { ...ref, wanted: rate });
  }
  if (left.copies) {
    const underWay = journal.copies.filter(({ state }) => state !== 'landed');
    wishForCopies(round, [...underWay, ...left.upcoming], { wishes, rate });
  }
  return wishes;
}

function wishForCopies(
  round: Round,
  copies: readonly Upcoming[],
  { wishes, rate }: { readonly wishes: Wishes; readonly rate: { readonly rate: string } },
): void {
  const lists = new Map<string, { ref: ConfigRef; elements: string[] }>();
  for (const copy of copies) {
    const { topic, partition } = round.move(copy.move);
    for (const ref of throttlesOf(copy, topic, round.seen.alive)) {
      const id = configKey(ref);
      if (ref.type === 'broker') {
        wishes.set(id, { ...ref, wanted: rate });
        continue;
      }
      const list = lists.get(id) ?? { ref, elements: [] };
      list.elements.push(...elementsFor(copy, ref.key, partition));
      lists.set(id, list);
    }
  }
  for (const [id, { ref, elements }] of lists) wishes.set(id, { ...ref, wanted: { elements } });
}

function tellFailures(round: Round): void {
  for (const { config, message } of round.seen.failures) {
    if (config !== undefined) round.wait({ code: 'throttle-not-set', message });
  }
}

function tellDebt(round: Round, { name }: LedgerEntry): void {
  const when = round.seen.throughControllers
    ? 'through the controllers, or when the broker answers again'
    : 'when the broker answers again';
  round.wait({ code: 'debt', message: `the throttle of broker ${name} is taken back ${when}` });
}

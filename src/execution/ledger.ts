import {
  type ConfigSeen,
  type ConfigWrite,
  type LedgerEntry,
  type Notice,
  type Seen,
  configKey,
} from './model.ts';
import { elementsOf, isAll, merged, reduced } from './throttled-replicas.ts';

/** What a setting is to have while copies run: replicas added to a list, or a rate. Absent: as it was. */
export type Wanted = { readonly elements: readonly string[] } | { readonly rate: string };

export interface Settled {
  /** Absent: nothing of ours is left in this setting. */
  readonly entry?: LedgerEntry;
  readonly write?: Omit<ConfigWrite, 'via'>;
  readonly notice?: Notice;
  /** The setting has been read and is as wanted. */
  readonly asWanted: boolean;
}

/**
 * One step of one setting from what it is to what it should be. A write stands in the entry before it is sent, and counts
 * only when it has been read back. A value that is neither ours nor the earlier one is somebody else's.
 */
export function settle(
  entry: LedgerEntry,
  now: ConfigSeen,
  wanted: Wanted | undefined,
  at: { readonly nowMs: number; readonly settleMs: number },
): Settled {
  if ('gone' in now) {
    const since = entry.goneSinceMs ?? at.nowMs;
    // A broker that has just started may not have heard of the topic yet.
    const believed = at.nowMs - since >= at.settleMs;
    return believed
      ? { asWanted: wanted === undefined }
      : { entry: { ...entry, goneSinceMs: since }, asWanted: false };
  }
  const { value } = now;
  if (entry.openedAtMs !== undefined) return newlyOpened(entry, value, wanted, at);
  if (entry.pending !== undefined && value === entry.pending.value) return onward(confirmed(entry), wanted);
  if (value === entry.written) return onward(withoutOdd(entry), wanted);
  if (entry.sent?.includes(value) === true) return onward({ ...withoutOdd(entry), written: value }, wanted);
  if (entry.odd?.value !== value) {
    return { entry: { ...entry, odd: { value, sinceMs: at.nowMs } }, asWanted: false };
  }
  if (at.nowMs - entry.odd.sinceMs < at.settleMs) return { entry, asWanted: false };
  return { ...onward(taken(entry, value), wanted), notice: changedElsewhere(entry) };
}

/**
 * What is put back in the end must be what stood there, and a broker that is asked may be behind: the first write waits
 * until the same has been read for a while.
 */
function newlyOpened(
  entry: LedgerEntry,
  value: string | null,
  wanted: Wanted | undefined,
  at: { readonly nowMs: number; readonly settleMs: number },
): Settled {
  const { openedAtMs = at.nowMs, ...known } = withoutOdd(entry);
  if (wanted === undefined) return { asWanted: true };
  if (value !== entry.before) {
    return { entry: { ...known, before: value, written: value, openedAtMs: at.nowMs }, asWanted: false };
  }
  if (at.nowMs - openedAtMs < at.settleMs) return { entry, asWanted: false };
  return onward(known, wanted);
}

/** A broker that cannot be asked: what we owe it stays as it is. */
export const owed = (entry: LedgerEntry): Settled => ({ entry, asWanted: false });

/**
 * Puts back a setting of a broker that is away. Nobody can read it there, so what the controllers have taken counts as read.
 * What was read last and was neither ours nor the earlier value is somebody else's, and is what is put back.
 */
export function settleUnread(entry: LedgerEntry, acknowledged: string | null | undefined): Settled {
  const { odd, pending } = entry;
  const known = odd === undefined ? entry : taken(entry, odd.value);
  const notice = odd === undefined ? {} : { notice: changedElsewhere(entry) };
  const last = pending === undefined ? known.written : pending.value === acknowledged && acknowledged;
  if (last === known.before) return { asWanted: true, ...notice };
  const { type, name, key, before: value } = known;
  const write = { type, name, key, value };
  return { entry: writing(known, value), write, asWanted: false, ...notice };
}

function onward(entry: LedgerEntry, wanted: Wanted | undefined): Settled {
  const value = targetOf(entry, wanted);
  // Whether an earlier write arrived is not known while it stands there unread: it is written over.
  if (value === entry.written && entry.pending === undefined) {
    return wanted === undefined ? { asWanted: true } : { entry, asWanted: true };
  }
  const { type, name, key } = entry;
  return { entry: writing(entry, value), write: { type, name, key, value }, asWanted: false };
}

/** As many as a broker that is read late leaves unread at the most. */
const sentKept = 8;

/** A write that replaces one of which it is not known whether it arrived does not make that one somebody else's. */
function writing(entry: LedgerEntry, value: string | null): LedgerEntry {
  const { pending, sent = [] } = entry;
  const unread = pending === undefined || pending.value === value ? sent : [...sent, pending.value];
  const kept = [...new Set(unread)].slice(-sentKept);
  return { ...entry, pending: { value }, ...(kept.length === 0 ? {} : { sent: kept }) };
}

function targetOf(entry: LedgerEntry, wanted: Wanted | undefined): string | null {
  if (wanted === undefined) return entry.before;
  if ('rate' in wanted) return entry.foreign ? entry.written : wanted.rate;
  const value = merged(entry.before, wanted.elements);
  // Lists shrink when nothing of the topic is under way, not with every copy that is done.
  const ours = elementsOf(entry.written);
  const covered = elementsOf(value).every((element) => ours.includes(element));
  return covered && !isAll(value) && entry.pending === undefined ? entry.written : value;
}

const withoutOdd = ({ odd: _odd, goneSinceMs: _gone, ...entry }: LedgerEntry): LedgerEntry => entry;

function confirmed(entry: LedgerEntry): LedgerEntry {
  const { pending, sent: _sent, ...rest } = withoutOdd(entry);
  return pending === undefined ? rest : { ...rest, written: pending.value };
}

/** What somebody else wrote becomes what is put back: a rate as it is, a list without the replicas that we had added. */
function taken(entry: LedgerEntry, value: string | null): LedgerEntry {
  const { pending, sent = [], ...rest } = withoutOdd(entry);
  if (!isList(entry)) return { ...rest, before: value, written: value, foreign: true };
  const theirs = new Set(elementsOf(entry.before));
  const ours = [entry.written, pending?.value ?? null, ...sent].flatMap(elementsOf);
  const before = reduced(
    value,
    ours.filter((element) => !theirs.has(element)),
  );
  return { ...rest, before, written: value };
}

const isList = ({ key }: LedgerEntry): boolean => key.endsWith('.replicas');

const changedElsewhere = (entry: LedgerEntry): Notice => ({
  code: 'foreign-config',
  message: !isList(entry)
    ? `${configKey(entry)} was changed by somebody else; their value stays, and is not put back to what it was before`
    : `${configKey(entry)} was changed by somebody else; what they wrote stays, only our replicas are taken out`,
});

/** A first entry, before anything is written. */
export function opened(seen: Seen, ref: Pick<LedgerEntry, 'type' | 'name' | 'key'>): LedgerEntry | undefined {
  const now = seen.configs.get(configKey(ref));
  if (now === undefined || 'gone' in now) return undefined;
  return { ...ref, before: now.value, written: now.value, openedAtMs: seen.nowMs };
}

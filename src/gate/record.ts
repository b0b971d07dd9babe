/**
 * The disruption record: who may be away, since when, at which step. It lies as JSON in the ConfigMap `C-kafka-disruption`
 * and is only ever replaced by compare-and-swap on its resourceVersion. Everything here is a value from a value; a
 * transition that the record does not allow is refused with the reason, and changes nothing.
 */

import type { Kind, Step } from './steps.ts';
import { firstStep, knowsStep, rules } from './steps.ts';

export type { Kind, Step } from './steps.ts';

export const schemaVersion = 1;
/** An allowed eviction lapses after this unless its pod terminates (`kubernetes-semantics` H1). */
export const reservationMs = 15_000;
/** A rebalance's journal: a ConfigMap holds 1 MiB, and the rest of the record needs little. */
export const maxJournalBytes = 900 * 1024;
/** How long an eviction is remembered for the loop breaker. */
export const rememberMs = 3_600_000;
const maxRemembered = 50;

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

export interface Subject {
  readonly pod?: string;
  /** The pod that goes, never the one that comes back. */
  readonly podUid?: string;
  readonly broker?: number;
  readonly set?: string;
}

/** An allowed eviction that has not been seen to happen. */
export interface Reservation extends Subject {
  readonly state: 'reserved';
  readonly kind: 'eviction';
  readonly id: string;
  /** The sidecar that writes for it. */
  readonly by: string;
  readonly sinceMs: number;
  readonly expiresMs: number;
}

export interface Lease extends Subject {
  readonly state: 'held';
  readonly kind: Kind;
  readonly id: string;
  readonly by: string;
  readonly sinceMs: number;
  readonly step: Step;
  readonly stepSinceMs: number;
  /** The least that was seen left to copy, and when it last became less. */
  readonly progress?: { readonly bytesLeft: number; readonly atMs: number };
  /** StatefulSets held at the old revision because a new pod does not come up: the partition set, and the one before. */
  readonly frozen?: readonly Frozen[];
  /** Opaque here; a rebalance's executor reads it. */
  readonly journal?: Json;
}

export interface Frozen {
  readonly set: string;
  /** The update revision that does not come up: another one ends the freeze. */
  readonly revision: string;
  readonly partition: number;
  readonly was: number;
  /** Its pod had not been started: nobody knows whether the template or the cluster is the reason. */
  readonly pending?: true;
}

export type Holder = Reservation | Lease;

export interface DisruptionRecord {
  readonly schemaVersion: typeof schemaVersion;
  /** At most one, ever. */
  readonly holder?: Holder;
  /** Evictions that happened within the last hour, oldest first. */
  readonly evictions: readonly { readonly pod: string; readonly atMs: number }[];
}

/** The record, or why it could not be read: then nothing may go. */
export type RecordKnown =
  | { readonly known: true; readonly record: DisruptionRecord }
  | { readonly known: false; readonly problem: string };

export const emptyRecord: DisruptionRecord = { schemaVersion, evictions: [] };

/** Who speaks, and about which holder. */
export interface Claim {
  readonly id: string;
  readonly by: string;
}

export type RefusalCode =
  'held' | 'not-held' | 'not-yours' | 'illegal-step' | 'not-lapsed' | 'illegal-journal';

export type Outcome =
  | { readonly ok: true; readonly record: DisruptionRecord }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string };

const done = (record: DisruptionRecord): Outcome => ({ ok: true, record });
const refuse = (code: RefusalCode, message: string): Outcome => ({ ok: false, code, message });

/** `the eviction of kafka-1`, `the rebalance nightly`. */
export const nameOf = ({ kind, pod, id }: Holder): string =>
  `the ${kind} ${pod === undefined ? id : `of ${pod}`}`;

const held = (holder: Holder): Outcome =>
  refuse('held', `${nameOf(holder)} holds the disruption record; wait until it is released`);

/** An eviction has been allowed: nobody else may go while the pod may still begin to terminate. Renewed for the same pod. */
export function reserve(
  record: DisruptionRecord,
  claim: Claim,
  subject: Subject & { readonly pod: string; readonly podUid: string },
  nowMs: number,
): Outcome {
  const { holder } = record;
  const renewed = holder?.state === 'reserved' && holder.podUid === subject.podUid;
  if (holder !== undefined && !renewed) return held(holder);
  if (renewed && holder.by !== claim.by) return notYours(holder);
  const sinceMs = renewed ? holder.sinceMs : nowMs;
  const reservation: Reservation = {
    state: 'reserved',
    kind: 'eviction',
    ...claim,
    ...subject,
    sinceMs,
    expiresMs: nowMs + reservationMs,
  };
  return done({ ...record, holder: reservation });
}

/** The reserved pod is terminating, however late that is seen: the reservation becomes a lease. */
export function confirm(record: DisruptionRecord, claim: Claim, podUid: string, nowMs: number): Outcome {
  const { holder } = record;
  if (holder?.state !== 'reserved' || holder.podUid !== podUid)
    return refuse('not-held', `no reservation for the pod ${podUid}; take a lease of kind loss for it`);
  if (holder.by !== claim.by) return notYours(holder);
  const { expiresMs: _expires, ...kept } = holder;
  const lease: Lease = { ...kept, state: 'held', sinceMs: nowMs, step: 'going', stepSinceMs: nowMs };
  const recent = record.evictions.filter(({ atMs }) => nowMs - atMs < rememberMs);
  const evictions = [...recent, { pod: holder.pod ?? '', atMs: nowMs }].slice(-maxRemembered);
  return done({ ...record, holder: lease, evictions });
}

/** Drops a reservation whose time is over. The caller has to have seen the pod alive after that time: `terminating` is a no. */
export function lapse(record: DisruptionRecord, nowMs: number, pod: { terminating: boolean }): Outcome {
  const { holder } = record;
  if (holder?.state !== 'reserved') return refuse('not-held', 'there is no reservation that could lapse');
  if (pod.terminating) return refuse('not-lapsed', `${holder.pod ?? 'the pod'} is terminating; confirm it`);
  if (nowMs <= holder.expiresMs)
    return refuse('not-lapsed', `the reservation holds for another ${holder.expiresMs - nowMs} ms`);
  return done(without(record));
}

/**
 * Takes the lease where nobody holds it. A reservation counts as held until it has lapsed. A rebalance that empties brokers
 * (`empties`) takes it from the disruption of one that is away, which would wait for ever where that one does not come back.
 */
export function take(
  record: DisruptionRecord,
  claim: Claim,
  {
    empties = [],
    ...what
  }: Subject & {
    readonly kind: Kind;
    readonly journal?: Json;
    readonly empties?: readonly number[];
  },
  nowMs: number,
): Outcome {
  const { holder } = record;
  const away = holder && awayUnder(holder);
  const yields = what.kind === 'rebalance' && away !== undefined && empties.includes(away);
  if (holder !== undefined && !yields) return held(holder);
  const problem = what.journal === undefined ? undefined : journalProblem(what.kind, what.journal);
  if (problem !== undefined) return refuse('illegal-journal', problem);
  const step = firstStep[what.kind];
  const lease: Lease = { state: 'held', ...claim, ...what, sinceMs: nowMs, step, stepSinceMs: nowMs };
  return done({ ...record, holder: lease });
}

/** The broker that a holder waits for while it is away: whoever empties it need not wait for its return. */
export const awayUnder = (holder: Holder): number | undefined =>
  holder.state === 'held' &&
  isFollowed(holder) &&
  holder.frozen === undefined &&
  (holder.step === 'away' || holder.step === 'starting')
    ? holder.broker
    : undefined;

/**
 * To another step; `from` guards against a decision made on an older record. `podUid` names the pod to delete where that is
 * not the one that the lease was taken for.
 */
export function advance(
  record: DisruptionRecord,
  claim: Claim,
  move: { readonly from: Step; readonly to: Step; readonly podUid?: string },
  nowMs: number,
): Outcome {
  return onLease(record, claim, (lease) => {
    if (lease.step !== move.from || !rules[lease.kind][lease.step]?.next.includes(move.to))
      return refuse(
        'illegal-step',
        `${nameOf(lease)} is at "${lease.step}": ${move.from} → ${move.to} is no step from there`,
      );
    const { progress: _progress, ...kept } = lease;
    const uid = move.podUid === undefined ? {} : { podUid: move.podUid };
    return done({ ...record, holder: { ...kept, ...uid, step: move.to, stepSinceMs: nowMs } });
  });
}

/** Notes how much is left to copy. Only less than ever before moves the time on: deadlines follow progress. */
export function noteProgress(
  record: DisruptionRecord,
  claim: Claim,
  bytesLeft: number,
  nowMs: number,
): Outcome {
  return onLease(record, claim, (lease) => {
    if (lease.progress !== undefined && bytesLeft >= lease.progress.bytesLeft) return done(record);
    return done({ ...record, holder: { ...lease, progress: { bytesLeft, atMs: nowMs } } });
  });
}

/** Notes which sets are held at their old revision; an empty list lifts all. */
export function freeze(record: DisruptionRecord, claim: Claim, frozen: readonly Frozen[]): Outcome {
  return onLease(record, claim, (lease) => {
    if (!knowsStep(lease.kind, 'starting'))
      return refuse('illegal-step', `${nameOf(lease)} waits for no pod to start, and freezes nothing`);
    const { frozen: _frozen, ...kept } = lease;
    return done({ ...record, holder: frozen.length === 0 ? kept : { ...kept, frozen } });
  });
}

/** Replaces a rebalance's journal. */
export function keepJournal(record: DisruptionRecord, claim: Claim, journal: Json): Outcome {
  return onLease(record, claim, (lease) => {
    const problem = journalProblem(lease.kind, journal);
    return problem === undefined
      ? done({ ...record, holder: { ...lease, journal } })
      : refuse('illegal-journal', problem);
  });
}

/** Gives the lease back, from a last step only; `gone` where the node is not to come back (scaled away, set deleted). */
export function release(record: DisruptionRecord, claim: Claim, options: { gone?: boolean } = {}): Outcome {
  return onLease(record, claim, (lease) => {
    const end = rules[lease.kind][lease.step]?.end;
    if (end === undefined || (end === 'gone' && options.gone !== true))
      return refuse('illegal-step', `${nameOf(lease)} is at "${lease.step}", which is not its end`);
    if (lease.frozen !== undefined)
      return refuse(
        'illegal-step',
        `${nameOf(lease)} still holds sets at their old revision; lift that first`,
      );
    return done(without(record));
  });
}

/** After a restart, by the holder of the sidecar's Lease: the same disruption goes on under another name. */
export function takeOver(record: DisruptionRecord, by: string): Outcome {
  if (record.holder === undefined) return refuse('not-held', 'nothing is under way that could be taken over');
  return done({ ...record, holder: { ...record.holder, by } });
}

/** Evictions, losses and rolls are carried back to whole by the gate; rebalances and scale-ins by duties of their own. */
export const isFollowed = ({ kind }: Holder): boolean =>
  kind === 'eviction' || kind === 'loss' || kind === 'roll';

/** Where the gate is off nobody follows evictions, losses and rolls: what is left of one would be in the way for ever. */
export function dropUnfollowed(record: DisruptionRecord): Outcome {
  const { holder } = record;
  return done(holder !== undefined && isFollowed(holder) ? without(record) : record);
}

function onLease(record: DisruptionRecord, claim: Claim, then: (lease: Lease) => Outcome): Outcome {
  const { holder } = record;
  if (holder?.state !== 'held' || holder.id !== claim.id)
    return refuse('not-held', `${claim.id} does not hold the disruption record; read it again`);
  return holder.by === claim.by ? then(holder) : notYours(holder);
}

const notYours = (holder: Holder): Outcome =>
  refuse('not-yours', `${nameOf(holder)} is carried on by ${holder.by}; take it over first`);

function without(record: DisruptionRecord): DisruptionRecord {
  const { holder: _holder, ...kept } = record;
  return kept;
}

function journalProblem(kind: Kind, journal: Json): string | undefined {
  if (kind !== 'rebalance') return `a ${kind} keeps no journal`;
  const bytes = new TextEncoder().encode(JSON.stringify(journal)).length;
  return bytes <= maxJournalBytes
    ? undefined
    : `the journal has ${bytes} bytes, and a ConfigMap takes ${maxJournalBytes} beside the rest; keep it smaller`;
}

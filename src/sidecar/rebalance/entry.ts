import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import {
  type Journal,
  type Limits,
  type Move,
  type Plan,
  defaultLimits,
  keyOf,
  parseJournal,
} from '../../execution/index.ts';
import type { Claim, DisruptionRecord, Json, Lease as RecordLease } from '../../gate/record.ts';
import { awayUnder, maxJournalBytes, nameOf } from '../../gate/record.ts';
import type { KafkaRebalance } from './kafka-rebalance.ts';
import type { Lease } from './lifecycle-types.ts';
import type { RebalancePlan } from './plan.ts';
import type { RecordHolder } from './queue.ts';
import type { ExecutionSettings } from './settings.ts';

/** What the disruption record holds of the execution of a KafkaRebalance's plan. */
export interface Entry extends RecordHolder {
  readonly journal: Journal;
  readonly limits: Limits;
  /**
   * The moves of `journal.copies`, then those of `journal.relocations`, in their order: with them alone what is under way can
   * be taken back.
   */
  readonly underWay: readonly Move[];
}

/** A longer entry is stored compressed: refusals and the throttles of others may be many, and a ConfigMap holds 1 MiB. */
const plainBytes = maxJournalBytes / 8;
/** Refusals whose reason is kept when there are that many: twenty are shown. */
const reasonsKept = 100;

/** Its window is large enough for a list of replicas to be found again in the next one. */
const params = { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 24 };

interface Packed extends RecordHolder {
  readonly brotli: string;
}

export function entryJson({ name, uid, journal, limits, underWay }: Entry): Json {
  const text = JSON.stringify({ name, uid, journal, limits, underWay });
  if (text.length <= plainBytes) return JSON.parse(text) as Json;
  const short = JSON.stringify({ name, uid, journal: withFewReasons(journal), limits, underWay });
  return { name, uid, brotli: brotliCompressSync(short, { params }).toString('base64') };
}

function withFewReasons(journal: Journal): Journal {
  const refused = Object.entries(journal.refused).map(
    ([move, refusal], index) => [move, index < reasonsKept ? refusal : { ...refusal, detail: '' }] as const,
  );
  return { ...journal, refused: Object.fromEntries(refused) };
}

/**
 * The execution that the record's holder is about; undefined where it is about something else.
 * @throws where a later version wrote it
 */
export function entryOf({ holder }: DisruptionRecord): (Entry & { readonly lease: RecordLease }) | undefined {
  if (holder?.state !== 'held' || holder.kind !== 'rebalance' || holder.journal === undefined)
    return undefined;
  const entry = unpacked(holder.journal as unknown as Entry | Packed);
  return { ...entry, journal: parseJournal(JSON.stringify(entry.journal)), lease: holder };
}

const unpacked = (entry: Entry | Packed): Entry =>
  'brotli' in entry
    ? (JSON.parse(String(brotliDecompressSync(Buffer.from(entry.brotli, 'base64')))) as Entry)
    : entry;

/** The indices of the moves that are under way, in the order in which an entry has these. */
export const movesUnderWay = ({ copies, relocations = [] }: Journal): number[] =>
  [...copies, ...relocations].map(({ move }) => move);

export const underWayOf = (plan: Plan, journal: Journal): Move[] =>
  movesUnderWay(journal).flatMap((move) => plan.moves[move] ?? []);

/** An execution of nothing but what is under way: the plan itself may be gone with its object. */
export function remainder({ journal, underWay }: Entry): { plan: Plan; journal: Journal } {
  // A move may be under way on several brokers, and is one move of the remainder.
  const keys = [...new Set(underWay.map(keyOf))];
  const moves = keys.flatMap((key) => underWay.find((move) => keyOf(move) === key) ?? []);
  const at = (index: number): number =>
    keys.indexOf(underWay[index] === undefined ? '' : keyOf(underWay[index]));
  const copies = journal.copies.map((copy, index) => ({ ...copy, move: at(index) }));
  const relocations = journal.relocations?.map((one, index) => ({ ...one, move: at(copies.length + index) }));
  const stop = journal.stop && { ...journal.stop, reverted: [], forward: [] };
  return {
    plan: { hash: journal.plan, moves },
    journal: {
      ...journal,
      copies,
      refused: {},
      ...(relocations === undefined ? {} : { relocations }),
      ...(stop === undefined ? {} : { stop }),
    },
  };
}

/** Who speaks for the execution of one object. */
export const claimOf = ({ name }: RecordHolder, by: string): Claim => ({ id: name, by });

/** The lease as the lifecycle knows it. */
export function leaseOf(record: DisruptionRecord): Lease {
  const { holder } = record;
  if (holder === undefined) return { state: 'free' };
  const entry = entryOf(record);
  const away = awayUnder(holder);
  return {
    state: 'held',
    what: nameOf(holder),
    ...(entry === undefined ? {} : { uid: entry.uid }),
    ...(away === undefined ? {} : { away }),
  };
}

/**
 * The lease as it concerns one object: a broker that is away is not in the way of emptying that broker. It may never come
 * back, and its replicas are copied from others.
 */
export function leaseFor({ spec }: Pick<KafkaRebalance, 'spec'>, lease: Lease): Lease {
  const { mode, brokers = [] } = spec;
  const away = lease.state === 'held' ? lease.away : undefined;
  const empties = mode === 'remove-brokers' && away !== undefined && brokers.includes(away);
  return empties ? { state: 'free' } : lease;
}

/** The executor's limits for a plan; brokers that it empties may be away. */
export function limitsOf({ moves, execution }: Pick<RebalancePlan, 'moves' | 'execution'>): Limits {
  const { movesPerBroker, batchBytes, diskReserve } = execution;
  const kept = new Set(moves.flatMap(({ to }) => to));
  const emptied = new Set(moves.flatMap(({ from }) => from).filter((id) => !kept.has(id)));
  return {
    ...defaultLimits,
    throttle: throttleOf(execution),
    ...(movesPerBroker === undefined ? {} : { movesPerBroker }),
    ...(batchBytes === undefined ? {} : { batchBytes }),
    ...(diskReserve === undefined ? {} : { diskReserve }),
    mayBeAway: [...emptied],
  };
}

function throttleOf({ throttle }: ExecutionSettings): NonNullable<Limits['throttle']> {
  const { bytesPerSecond, floorBytesPerSecond, ceilingBytesPerSecond } = throttle;
  if (bytesPerSecond !== undefined)
    return { floorBytesPerSecond: bytesPerSecond, ceilingBytesPerSecond: bytesPerSecond };
  const usual = defaultLimits.throttle ?? { floorBytesPerSecond: 1e7, ceilingBytesPerSecond: 1e8 };
  const floor = floorBytesPerSecond ?? Math.min(usual.floorBytesPerSecond, ceilingBytesPerSecond ?? Infinity);
  return {
    floorBytesPerSecond: floor,
    ceilingBytesPerSecond: ceilingBytesPerSecond ?? Math.max(usual.ceilingBytesPerSecond, floor),
  };
}

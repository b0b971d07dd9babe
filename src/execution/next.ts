import {
  type Action,
  type ConfigRef,
  type Journal,
  type Notice,
  type Phase,
  type Relocation,
  type Seen,
  type TopicPartition,
  configKey,
  without,
} from './model.ts';
import { chooseCopies, relieveDisks, submitQueued, underWayMs } from './batches.ts';
import { followCopies } from './copies.ts';
import { atATime, elect, leadershipLeft, nextToElect, order } from './leaders.ts';
import { type Progress, progressOf } from './progress.ts';
import { chooseRelocations, followRelocations, relocationsLeft, submitRelocations } from './relocations.ts';
import { aboveIncoming, adapted, firstRate, incoming, slowWrites } from './rates.ts';
import { type Options, Round } from './round.ts';
import { type Standing, standings } from './standing.ts';
import { payable, settleThrottles, throttleOfDirectories, throttlesOf } from './throttles.ts';
import { type Upcoming, upcoming } from './upcoming.ts';

/** What the next look has to contain beside the whole picture. */
export interface LookAt {
  readonly partitions: readonly TopicPartition[];
  /** Those whose turn comes next, as new as `freshMs` asks. */
  readonly upcoming: readonly TopicPartition[];
  readonly configs: readonly ConfigRef[];
  /** Brokers that are filled: their disks, as new as `diskFreshMs` asks. */
  readonly destinations: readonly number[];
  /**
   * Of these, the ones to be looked at anew: something has landed there since they were looked at, or replicas are moved
   * between their directories, which only they themselves tell.
   */
  readonly landedOn: readonly number[];
}

export interface Step {
  /** The same object where nothing changed; to be stored before the actions are carried out. */
  readonly journal: Journal;
  readonly actions: readonly Action[];
  /** Why something does not go on. */
  readonly waiting: readonly Notice[];
  /** What happened, to be told once. */
  readonly said: readonly Notice[];
  readonly lookAt: LookAt;
  readonly progress: Progress;
  /** The next look is worth taking at once. */
  readonly soon: boolean;
  /** How long what is under way takes to pass at the rate; absent where that is not known. */
  readonly underWayMs?: number;
}

/**
 * One step of an execution. The journal is stored before the actions are carried out, and every action may be lost or
 * carried out twice: the next look decides.
 */
export function next(journal: Journal, seen: Seen, options: Options): Step {
  if (journal.plan !== options.prepared.plan.hash) {
    throw new Error(`The journal is of plan ${journal.plan}, not of ${options.prepared.plan.hash}`);
  }
  const round = new Round(journal, seen, options);
  const ended = journal.outcome !== undefined;
  if (!ended) {
    followCopies(round);
    followRelocations(round);
    relieveDisks(round);
    adaptRate(round);
  }
  let all = standings(round.journal, seen, options.prepared);
  if (!ended && round.journal.stop === undefined) {
    tellForeign(round, all);
    chooseCopies(round, all);
    all = standings(round.journal, seen, options.prepared);
    chooseRelocations(round, all);
  }
  const soonCopied = ended || round.journal.stop !== undefined ? [] : upcoming(all);
  const throttled = settleThrottles(round, {
    copies: !ended && copiesLeft(round, all),
    relocations: !ended && directoriesLeft(round, all),
    upcoming: soonCopied,
  });
  if (!ended) {
    submitQueued(round, throttled.copy);
    submitRelocations(round, throttled.relocation);
    proceed(round, all);
  }
  const lasting = underWayMs(round);
  return {
    ...(lasting === undefined ? {} : { underWayMs: lasting }),
    journal: unchanged(journal, round.journal) ? journal : round.journal,
    actions: round.actions,
    waiting: round.waiting,
    said: round.said,
    lookAt: lookAt(round, all, soonCopied),
    progress: progressOf(round.journal, seen, options.prepared, all),
    soon:
      round.actions.length > 0 ||
      [...round.journal.copies, ...relocationsOf(round)].some(({ state }) => state === 'queued'),
  };
}

const unchanged = (a: Journal, b: Journal): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

const relocationsOf = ({ journal }: Round): readonly Relocation[] => journal.relocations ?? [];

const copying = ({ journal }: Round): boolean => journal.copies.some(({ state }) => state !== 'landed');

const underWay = (round: Round): boolean => copying(round) || relocationsOf(round).length > 0;

const directoriesLeft = (round: Round, all: readonly Standing[]): boolean =>
  relocationsOf(round).length > 0 ||
  (round.journal.stop === undefined && relocationsLeft(round, all).length > 0);

const unfinished: ReadonlySet<Standing['at']> = new Set(['open', 'copying', 'foreign']);

const copiesLeft = (round: Round, all: readonly Standing[]): boolean =>
  copying(round) || (round.journal.stop === undefined && all.some(({ at }) => at === 'open'));

/**
 * Leaders after copies: replicas in their order, then elections, then directories, then whatever throttle is still to be
 * taken back.
 */
function proceed(round: Round, all: readonly Standing[]): void {
  if (all.some(({ at }) => at !== 'placed' && at !== 'refused')) notDrifted(round);
  if (round.journal.stop !== undefined) {
    if (underWay(round)) enter(round, 'copying');
    else end(round, 'stopped');
    return;
  }
  // One that was chosen and no longer applies is open again at the next look.
  if (copying(round) || all.some(({ at }) => unfinished.has(at))) return enter(round, 'copying');
  const { copied, led } = leadershipLeft(round, all);
  if (copied.length > 0) {
    enter(round, 'ordering');
    return order(round, copied);
  }
  if (led.length === 0) ledAsPlanned(round);
  else {
    if (round.journal.phase !== 'restoring') enter(round, 'electing');
    if (!elect(round, led)) return;
  }
  if (directoriesLeft(round, all)) return enter(round, 'relocating');
  if (!all.some(({ at }) => at === 'refused')) return end(round, 'done');
  const { driftedSinceMs = round.seen.nowMs } = round.journal;
  if (round.journal.driftedSinceMs === undefined) round.record({ driftedSinceMs });
  // Drift is read off a broker that may be behind, so it has to stand before the plan ends for it.
  if (round.seen.nowMs - driftedSinceMs >= round.limits.settleMs) return end(round, 'drifted');
  enter(round, 'restoring');
}

function notDrifted(round: Round): void {
  const { driftedSinceMs, ...journal } = round.journal;
  if (driftedSinceMs !== undefined) round.journal = journal;
}

function enter(round: Round, phase: Phase): void {
  if (round.journal.phase !== phase) round.record({ phase });
}

/** What a broker that is away has to be told is left in the ledger where the controllers cannot be told either. */
function end(round: Round, outcome: NonNullable<Journal['outcome']>): void {
  const { seen, journal } = round;
  if (journal.ledger.some((entry) => payable(round, entry))) return enter(round, 'restoring');
  round.record({ phase: 'ended', outcome, endedAtMs: seen.nowMs, copies: [] });
}

/** Leaders that were given up have come to lead after all. */
function ledAsPlanned(round: Round): void {
  const { ledElsewhere, ...rest } = round.journal;
  if (ledElsewhere !== undefined) round.journal = rest;
}

function adaptRate(round: Round): void {
  const { throttle } = round.limits;
  if (throttle === undefined) return;
  const { seen, limits } = round;
  if (round.journal.rate === undefined && seen.produceLatency !== undefined)
    round.record({ produceLatencyBeforeMs: seen.produceLatency.ms });
  const { journal } = round;
  const before = journal.rate ?? firstRate(throttle, seen.nowMs);
  const busiest = incoming(journal.copies, seen, (move) => round.move(move).key);
  const idle = !underWay(round);
  const slow = slowWrites(seen, limits, journal.produceLatencyBeforeMs);
  const { adaptEveryMs } = limits;
  const { rate, notice } = aboveIncoming(
    idle ? before : adapted(before, throttle, seen, { adaptEveryMs, producersWait: slow !== undefined }),
    throttle,
    busiest,
    seen.nowMs,
  );
  if (notice !== undefined) round.wait(notice);
  if (slow !== undefined && !idle && throttle.floorBytesPerSecond < throttle.ceilingBytesPerSecond)
    round.wait(slow);
  if (rate !== journal.rate) round.record({ rate });
}

function tellForeign(round: Round, all: readonly Standing[]): void {
  const waiting = all.flatMap(({ at }, index) => (at === 'foreign' ? [round.move(index).key] : []));
  if (waiting.length === 0) return;
  const named = waiting.slice(0, 10).join(', ');
  const more = waiting.length > 10 ? ` and ${waiting.length - 10} more` : '';
  round.wait({
    code: 'foreign-reassignment',
    message: `${named}${more}: somebody else reassigns them; they wait`,
  });
}

function lookAt(round: Round, all: readonly Standing[], next: readonly Upcoming[]): LookAt {
  const { journal } = round;
  const destinations = new Set<number>();
  const landedOn = new Set<number>();
  const moves = new Set<number>();
  for (const copy of journal.copies) {
    moves.add(copy.move);
    const added = without(copy.target, copy.before);
    for (const broker of added) (copy.state === 'landed' ? landedOn : destinations).add(broker);
  }
  for (const { broker } of relocationsOf(round)) landedOn.add(broker);
  if (journal.outcome === undefined && journal.stop === undefined) {
    for (const { broker } of relocationsLeft(round, all)) destinations.add(broker);
    for (const standing of all) {
      if (standing.at !== 'open') continue;
      for (const broker of without(standing.target, standing.before)) destinations.add(broker);
    }
    for (const move of leadersToLookAt(round, all)) moves.add(move);
  }
  return {
    partitions: [...moves].map((move) => round.move(move)),
    upcoming: next.map(({ move }) => round.move(move)),
    configs: configsToLookAt(round, next),
    destinations: [...new Set([...destinations, ...landedOn])],
    landedOn: [...landedOn],
  };
}

/** What is owed, and what has to be in force before something starts that is queued or comes next. */
function configsToLookAt(round: Round, next: readonly Upcoming[]): ConfigRef[] {
  const { journal, seen, limits } = round;
  const refs: ConfigRef[] = [...journal.ledger];
  if (limits.throttle !== undefined) {
    const queued = journal.copies.filter(({ state }) => state === 'queued');
    for (const copy of [...queued, ...next])
      refs.push(...throttlesOf(copy, round.move(copy.move).topic, seen.alive));
    for (const { state, broker } of relocationsOf(round))
      if (state === 'queued') refs.push(throttleOfDirectories(broker));
  }
  const byKey = new Map(refs.map((ref) => [configKey(ref), ref]));
  return [...byKey.values()].map(({ type, name, key }) => ({ type, name, key }));
}

function leadersToLookAt(round: Round, all: readonly Standing[]): number[] {
  if (round.journal.phase === 'copying') return [];
  const { copied, led } = leadershipLeft(round, all);
  return [...copied.slice(0, atATime.orders), ...nextToElect(round, led)];
}

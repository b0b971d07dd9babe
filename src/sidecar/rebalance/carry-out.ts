import { type Journal, type Plan, begin, ledElsewhereText, settledFor } from '../../execution/index.ts';
import { type Claim, advance, keepJournal, release, take, takeOver } from '../../gate/record.ts';
import { writeRates } from '../../model/index.ts';
import type { Context } from '../context.ts';
import { changeRecord } from '../disruption/index.ts';
import { type Entry, claimOf, entryJson, limitsOf, movesUnderWay, remainder, underWayOf } from './entry.ts';
import { Execution, type Told, reachOf } from './execute.ts';
import type { KafkaRebalance } from './kafka-rebalance.ts';
import type { Execution as Said } from './lifecycle-types.ts';
import { oweLater } from './owed.ts';
import type { RebalancePlan } from './plan.ts';
import type { Samples } from './search.ts';

/** An execution in this process. */
export interface Running {
  readonly name: string;
  readonly uid: string;
  readonly hash: string;
  /** The last that the executor said. */
  told: Told | undefined;
  journal: Journal;
  stop: boolean;
  /** Why it ended without an outcome: the record or its lease is another's, or the API server is away. */
  problem: { readonly message: string; readonly atMs: number } | undefined;
  /** Ends it where nobody listens to it any more: it does and stores nothing from then on. */
  readonly drop: () => void;
  /** What the record has to say of it. */
  readonly entry: () => Entry;
}

export interface CarryOut {
  readonly context: Context;
  /** This process, as the disruption record names it. */
  readonly by: string;
  readonly samples: Samples;
  /** Ends with the sidecar's term. */
  readonly signal: AbortSignal;
  /** Something is worth another pass of the duty. */
  readonly wake: () => void;
}

/** The disruption record did not allow a change. */
export class RecordRefused extends Error {
  override readonly name = 'RecordRefused';
  readonly code = 'record-refused';
}

async function changed(context: Context, transition: Parameters<typeof changeRecord>[1]): Promise<void> {
  const outcome = await changeRecord(context, transition);
  if (!outcome.ok) throw new RecordRefused(outcome.message);
}

/**
 * Takes the lease for an approved plan and begins to carry it out. What an earlier execution owes to brokers that were away is
 * taken over.
 * @throws RecordRefused where somebody else holds the lease
 */
export async function start(
  work: CarryOut,
  rebalance: KafkaRebalance,
  plan: RebalancePlan & { readonly hash: string },
  owed: Journal | undefined,
): Promise<Running> {
  const { context } = work;
  const { brokers } = await context.kafka.describeCluster();
  const racks = Object.fromEntries(
    brokers.flatMap(({ id, rack }) => (rack === undefined ? [] : [[id, rack]])),
  );
  const nowMs = context.now().getTime();
  const steps: Plan = { hash: plan.hash, moves: plan.moves };
  const journal = begin({ plan: steps, racks, nowMs, ...(owed === undefined ? {} : { previous: owed }) });
  const { name, uid } = rebalance.metadata;
  const entry: Entry = { name, uid, journal, limits: limitsOf(plan), underWay: [] };
  await takeFor(work, entry);
  if (owed !== undefined) await oweLater(context, undefined);
  return run(work, entry, steps);
}

/**
 * Takes the lease, for an execution that begins, or that the record has lost.
 * @throws RecordRefused where somebody else holds it
 */
export function takeFor({ context, by }: CarryOut, entry: Entry): Promise<void> {
  const nowMs = context.now().getTime();
  const what = { kind: 'rebalance', journal: entryJson(entry), empties: entry.limits.mayBeAway } as const;
  return changed(context, (record) => take(record, claimOf(entry, by), what, nowMs));
}

/** Goes on with what the record says was being carried out; without the plan only to take back what is under way. */
export async function resume(
  work: CarryOut,
  entry: Entry,
  plan: RebalancePlan | undefined,
): Promise<Running> {
  await changed(work.context, (record) => takeOver(record, work.by));
  if (plan !== undefined && isOfPlan(entry, plan))
    return run(work, entry, { hash: entry.journal.plan, moves: plan.moves });
  const rest = remainder(entry);
  const running = run(work, { ...entry, journal: rest.journal }, rest.plan);
  running.stop = true;
  return running;
}

/** Moves are counted by the plan, or by what was left when the plan had gone: never one for the other. */
const isOfPlan = ({ journal, underWay }: Entry, { moves }: RebalancePlan): boolean =>
  movesUnderWay(journal).every((move, index) => {
    const [planned, stored] = [moves[move], underWay[index]];
    return planned?.topic === stored?.topic && planned?.partition === stored?.partition;
  });

function run(work: CarryOut, entry: Entry, plan: Plan): Running {
  const { context, by, signal, samples, wake } = work;
  const claim = claimOf(entry, by);
  const dropped = new AbortController();
  const running: Running = {
    name: entry.name,
    uid: entry.uid,
    hash: plan.hash,
    told: undefined,
    journal: entry.journal,
    stop: false,
    problem: undefined,
    drop: () => dropped.abort(),
    entry: () => ({ ...entry, journal: running.journal, underWay: underWayOf(plan, running.journal) }),
  };
  const execution = new Execution({
    ...reachOf(context),
    plan,
    limits: entry.limits,
    journal: entry.journal,
    save: (journal) => save(context, claim, { ...entry, journal, underWay: underWayOf(plan, journal) }),
    stopRequested: () => running.stop,
    writeRates: () =>
      new Map([...writeRates(samples.taken)].map(([key, { bytesPerSecond }]) => [key, bytesPerSecond])),
    tell: (told) => {
      running.told = told;
      running.journal = told.journal;
      tellMetrics(context, told);
      for (const { code, message } of told.said)
        context.log.info({ event: 'rebalance', rebalance: entry.name, code }, message);
    },
    signal: AbortSignal.any([signal, dropped.signal]),
    log: context.log,
  });
  void execution.run().then(
    (journal) => {
      running.journal = journal;
      wake();
    },
    (error: unknown) => {
      if (signal.aborted || dropped.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      running.problem = { message, atMs: performance.now() };
      wake();
    },
  );
  return running;
}

const save = (context: Context, claim: Claim, entry: Entry): Promise<void> =>
  changed(context, (record) => keepJournal(record, claim, entryJson(entry)));

function tellMetrics({ metrics }: Context, { progress, pace }: Told): void {
  metrics.rebalanceBytesMoved.set(progress.bytesMoved);
  metrics.rebalanceBytesTotal.set(progress.bytesTotal);
  metrics.rebalanceBytesPerSecond.set(pace.bytesPerSecond);
}

/**
 * Gives the lease back after an end, with what is still owed to brokers that are away kept for later. Safe to repeat.
 * @throws RecordRefused where the lease is another's
 */
export async function finish({ context, by }: CarryOut, entry: Entry): Promise<void> {
  if (!settledFor(entry.journal)) await oweLater(context, entry.journal);
  const claim = claimOf(entry, by);
  await changed(context, (record) => {
    const { holder } = record;
    const atEnd = holder?.state === 'held' && holder.step === 'restoring';
    const restoring = atEnd
      ? ({ ok: true, record } as const)
      : advance(record, claim, { from: 'executing', to: 'restoring' }, context.now().getTime());
    return restoring.ok ? release(restoring.record, claim) : restoring;
  });
  context.metrics.rebalanceBytesPerSecond.set(0);
}

const states = { done: 'done', drifted: 'done', stopped: 'stopped' } as const;

/** Nothing is left but what Kafka refuses for good: another plan would be refused like this one, again and again. */
function refusedByKafka({ outcome, refused }: Journal, { refusedCount, goneCount }: Told['progress']) {
  const some = Object.values(refused).filter(({ code }) => code === 'refused-by-kafka');
  const [first] = some;
  if (outcome !== 'drifted' || first === undefined || some.length < refusedCount - goneCount) return {};
  const message = `Kafka refuses ${some.length} moves for good, the others are done: ${first.detail}`;
  return { state: 'failed', message } as const;
}

/** What the lifecycle is told of an execution. */
export function saidOf({ hash, told, journal, stop, problem }: Running): Said {
  // An end that was not looked at since a restart would be told without what was refused.
  const state =
    journal.outcome === undefined || told === undefined
      ? stop || journal.stop !== undefined
        ? 'stopping'
        : 'running'
      : states[journal.outcome];
  if (told === undefined) return { hash, state };
  const { progress, pace, waiting } = told;
  const waitsFor = problem === undefined ? waiting.map(({ message }) => message) : [problem.message];
  return {
    hash,
    state,
    progress: {
      bytesMoved: Math.round(progress.bytesMoved),
      bytesTotal: progress.bytesTotal,
      bytesPerSecond: Math.round(pace.bytesPerSecond),
      moved: progress.moved,
      total: progress.total,
      underWay: progress.underWay,
      ...(pace.etaSeconds === undefined ? {} : { etaSeconds: pace.etaSeconds }),
      ...(waitsFor.length === 0 ? {} : { waitingFor: waitsFor.join('; ') }),
    },
    refused: progress.refused
      .filter(({ code }) => code !== 'gone')
      .map(({ topic, partition, detail }) => ({ topic, partition, reason: detail })),
    refusedCount: progress.refusedCount - progress.goneCount,
    ...leaderMessage(journal),
    ...stopMessage(journal),
    ...refusedByKafka(journal, progress),
  };
}

/** An end that is not all that was planned: replicas are where they should be, some leaders are not. */
function leaderMessage({ outcome, ledElsewhere }: Journal): { message?: string } {
  if (outcome !== 'done' || ledElsewhere === undefined) return {};
  return { message: `every replica is in its place; ${ledElsewhereText(ledElsewhere)}` };
}

/** What a stop could take back, and what it could not. */
function stopMessage({ outcome, stop }: Journal): { message?: string } {
  if (outcome !== 'stopped' || stop === undefined) return {};
  const { reverted, forward } = stop;
  const kept =
    forward.length === 0
      ? ''
      : `; ${forward.length} had to be finished: too few of their earlier replicas were in sync, or they were complete by then, or their broker was away and goes on by itself`;
  return {
    message: `stopped: ${reverted.length} moves under way were taken back${kept}; what had moved stays`,
  };
}

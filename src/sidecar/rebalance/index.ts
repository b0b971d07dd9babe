import { settledFor } from '../../execution/index.ts';
import type { DisruptionRecord } from '../../gate/record.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { type Context, type Report, tell } from '../context.ts';
import { readRecord } from '../disruption/index.ts';
import { isLeaving } from '../farewell/request.ts';
import { type CarryOut, RecordRefused, type Running, finish, resume, saidOf, start } from './carry-out.ts';
import { type Entry, entryOf, leaseFor, leaseOf } from './entry.ts';
import { type KafkaRebalance, isTerminal, phaseOf } from './kafka-rebalance.ts';
import { statusPatch } from './lifecycle-status.ts';
import type { Decision, Lease, Proposal, Seen } from './lifecycle-types.ts';
import { nextOf } from './lifecycle.ts';
import { restoreEntry } from './lost-record.ts';
import { payOwed, readOwed } from './owed.ts';
import type { PreparedPlan } from './plan-chunks.ts';
import { storePlan } from './plan-store.ts';
import { type KnownPlans, compare, planOf } from './known-plans.ts';
import { byAge, isOrphan } from './queue.ts';
import { type Samples, searchPlan } from './search.ts';

/** What the duty keeps between passes; all of it can be lost. */
export interface Memory {
  readonly samples: Samples;
  /** The search for each object, by UID, under way or ended. */
  readonly searches: Map<string, { proposal: Proposal; prepared?: PreparedPlan; stop: AbortController }>;
  /** Plans as stored, by UID, checked against their hash. */
  readonly plans: KnownPlans;
  running: Running | undefined;
  /** Whether debts may be there; asked once after a start. */
  mayOwe: boolean;
  /** The record spoke of no execution at the last look. */
  quiet: boolean;
}

export const newMemory = (): Memory => ({
  samples: { taken: [] },
  searches: new Map(),
  plans: new Map(),
  running: undefined,
  mayOwe: true,
  quiet: false,
});

export interface RebalanceWork extends Omit<CarryOut, 'samples'> {
  readonly memory: Memory;
}

const periodsMs = {
  idle: 60_000,
  executing: 2_000,
  owed: 30_000,
  soonest: 200,
  conflict: 1_000,
  resume: 5_000,
};

/** Proposes, and carries out what was approved; at most one plan of the cluster at a time. */
export async function reconcileRebalances(work: RebalanceWork): Promise<Report> {
  const { context, memory } = work;
  const { rebalances, sets } = context.world();
  if (rebalances === undefined || sets.length === 0) return { conditions: [] };
  forget(memory, rebalances);
  if (rebalances.length === 0 && memory.quiet && !memory.mayOwe) return { conditions: [] };
  const { record, lease } = await recordSeen(context);
  const entry = record === undefined ? undefined : await goOn(work, record, rebalances);
  memory.quiet = record !== undefined && entry === undefined;
  const { failures, ...stepped } = await stepAll(work, { all: rebalances, lease, entry });
  let { againInMs } = stepped;
  if (memory.mayOwe && record !== undefined && record.holder === undefined)
    againInMs = Math.min(againInMs, await settle(work));
  // One object that cannot be written holds up no other.
  if (failures.length > 0) throw failures[0];
  return { conditions: [], againInMs };
}

async function stepAll(
  work: RebalanceWork,
  seen: Omit<One, 'rebalance'>,
): Promise<{ againInMs: number; failures: unknown[] }> {
  const failures: unknown[] = [];
  let againInMs = work.memory.running === undefined ? periodsMs.idle : periodsMs.executing;
  for (const rebalance of byAge(seen.all)) {
    try {
      const decision = await step(work, { rebalance, ...seen });
      againInMs = Math.min(againInMs, Math.max(periodsMs.soonest, decision.againInMs ?? Infinity));
    } catch (error) {
      // Somebody has changed or deleted the object since it was seen: that is on its way here.
      if (isStatus(error, 409) || (await isGone(work.context, rebalance, error)))
        againInMs = Math.min(againInMs, periodsMs.conflict);
      else failures.push(error);
    }
  }
  return { againInMs, failures };
}

async function isGone(
  { kube, namespace }: Context,
  { metadata: { name, uid } }: KafkaRebalance,
  error: unknown,
): Promise<boolean> {
  if (!isStatus(error, 404)) return false;
  const object = await kube.tryGet<KafkaRebalance>(paths.kafkarebalances(namespace, name));
  return object?.metadata.uid !== uid;
}

/** The record; while it is damaged nothing begins, and what is under way waits. */
async function recordSeen(context: Context): Promise<{ record: DisruptionRecord | undefined; lease: Lease }> {
  const { known } = await readRecord(context);
  if (known.known) return { record: known.record, lease: leaseOf(known.record) };
  const what = `the disruption record to be put right (${known.problem})`;
  return { record: undefined, lease: { state: 'unknown', what } };
}

/** Forgets objects that are gone or have ended: nobody needs their plans any more, and plans are large. */
function forget({ searches, plans }: Memory, rebalances: readonly KafkaRebalance[]): void {
  const open = rebalances.filter((one) => !isTerminal(phaseOf(one)));
  const known = new Set(open.map(({ metadata }) => metadata.uid));
  for (const [uid, { stop }] of searches)
    if (!known.has(uid)) {
      stop.abort();
      searches.delete(uid);
    }
  for (const uid of plans.keys()) if (!known.has(uid)) plans.delete(uid);
}

/** The execution that the record speaks of goes on in this process, or is taken back where its object is gone. */
async function goOn(
  work: RebalanceWork,
  record: DisruptionRecord,
  rebalances: readonly KafkaRebalance[],
): Promise<Entry | undefined> {
  const { memory, context } = work;
  const lost = memory.running && (await restoreEntry(carryOut(work), memory.running, record));
  const entry = entryOf(record) ?? lost?.entry;
  if (memory.running !== undefined && memory.running.uid !== entry?.uid) {
    memory.running.drop();
    memory.running = undefined;
  }
  if (entry === undefined || lost?.free === false) return entry;
  const running = await inThisProcess(work, entry, rebalances);
  if (running === undefined) return entry;
  const orphan = isOrphan(entry, rebalances);
  // Before kafka-warden goes, too: nobody would take the throttles back.
  if (orphan || isLeaving(context.world().kafkaCluster, context.now())) running.stop = true;
  if (orphan && running.journal.outcome !== undefined)
    await end(work, { ...entry, journal: running.journal });
  return entry;
}

/** What is running, or goes on from here; undefined for a while after it was interrupted. */
async function inThisProcess(
  work: RebalanceWork,
  entry: Entry,
  rebalances: readonly KafkaRebalance[],
): Promise<Running | undefined> {
  const { memory, context } = work;
  if (memory.running?.problem !== undefined) {
    const { message, atMs } = memory.running.problem;
    if (performance.now() - atMs < periodsMs.resume) return undefined;
    context.log.warn({ event: 'rebalance-interrupted', rebalance: entry.name }, message);
    memory.running = undefined;
  }
  if (memory.running !== undefined) return memory.running;
  const object = rebalances.find(({ metadata }) => metadata.uid === entry.uid);
  const plan = object === undefined ? undefined : await planOf(context, memory.plans, object);
  memory.running = await resume(carryOut(work), entry, plan);
  context.log.info(
    { event: 'rebalance-resumed', rebalance: entry.name },
    'goes on with a plan where it stood',
  );
  return memory.running;
}

const carryOut = ({ memory, ...rest }: RebalanceWork): CarryOut => ({ ...rest, samples: memory.samples });

/** After the last status: the lease goes back. */
async function end(work: RebalanceWork, entry: Entry): Promise<void> {
  await finish(carryOut(work), entry);
  work.memory.running = undefined;
  work.memory.mayOwe ||= !settledFor(entry.journal);
}

interface One {
  readonly rebalance: KafkaRebalance;
  readonly all: readonly KafkaRebalance[];
  readonly lease: Lease;
  readonly entry: Entry | undefined;
}

/** One object: decides, acts, and writes the status, before a search and after everything else. */
async function step(work: RebalanceWork, one: One): Promise<Decision> {
  const { context, memory } = work;
  const { rebalance, entry } = one;
  const seen = await seenOf(work, one);
  const decision = nextOf(seen);
  const { action } = decision;
  if (action.do === 'propose') await write(context, rebalance, decision);
  if (!(await act(work, rebalance, decision))) return { ...decision, againInMs: periodsMs.executing };
  if (action.do !== 'propose') await write(context, rebalance, decision);
  // Only now: a status that could not be written is no reason to search again.
  if (action.do === 'store') memory.searches.delete(rebalance.metadata.uid);
  // Of the look that was decided on: an end that came since has no status yet.
  const state = seen.execution?.state;
  const ended = state === 'done' || state === 'stopped' || state === 'failed';
  if (ended && entry !== undefined && memory.running !== undefined)
    await end(work, { ...entry, journal: memory.running.journal });
  return decision;
}

/** Returns whether the status that was decided still holds. */
async function act(work: RebalanceWork, rebalance: KafkaRebalance, { action }: Decision): Promise<boolean> {
  const { context, memory } = work;
  const { uid } = rebalance.metadata;
  switch (action.do) {
    case 'propose':
      search(work, rebalance, action.request);
      return true;
    case 'store': {
      const prepared = memory.searches.get(uid)?.prepared;
      if (prepared === undefined) return false;
      await storePlan(context.kube, rebalance, prepared);
      memory.plans.delete(uid);
      return true;
    }
    case 'start':
      return begun(work, rebalance, action.hash);
    case 'stop':
      if (memory.running?.uid === uid) memory.running.stop = true;
      return true;
    case 'continue':
    case 'nothing':
      return true;
  }
}

async function begun(work: RebalanceWork, rebalance: KafkaRebalance, hash: string): Promise<boolean> {
  const { context, memory } = work;
  const plan = await planOf(context, memory.plans, rebalance);
  if (plan?.hash !== hash || isLeaving(context.world().kafkaCluster, context.now())) return false;
  try {
    memory.running = await start(carryOut(work), rebalance, plan, await readOwed(context));
    return true;
  } catch (error) {
    if (error instanceof RecordRefused) return false;
    throw error;
  }
}

/** In the background: a search takes seconds to minutes, and executions go on meanwhile. */
function search(work: RebalanceWork, rebalance: KafkaRebalance, request: Proposal['request']): void {
  const { context, memory, signal, wake } = work;
  const { uid } = rebalance.metadata;
  memory.searches.get(uid)?.stop.abort();
  const stop = new AbortController();
  memory.searches.set(uid, { proposal: { request, state: 'running' }, stop });
  const ends = AbortSignal.any([signal, stop.signal]);
  void searchPlan({ context, rebalance, request, samples: memory.samples, signal: ends }).then(
    (found) => {
      if (memory.searches.get(uid)?.stop !== stop) return;
      memory.searches.set(uid, { ...found, stop });
      wake();
    },
    () => undefined,
  );
}

async function seenOf(work: RebalanceWork, { rebalance, all, entry, ...one }: One): Promise<Seen> {
  const { context, memory } = work;
  const { uid } = rebalance.metadata;
  const lease = leaseFor(rebalance, one.lease);
  const phase = phaseOf(rebalance);
  const proposal = memory.searches.get(uid)?.proposal;
  const isOwn = entry?.uid === uid && memory.running?.uid === uid;
  // While somebody moves replicas or restarts brokers nothing begins, and the difference would be one that passes.
  const mayBegin = lease.state === 'free' && (phase === 'Proposed' || phase === 'Approved');
  const compared = mayBegin ? await compare(context, memory.plans, rebalance) : {};
  return {
    ...{ rebalance, all, lease, now: context.now() },
    ...(proposal === undefined ? {} : { proposal }),
    ...(isOwn && memory.running !== undefined ? { execution: saidOf(memory.running) } : {}),
    ...compared,
  };
}

async function write(
  context: Context,
  rebalance: KafkaRebalance,
  { status, events }: Decision,
): Promise<void> {
  const patch = statusPatch(rebalance.status, status);
  const { name } = rebalance.metadata;
  if (patch !== undefined) {
    const { resourceVersion } = rebalance.metadata;
    const body = { metadata: { resourceVersion }, status: patch };
    await context.kube.patch(`${paths.kafkarebalances(context.namespace, name)}/status`, body, 'merge');
  }
  for (const event of events) await tell(context, rebalance, { ...event, action: 'Rebalance' });
  if (isTerminal(status.phase ?? 'New') && !isTerminal(phaseOf(rebalance)))
    context.log.info(
      { event: 'rebalance-ended', rebalance: name, phase: status.phase },
      status.message ?? '',
    );
}

/** Debts of earlier executions. Returns when to try again. */
async function settle({ context, memory, signal }: RebalanceWork): Promise<number> {
  const owed = await readOwed(context);
  const paid = owed === undefined || (await payOwed(context, owed, signal));
  memory.mayOwe = !paid;
  return paid ? periodsMs.idle : periodsMs.owed;
}

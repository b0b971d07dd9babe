import { setTimeout as pause } from 'node:timers/promises';
import { type ClusterModel, type Plan as FoundPlan, bytesPerMB, planInWorker } from '../../balance/index.ts';
import { defaultLimits, relocatedOn } from '../../execution/index.ts';
import { KafkaError } from '../../kafka/index.ts';
import { paths } from '../../kubernetes/paths.ts';
import {
  type ClusterSample,
  type ModelPolicy,
  type ModelledCluster,
  modelOf,
  sampleCluster,
} from '../../model/index.ts';
import { reasonOf } from '../brokers/index.ts';
import type { Context } from '../context.ts';
import { GivenPlanError, planOf } from './given-plan.ts';
import type { KafkaRebalance } from './kafka-rebalance.ts';
import type { Proposal } from './lifecycle-types.ts';
import { type PlannedMove, type RebalancePlan, movesOf } from './plan.ts';
import { type PreparedPlan, type StoredConfigMap, preparePlan } from './plan-chunks.ts';
import { rebalanceSummary } from './summary.ts';
import { type Settings, readSettings } from './settings.ts';

/** Looks at the cluster, oldest first; kept between searches so that rates are over more than a moment. */
export interface Samples {
  taken: ClusterSample[];
}

/** The shortest time over which write rates mean something, and the longest over which they are still of today. */
const spanMs = { least: 5_000, most: 1_800_000 };
const mostSamples = 12;

/** What a search found, and what is to be stored of it. */
export interface Found {
  readonly proposal: Proposal;
  readonly prepared?: PreparedPlan;
}

export interface Search {
  readonly context: Context;
  readonly rebalance: KafkaRebalance;
  readonly request: Proposal['request'];
  readonly samples: Samples;
  readonly signal: AbortSignal;
}

/** Why no plan can be made now; the search is tried again. */
class Blocked extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Looks at the cluster, searches for a plan in a thread of its own, and prepares it to be stored. Stores nothing. */
export async function searchPlan(search: Search): Promise<Found> {
  const { context, rebalance, request } = search;
  try {
    return await found(search);
  } catch (error) {
    if (search.signal.aborted) throw error;
    const { reason, message } = blockOf(error);
    context.log.warn({ event: 'rebalance-blocked', rebalance: rebalance.metadata.name, reason }, message);
    return { proposal: { request, state: 'blocked', reason, message, at: context.now() } };
  }
}

function blockOf(error: unknown): { reason: string; message: string } {
  if (error instanceof Blocked) return { reason: error.reason, message: error.message };
  if (error instanceof KafkaError) return { reason: reasonOf(error), message: error.message };
  if (error instanceof GivenPlanError) return { reason: 'InvalidPlan', message: error.message };
  return { reason: 'SearchFailed', message: error instanceof Error ? error.message : String(error) };
}

async function found(search: Search): Promise<Found> {
  const { context, rebalance, request } = search;
  const read = readSettings(rebalance.spec);
  if ('problem' in read) throw new Blocked('InvalidSpec', read.problem.message);
  const { settings } = read;
  const modelled = modelOf(await sampled(search, settings), policyOf(settings));
  const outcome =
    settings.configMap === undefined
      ? await balanced(search, settings, modelled)
      : await given(context, settings.configMap, modelled);
  const plan: RebalancePlan = {
    schema: 1,
    cluster: context.cluster,
    mode: settings.mode,
    execution: settings.execution,
    moves: outcome.moves,
  };
  const prepared = await preparePlan(plan, modelled.model, context.now());
  const summary = rebalanceSummary(outcome.moves, {
    totalBytes: totalBytesOf(modelled.model),
    ...(outcome.summary === undefined ? {} : { planner: outcome.summary }),
    estimatedSeconds: estimatedSecondsOf(plan),
    confidence: [...modelled.confidence.map(({ words }) => words), ...modelled.notes].join('. '),
  });
  return { proposal: { request, state: 'ready', plan: prepared.plan, summary }, prepared };
}

interface Outcome {
  readonly moves: readonly PlannedMove[];
  readonly summary?: FoundPlan['summary'];
}

async function balanced(
  { signal }: Search,
  { request, execution }: Settings,
  { model, dirs, excludedTopics, excludedBrokers }: ModelledCluster,
): Promise<Outcome> {
  const { result, interrupt } = planInWorker(model, {
    ...request,
    diskReserve: execution.diskReserve ?? defaultLimits.diskReserve,
    excludedTopics,
    excludedBrokers: [...new Set([...excludedBrokers, ...(request.excludedBrokers ?? [])])],
  });
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const { reassignment, summary } = await result;
    return { moves: movesOf(model, reassignment, dirs).moves, summary };
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

/** A plan from elsewhere is taken whole or not at all. */
async function given(
  { kube, namespace }: Context,
  configMap: string,
  { model, dirs }: ModelledCluster,
): Promise<Outcome> {
  const stored = await kube.tryGet<StoredConfigMap>(paths.configmaps(namespace, configMap));
  if (stored === undefined)
    throw new Blocked(
      'PlanMissing',
      `ConfigMap ${configMap} of spec.plan.configMap is not there. Create it, with the plan under plan.json.`,
    );
  const { moves, problems } = movesOf(model, planOf(stored), dirs);
  const [first] = problems;
  if (first === undefined) return { moves };
  const more = problems.length > 1 ? `, and ${problems.length - 1} more like it` : '';
  throw new Blocked(
    'InvalidPlan',
    `The plan does not fit the cluster: ${first}${more}. Correct ConfigMap ${configMap}.`,
  );
}

const policyOf = (settings: Settings): ModelPolicy => ({
  ...(settings.mode === 'remove-brokers' && { draining: settings.brokers }),
  ...(settings.mode === 'add-brokers' && { newBrokers: settings.brokers }),
  excludedTopics: settings.request.excludedTopics ?? [],
  ...(settings.networkBytesPerSecond !== undefined && {
    networkBytesPerSecond: settings.networkBytesPerSecond,
  }),
});

/** A new look at the cluster, and earlier ones for the rates: at least five seconds apart. */
async function sampled(search: Search, { readRates }: Settings): Promise<readonly ClusterSample[]> {
  const { context, samples, signal } = search;
  const now = () => performance.now();
  samples.taken = samples.taken.filter(({ takenAtMs }) => now() - takenAtMs < spanMs.most);
  const look = async () => {
    const earlier = samples.taken.at(-1);
    const sample = await sampleCluster(context.kafka, {
      now,
      readRates,
      ...(earlier === undefined ? {} : { earlier }),
    });
    signal.throwIfAborted();
    samples.taken = [...samples.taken, sample].slice(-mostSamples);
    return sample;
  };
  const oldest = samples.taken[0] ?? (await look());
  const waitMs = oldest.takenAtMs + spanMs.least - now();
  if (waitMs > 0) await pause(waitMs, undefined, { signal });
  await look();
  return samples.taken;
}

const totalBytesOf = ({ partitions }: ClusterModel): number =>
  partitions.reduce((sum, { size, replicas }) => sum + size * bytesPerMB * replicas.length, 0);

/** What the broker with most to copy needs, in or out, at the highest rate that it may be copied with. */
export function estimatedSecondsOf({ moves, execution }: RebalancePlan): number | undefined {
  const { bytesPerSecond, ceilingBytesPerSecond } = execution.throttle;
  const rate = bytesPerSecond ?? ceilingBytesPerSecond ?? defaultLimits.throttle?.ceilingBytesPerSecond;
  if (rate === undefined) return undefined;
  const busy = new Map<string, number>();
  const add = (key: string, bytes: number) => busy.set(key, (busy.get(key) ?? 0) + bytes);
  for (const move of moves) {
    const { from, to, sizeBytes } = move;
    for (const id of relocatedOn(move)) add(`within ${id}`, sizeBytes);
    const copies = to.filter((id) => !from.includes(id));
    for (const id of copies) add(`in ${id}`, sizeBytes);
    if (from[0] !== undefined) add(`out ${from[0]}`, sizeBytes * copies.length);
  }
  return Math.max(0, ...busy.values()) / rate;
}

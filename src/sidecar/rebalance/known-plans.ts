import type { Context } from '../context.ts';
import { type Drift, driftOf, missingOf } from './drift.ts';
import type { KafkaRebalance } from './kafka-rebalance.ts';
import type { Stored } from './lifecycle-types.ts';
import { StoredPlanError } from './plan-chunks.ts';
import { readPlan } from './plan-store.ts';
import type { RebalancePlan } from './plan.ts';

export type KnownPlan = RebalancePlan & { readonly hash: string };
/** Plans as stored, by UID of their object, checked against their hash. */
export type KnownPlans = Map<string, KnownPlan>;

/** The stored plan, and how far the cluster is from what it was made for; without an answer of Kafka not compared. */
export async function compare(
  context: Context,
  plans: KnownPlans,
  rebalance: KafkaRebalance,
): Promise<{ stored: Stored; drift?: Drift; missing?: readonly number[] }> {
  let plan: KnownPlan;
  try {
    plan = await readStored(context, plans, rebalance);
  } catch (error) {
    if (!(error instanceof StoredPlanError)) throw error;
    return { stored: { state: 'lost', message: error.message } };
  }
  const stored: Stored = { state: 'sound', hash: plan.hash };
  const names = [...new Set(plan.moves.map(({ topic }) => topic))];
  const answers = await Promise.all([context.kafka.topics(names), context.kafka.describeCluster()]).catch(
    () => undefined,
  );
  if (answers === undefined) return { stored };
  const [topics, { brokers }] = answers;
  const listed = new Set(brokers.map(({ id }) => id));
  const now = new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(({ index, replicas }) => [`${name}\n${index}`, replicas] as const),
    ),
  );
  return {
    stored,
    drift: driftOf(plan.moves, (topic, partition) => now.get(`${topic}\n${partition}`)),
    missing: missingOf(plan.moves, listed),
  };
}

/** Read once; a plan never changes under its hash. */
async function readStored(
  context: Context,
  plans: KnownPlans,
  rebalance: KafkaRebalance,
): Promise<KnownPlan> {
  const { uid } = rebalance.metadata;
  const hash = rebalance.status?.plan?.hash ?? '';
  const known = plans.get(uid);
  if (known?.hash === hash) return known;
  const plan = { ...(await readPlan(context.kube, rebalance)), hash };
  plans.set(uid, plan);
  return plan;
}

/** Undefined where it is not there in full, or is not what its hash says. */
export async function planOf(
  context: Context,
  plans: KnownPlans,
  rebalance: KafkaRebalance,
): Promise<KnownPlan | undefined> {
  try {
    return await readStored(context, plans, rebalance);
  } catch (error) {
    if (error instanceof StoredPlanError) return undefined;
    throw error;
  }
}

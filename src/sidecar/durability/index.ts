import { clusterDefault, underReplicated } from '../../kafka/index.ts';
import { elrFeature } from '../../upgrade/index.ts';
import type { Finding } from '../conditions.ts';
import { servingSets } from '../cluster-set.ts';
import type { Context, Report } from '../context.ts';
import { replicationOf } from '../topology.ts';
import { type Durability, decideDurability } from './decide.ts';

const key = 'min.insync.replicas';

/**
 * Reads the `min.insync.replicas` that really counts, and raises the cluster's default to the layout's where a dynamic
 * value, such as the one that a controller writes when eligible leader replicas are turned on, is lower.
 */
export async function reconcileDurability(context: Context): Promise<Report> {
  const { sets } = context.world();
  const planned = replicationOf(sets);
  const brokers = context.reports.facts().brokers ?? [];
  const registered = brokers.filter((broker) => broker.registered);
  if (planned === undefined || registered.length === 0) return { conditions: [], againInMs: 5_000 };
  const known = await readDurability(
    context,
    planned.minInsyncReplicas,
    registered.map(({ id }) => id),
  );
  const decision = decideDurability({
    ...known,
    severalSets: servingSets(sets).length > 1,
    allRegistered: registered.length === brokers.length,
  });
  if (decision.action === 'set') {
    await context.kafka.incrementalAlterConfigs(clusterDefault, [{ name: key, set: String(decision.value) }]);
    context.log.info({ event: 'min-isr-set', value: decision.value }, `set the cluster's default of ${key}`);
  }
  return {
    conditions: [finding(known.wanted, decision)],
    facts: { minInsyncReplicas: decision.value },
    ...(decision.action === 'wait' ? { againInMs: 5_000 } : {}),
  };
}

async function readDurability(
  context: Context,
  wanted: number,
  brokers: readonly number[],
): Promise<Omit<Durability, 'allRegistered' | 'severalSets'>> {
  const { kafka } = context;
  const [dynamic] = await kafka.describeConfigs(clusterDefault, [key]);
  const effective: number[] = [];
  for (const id of brokers) {
    const [config] = await kafka.describeConfigs({ type: 'broker', name: String(id) }, [key]);
    if (config?.value !== undefined) effective.push(Number(config.value));
  }
  const features = await kafka.features();
  return {
    wanted,
    clusterDefault: dynamic?.value === undefined ? undefined : Number(dynamic.value),
    effective,
    eligibleLeaderReplicas: (features.get(elrFeature) ?? 0) > 0,
    underReplicated: underReplicated(await kafka.topics()).length,
  };
}

function finding(wanted: number, decision: ReturnType<typeof decideDurability>): Finding {
  if (decision.action === 'wait') {
    const message = `${key} is ${decision.value} and will be raised to ${wanted} later: ${decision.why}.`;
    return { type: 'Durable', status: 'False', reason: 'WaitingForSync', message };
  }
  if (decision.value < wanted) {
    const message = `${key} is ${decision.value} on a broker, although the cluster is laid out for ${wanted}: look at the environment and the mounted configuration of the StatefulSet.`;
    return { type: 'Durable', status: 'False', reason: 'StaticValueLower', message };
  }
  const message = `${key} is ${decision.value}.`;
  return { type: 'Durable', status: 'True', reason: 'MinInsyncReplicas', message };
}

import { clusterDefault } from '../../kafka/index.ts';
import type { Context } from '../context.ts';
import { replicationOf } from '../topology.ts';

const key = 'min.insync.replicas';

/**
 * Gives the cluster a default of `min.insync.replicas` before eligible leader replicas are switched on. From then on the
 * environment decides nothing: where there is no default, the active controller writes one from its own configuration, and
 * deletes the values of single brokers (`ConfigurationControlManager.maybeGenerateElrSafetyRecords`).
 */
export async function settleMinIsr(context: Context): Promise<void> {
  const [held] = await context.kafka.describeConfigs(clusterDefault, [key]);
  if (held?.value !== undefined) return;
  const planned = replicationOf(context.world().sets)?.minInsyncReplicas ?? 1;
  const effective = context.reports.facts().minInsyncReplicas ?? planned;
  const value = String(Math.max(planned, effective));
  await context.kafka.incrementalAlterConfigs(clusterDefault, [{ name: key, set: value }]);
  context.log.info({ event: 'min-isr-set', value }, `set the cluster's default of ${key}`);
}

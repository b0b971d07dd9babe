import { ensure } from '../../kubernetes/apply.ts';
import { paths } from '../../kubernetes/paths.ts';
import { managedBy, objectsOf } from '../../names.ts';
import type { Gate } from '../gate/index.ts';
import { isLeaving } from '../farewell/request.ts';
import { type ClusterSet, nodeSelector, ownedBy, podLabels } from '../cluster-set.ts';
import type { Context, Report } from '../context.ts';
import { selects } from '../../kubernetes/labels.ts';
import type { Budget } from '../objects.ts';
import { ownLabels } from '../secrets.ts';

/** What the budget says, and why. */
export interface BudgetRule {
  readonly maxUnavailable: 0 | 1;
  readonly unhealthyPodEvictionPolicy: 'AlwaysAllow' | 'IfHealthyBudget';
  readonly why: string;
}

/**
 * With the gate, what it would say of every pod: pods that are not ready are the gate's matter, whatever the budget says.
 * Without it, and when kafka-warden says farewell, one pod at a time while all are ready: a budget that nobody opens would
 * hold every drain for ever, and the budget alone must not let a pod go that is only catching up.
 */
export function ruleOf(gate: Pick<Gate, 'budget'> | undefined, farewell: boolean): BudgetRule {
  if (gate !== undefined && !farewell) return { ...gate.budget(), unhealthyPodEvictionPolicy: 'AlwaysAllow' };
  const why = 'One pod at a time may be evicted.';
  return { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'IfHealthyBudget', why };
}

/** The cluster's budget over brokers and controllers together. */
export function budgetOf(
  sets: readonly ClusterSet[],
  { cluster, namespace }: Pick<Context, 'cluster' | 'namespace'>,
  rule: BudgetRule,
) {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name: objectsOf(cluster).warden,
      namespace,
      labels: ownLabels(cluster),
      ownerReferences: ownedBy(sets),
    },
    spec: {
      maxUnavailable: rule.maxUnavailable,
      unhealthyPodEvictionPolicy: rule.unhealthyPodEvictionPolicy,
      selector: { matchLabels: nodeSelector(cluster) },
    },
  };
}

/** Budgets of others that select pods of these sets; with two budgets on a pod every eviction fails. */
export const overlapping = (sets: readonly ClusterSet[], budgets: readonly Budget[], own: string): string[] =>
  budgets
    .filter(({ metadata }) => metadata.name !== own && metadata.deletionTimestamp === undefined)
    .filter(({ spec }) => sets.some((set) => selects(spec?.selector, podLabels(set))))
    .map(({ metadata }) => metadata.name)
    .sort();

/** Keeps one budget over the cluster's pods: ours, or the one that a person made. */
export async function reconcileBudget(context: Context, gate?: Pick<Gate, 'budget'>): Promise<Report> {
  const { cluster, namespace, kube } = context;
  const { sets, budgets, kafkaCluster } = context.world();
  if (sets.length === 0) return { conditions: [] };
  const own = objectsOf(cluster).warden;
  const foreign = overlapping(sets, budgets, own);
  if (foreign.length === 0) {
    const rule = ruleOf(gate, isLeaving(kafkaCluster, context.now()));
    await ensure(kube, budgetOf(sets, context, rule));
    const message = rule.maxUnavailable === 1 ? rule.why : `No pod may be evicted now. ${rule.why}`;
    return { conditions: [{ type: 'BudgetOverlap', status: 'False', reason: 'OneBudget', message }] };
  }
  const held = budgets.find(({ metadata }) => metadata.name === own);
  if (held?.metadata.labels?.['app.kubernetes.io/managed-by'] === managedBy['app.kubernetes.io/managed-by']) {
    await kube.remove(paths.poddisruptionbudgets(namespace, own));
    context.log.info(
      { event: 'budget-removed', foreign },
      'removed our budget: another one selects the pods',
    );
  }
  const message = `PodDisruptionBudget ${foreign.join(', ')} selects the brokers, so kafka-warden keeps none of its own: two on one pod make every eviction fail. Delete it to let kafka-warden keep one, or see that it has maxUnavailable 1.`;
  return { conditions: [{ type: 'BudgetOverlap', status: 'True', reason: 'ForeignBudget', message }] };
}

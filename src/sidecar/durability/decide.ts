/** What is known of `min.insync.replicas` and of what may be changed now. */
export interface Durability {
  /** What the cluster was laid out for. */
  readonly wanted: number;
  /** The dynamic default of the cluster, if one is set; it beats what stands in the environment. */
  readonly clusterDefault: number | undefined;
  /** The value that counts on each broker that could be asked. */
  readonly effective: readonly number[];
  /** With eligible leader replicas the environment decides nothing, and only the cluster's default counts (KIP-966). */
  readonly eligibleLeaderReplicas: boolean;
  /** Brokers of several StatefulSets: those that started before the others were there have less in their configuration. */
  readonly severalSets: boolean;
  readonly underReplicated: number;
  readonly allRegistered: boolean;
}

export type DurabilityDecision =
  | { readonly action: 'none'; readonly value: number }
  | { readonly action: 'set'; readonly value: number }
  /** It would be set, but a change clears the eligible leader replicas, so it waits until every replica is in sync. */
  | { readonly action: 'wait'; readonly value: number; readonly why: string };

/** A lower value than the layout's is raised; a higher one is a person's choice and stays. */
export function decideDurability(known: Durability): DurabilityDecision {
  const { wanted, clusterDefault, eligibleLeaderReplicas } = known;
  const effective = clusterDefault ?? Math.min(...known.effective, Number.MAX_SAFE_INTEGER);
  const decidedDynamically = clusterDefault !== undefined || eligibleLeaderReplicas || known.severalSets;
  if (!decidedDynamically || effective >= wanted) {
    return { action: 'none', value: effective === Number.MAX_SAFE_INTEGER ? wanted : effective };
  }
  if (!known.allRegistered)
    return { action: 'wait', value: effective, why: 'not every broker is registered' };
  if (known.underReplicated > 0) {
    return {
      action: 'wait',
      value: effective,
      why: `${known.underReplicated} partitions are not fully in sync`,
    };
  }
  return { action: 'set', value: wanted };
}

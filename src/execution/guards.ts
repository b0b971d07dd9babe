import { type Limits, type Notice, type PartitionState, type Seen, keyOf, without } from './model.ts';

/** Why nothing new is submitted now, anywhere in the cluster. */
export function pauses(seen: Seen, limits: Limits): Notice[] {
  const notices: Notice[] = [];
  // What a partition of the plan misses on brokers that the plan empties comes back by the plan alone.
  const below = seen.belowMinIsr.filter(
    (one) =>
      !seen.partitions.has(keyOf(one)) ||
      one.inSync + one.away.filter((id) => limits.mayBeAway.includes(id)).length < one.minIsr,
  );
  const [first] = below;
  if (first !== undefined) {
    const more = below.length > 1 ? ` and ${below.length - 1} more` : '';
    notices.push({
      code: 'below-min-isr',
      message: `${keyOf(first)} has ${first.inSync} replicas in sync of at least ${first.minIsr}${more}; nothing new is submitted until they are back`,
    });
  }
  const away = seen.away.filter((id) => !limits.mayBeAway.includes(id));
  if (away.length > 0) {
    const [plural, verb] = away.length > 1 ? ['s', 'are'] : ['', 'is'];
    notices.push({
      code: 'broker-away',
      message: `broker${plural} ${away.join(', ')} ${verb} away; nothing new is submitted until all are back`,
    });
  }
  return notices;
}

/**
 * Whether a reassignment of this partition can complete and stays above min ISR. A replica that stays and is dead blocks
 * completion for ever (KAFKA-15665, 3.8), and before 3.8 the partition may end with too few in sync.
 */
export function replicasBehind(
  state: PartitionState,
  target: readonly number[],
  alive: ReadonlySet<number>,
): string | undefined {
  if (state.leader < 0) return 'has no leader';
  const staying = state.replicas.filter((id) => target.includes(id));
  const behind = staying.filter((id) => !state.isr.includes(id) || !alive.has(id));
  if (behind.length > 0) return `waits for replicas that are not in sync: ${behind.join(', ')}`;
  const absent = without(target, state.replicas).filter((id) => !alive.has(id));
  return absent.length > 0 ? `waits for broker ${absent.join(', ')}` : undefined;
}

/** Replicas that an assignment keeps and that are dead: it is never reached with one. */
export const deadKept = (
  replicas: readonly number[],
  target: readonly number[],
  alive: ReadonlySet<number>,
): number[] => replicas.filter((id) => target.includes(id) && !alive.has(id));

/** Kafka's own rule: a partition with fewer replicas than `min.insync.replicas` needs all of them. */
export const effectiveMinIsr = (configured: number | undefined, replicas: number): number =>
  Math.max(1, Math.min(configured ?? 1, replicas));

/**
 * A cancel takes the adding replicas out of the ISR without looking at min ISR (`PartitionReassignmentRevert`). The text
 * says what is missing; nothing is returned where it may be cancelled.
 */
export function cannotCancel(
  state: PartitionState,
  adding: readonly number[],
  configuredMinIsr: number | undefined,
): string | undefined {
  const left = without(state.isr, adding);
  const needed = effectiveMinIsr(configuredMinIsr, without(state.replicas, adding).length);
  if (left.length >= needed) return undefined;
  return `only ${left.length} of its earlier replicas are in sync and ${needed} are needed; it is cancelled when more are, or finished`;
}

import {
  type Action,
  type BelowMinIsr,
  type Ongoing,
  type PartitionState,
  type TopicPartition,
  keyOf,
  sameOrder,
  targetOf,
  without,
} from './model.ts';
import { effectiveMinIsr } from './guards.ts';

/** A partition as metadata describe it. */
export interface Described extends TopicPartition, Omit<PartitionState, 'seenAtMs'> {}

/** Partitions of the cluster under their min ISR. */
export function belowMinIsr(
  partitions: Iterable<Described>,
  minIsr: (topic: string) => number | undefined,
  alive: ReadonlySet<number>,
): BelowMinIsr[] {
  const below: BelowMinIsr[] = [];
  for (const { topic, partition, replicas, isr } of partitions) {
    const needed = effectiveMinIsr(minIsr(topic), replicas.length);
    if (isr.length >= needed) continue;
    const away = replicas.filter((id) => !alive.has(id) && !isr.includes(id));
    below.push({ topic, partition, inSync: isr.length, minIsr: needed, away });
  }
  return below;
}

/** Partitions with a replica out of sync that no reassignment is adding. */
export function outOfSync(partitions: Iterable<Described>, ongoing: readonly Ongoing[]): number {
  const adding = new Map(ongoing.map((one) => [keyOf(one), one.adding]));
  let count = 0;
  for (const one of partitions) {
    const expected = without(one.replicas, adding.get(keyOf(one)) ?? []);
    if (expected.some((id) => !one.isr.includes(id))) count += 1;
  }
  return count;
}

/** Brokers that have replicas, or that the plan needs, and are not alive. */
export function awayOf(
  partitions: Iterable<Described>,
  needed: Iterable<number>,
  alive: ReadonlySet<number>,
): number[] {
  const away = new Set<number>();
  for (const { replicas } of partitions) for (const id of replicas) if (!alive.has(id)) away.add(id);
  for (const id of needed) if (!alive.has(id)) away.add(id);
  return [...away].sort((a, b) => a - b);
}

/**
 * What is left of an action after a list of reassignments that was read just before it is carried out: nothing that
 * somebody else has begun is replaced (Kafka would do so silently), and nothing but our own is cancelled.
 */
export function stillOurs(
  action: Action,
  ongoing: readonly Ongoing[],
): { readonly action: Action; readonly dropped: readonly TopicPartition[] } {
  const now = new Map(ongoing.map((one) => [keyOf(one), one]));
  if (action.kind === 'reassign') {
    const [free, dropped] = split(action.partitions, (one) => !now.has(keyOf(one)));
    return { action: { kind: 'reassign', partitions: free }, dropped };
  }
  if (action.kind === 'relocate') {
    const [free, dropped] = split(action.partitions, (one) => !now.has(keyOf(one)));
    return { action: { kind: 'relocate', partitions: free }, dropped };
  }
  if (action.kind === 'cancel') {
    const [ours, dropped] = split(action.partitions, (one) => {
      const other = now.get(keyOf(one));
      return other !== undefined && sameOrder(targetOf(other), one.target);
    });
    return { action: { kind: 'cancel', partitions: ours }, dropped };
  }
  return { action, dropped: [] };
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const [yes, no]: [T[], T[]] = [[], []];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}

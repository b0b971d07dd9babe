import { type KafkaRebalance, type Phase, phaseOf } from './kafka-rebalance.ts';

/** The oldest first. */
export const byAge = (rebalances: readonly KafkaRebalance[]): KafkaRebalance[] =>
  [...rebalances].sort(
    (a, b) =>
      String(a.metadata.creationTimestamp).localeCompare(String(b.metadata.creationTimestamp)) ||
      a.metadata.name.localeCompare(b.metadata.name),
  );

const underWay: readonly Phase[] = ['Executing', 'Stopping'];

/** The one of the same cluster that is being carried out; at most one is. */
export const executingOther = (
  own: KafkaRebalance,
  all: readonly KafkaRebalance[],
): KafkaRebalance | undefined =>
  all.find((one) => one.metadata.uid !== own.metadata.uid && underWay.includes(phaseOf(one)));

/** The one of the same cluster that was approved and goes first, being older. */
export const approvedBefore = (
  own: KafkaRebalance,
  all: readonly KafkaRebalance[],
): KafkaRebalance | undefined => {
  for (const one of byAge([...all.filter(({ metadata }) => metadata.uid !== own.metadata.uid), own])) {
    if (one === own) return undefined;
    if (phaseOf(one) === 'Approved' && one.metadata.deletionTimestamp === undefined) return one;
  }
  return undefined;
};

/** Whose execution the record of the cluster's disruption is about. */
export interface RecordHolder {
  readonly name: string;
  readonly uid: string;
}

/**
 * Whether the object that an execution belongs to has gone: the execution is then stopped and taken back. There are no
 * finalizers, so nothing waits for that; a new object of the same name is another one. With an object the stored plan
 * goes too, and taking back needs the journal only. `undefined` for the objects means that they are not listed yet.
 */
export const isOrphan = (holder: RecordHolder, all: readonly KafkaRebalance[] | undefined): boolean =>
  all !== undefined &&
  !all.some(({ metadata }) => metadata.uid === holder.uid && metadata.deletionTimestamp === undefined);

import type { DisruptionRecord } from '../../gate/record.ts';
import { paths } from '../../kubernetes/paths.ts';
import { type CarryOut, RecordRefused, type Running, takeFor } from './carry-out.ts';
import { type Entry, entryOf } from './entry.ts';
import { type KafkaRebalance, type Phase, phaseOf } from './kafka-rebalance.ts';

const underWay: readonly Phase[] = ['Approved', 'Executing', 'Stopping'];

/**
 * What this process carries out although the record does not speak of it any more: somebody has deleted the ConfigMap. It is
 * written again, with what it was before, so that throttles and copies are not forgotten; `free` is false while somebody else
 * holds the record, and nothing is done until then. Undefined where it has ended: another sidecar may have brought it there.
 */
export async function restoreEntry(
  carry: CarryOut,
  running: Running,
  record: DisruptionRecord,
): Promise<{ readonly entry: Entry; readonly free: boolean } | undefined> {
  const { context } = carry;
  // Another KafkaRebalance is carried out: this one has been given back.
  if (entryOf(record) !== undefined || !(await isUnderWay(carry, running))) return undefined;
  const entry = running.entry();
  try {
    await takeFor(carry, entry);
  } catch (error) {
    if (!(error instanceof RecordRefused)) throw error;
    running.drop();
    const message = `the disruption record has lost this execution, which goes on afterwards: ${error.message}`;
    running.problem ??= { message, atMs: performance.now() };
    return { entry, free: false };
  }
  context.log.warn(
    { event: 'rebalance-record-restored', rebalance: running.name },
    'the disruption record had lost this execution; it is written again',
  );
  return { entry, free: true };
}

/** Asked of the API server: before an execution is given back its end is in the status. */
async function isUnderWay({ context }: CarryOut, { name, uid, journal }: Running): Promise<boolean> {
  const { kube, namespace } = context;
  const object = await kube.tryGet<KafkaRebalance>(paths.kafkarebalances(namespace, name));
  return object?.metadata.uid === uid ? underWay.includes(phaseOf(object)) : journal.outcome === undefined;
}

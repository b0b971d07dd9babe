import { dropUnfollowed, freeze } from '../../gate/record.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import type { Context } from '../context.ts';
import type { StatefulSet } from '../objects.ts';
import { setPartition } from '../partition.ts';
import { changeRecord, readRecord } from './index.ts';

type Place = Pick<Context, 'kube' | 'namespace' | 'cluster' | 'world' | 'log'>;

/**
 * Gives sets that are held at their old revision back to their author: while nobody carries rolls out, a partition that was
 * raised for a broken template would hold them for ever. One that somebody has set since stays.
 */
export async function thawAll(context: Place): Promise<void> {
  const { kube, namespace, log } = context;
  const { known } = await readRecord(context);
  const holder = known.known ? known.record.holder : undefined;
  if (holder?.state !== 'held' || holder.frozen === undefined) return;
  for (const { set, partition, was } of holder.frozen) {
    const stored = await kube.tryGet<StatefulSet>(paths.statefulsets(namespace, set));
    if (stored?.spec?.updateStrategy?.rollingUpdate?.partition !== partition) continue;
    try {
      await setPartition(context, stored, was);
    } catch (error) {
      // Changed in between, or gone: it is looked at again in the next pass.
      if (isStatus(error, 409) || isStatus(error, 404)) return;
      throw error;
    }
    log.info(
      { event: 'revision-released', set, partition: was },
      'nobody carries the roll on: it is Kubernetes’ own',
    );
  }
  await changeRecord(context, (record) =>
    record.holder?.id === holder.id
      ? freeze(record, { id: holder.id, by: record.holder.by }, [])
      : { ok: true, record },
  );
}

/**
 * While the gate is off: an eviction, a loss or a roll that was under way when it was switched off is followed by nobody, and
 * would hold up every balancing.
 */
export async function dropLeftovers(context: Place): Promise<void> {
  const { known } = await readRecord(context);
  const holder = known.known ? known.record.holder : undefined;
  if (holder === undefined) return;
  await thawAll(context);
  const outcome = await changeRecord(context, dropUnfollowed);
  if (!outcome.ok || outcome.record.holder !== undefined) return;
  context.log.info(
    { event: 'disruption-dropped', kind: holder.kind, pod: holder.pod },
    'the gate is off: what was under way is not followed any more',
  );
}

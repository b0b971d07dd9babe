import { type DisruptionRecord, type Outcome, advance, release, take, takeOver } from '../../gate/record.ts';
import type { RecordWrite } from './model.ts';

/** The record with that written; refused where it is not as it was when that was decided. */
export function written(
  record: DisruptionRecord,
  write: RecordWrite,
  { by, nowMs }: { readonly by: string; readonly nowMs: number },
): Outcome {
  if (write.to === 'take') {
    const { pod, uid, broker, set } = write.condemned;
    const subject = {
      ...{ kind: 'scale-in' as const, pod, set },
      ...(uid === undefined ? {} : { podUid: uid }),
      ...(broker === undefined ? {} : { broker }),
    };
    return take(record, { id: pod, by }, subject, nowMs);
  }
  const { holder } = record;
  if (holder?.state !== 'held' || holder.kind !== 'scale-in')
    return { ok: false, code: 'not-held', message: 'no scale-in holds the disruption record' };
  if (write.to === 'take-over') return takeOver(record, by);
  const claim = { id: holder.id, by };
  if (write.to === 'release') return release(record, claim);
  return advance(record, claim, { from: holder.step, to: write.to }, nowMs);
}

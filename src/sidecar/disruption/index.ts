import type { DisruptionRecord, Outcome, RecordKnown } from '../../gate/record.ts';
import { parseRecord, recordKnown, recordText } from '../../gate/record-json.ts';
import { inTime } from '../../in-time.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { objectsOf } from '../../names.ts';
import { ownedBy } from '../cluster-set.ts';
import type { Context } from '../context.ts';
import type { ConfigMap } from '../objects.ts';
import { ownLabels } from '../secrets.ts';

/** The record as it was read, with what a write has to carry so that it replaces this version and no other. */
export interface Held {
  readonly known: RecordKnown;
  /** Undefined where there is no ConfigMap yet. */
  readonly stored: ConfigMap | undefined;
}

/** The disruption record cannot be read, so that nothing may be changed by it. */
export class RecordUnreadable extends Error {
  override readonly name = 'RecordUnreadable';
  readonly code = 'record-unreadable';
}

const key = 'record';
/** How often a transition is tried again on a record that another write has just changed. */
const tries = 4;

type Place = Pick<Context, 'kube' | 'namespace' | 'cluster' | 'world'>;

/** The disruption record of the cluster: one ConfigMap, always read live, replaced by compare-and-swap only. */
export async function readRecord({ kube, namespace, cluster }: Place): Promise<Held> {
  const path = paths.configmaps(namespace, objectsOf(cluster).disruption);
  const stored = await kube.tryGet<ConfigMap>(path);
  return { known: recordKnown(stored?.data?.[key]), stored };
}

/**
 * The record, read live: what an informer has may be older than another process's reservation. One that cannot be read, or not
 * so soon, is not known.
 */
export const heldInTime = (place: Place, patienceMs: number): Promise<Held> =>
  inTime<Held, Held>(
    readRecord(place).catch((error: unknown) =>
      unread(`the API server does not give it (${error instanceof Error ? error.message : String(error)})`),
    ),
    patienceMs,
    () => unread('the API server takes too long'),
  );

export const recordInTime = async (place: Place, patienceMs: number): Promise<RecordKnown> =>
  (await heldInTime(place, patienceMs)).known;

const unread = (problem: string): Held => ({ known: { known: false, problem }, stored: undefined });

/**
 * Applies a transition to the newest record and stores the outcome. Where another write came between, the transition is
 * asked again about the record as it is then; a transition that the record refuses changes nothing and is returned.
 * `read`: the record as it was read just now, which saves reading it again.
 * @throws RecordUnreadable where the record is damaged; ApiError, UnreachableError as `Kube` does
 */
export async function changeRecord(
  place: Place,
  transition: (record: DisruptionRecord) => Outcome,
  read?: Held,
): Promise<Outcome> {
  for (let left = tries; ; left--) {
    const held = left === tries && read !== undefined ? read : await readRecord(place);
    if (!held.known.known) throw new RecordUnreadable(held.known.problem);
    const outcome = transition(held.known.record);
    if (!outcome.ok || outcome.record === held.known.record) return outcome;
    try {
      await write(place, held.stored, outcome.record);
      return outcome;
    } catch (error) {
      if (!isStatus(error, 409) || left <= 1) throw error;
    }
  }
}

/**
 * As `changeRecord`, on the record that was decided on and no other: where another write came between, the decision is
 * refused, and has to be made again.
 */
export function changeRecordFrom(
  place: Place,
  from: DisruptionRecord,
  transition: (record: DisruptionRecord) => Outcome,
): Promise<Outcome> {
  // As it reads when it is stored: one that was just written has its fields in another order.
  const before = recordText(parseRecord(recordText(from)));
  return changeRecord(place, (record) =>
    recordText(record) === before
      ? transition(record)
      : { ok: false, code: 'held', message: 'the record has changed since it was read' },
  );
}

/** @throws RecordError for what could not be read again; a journal is JSON by its type */
function readable(record: DisruptionRecord): string {
  const { holder } = record;
  const text = recordText(record);
  if (holder?.state !== 'held' || holder.journal === undefined) parseRecord(text);
  return text;
}

async function write(
  { kube, namespace, cluster, world }: Place,
  stored: ConfigMap | undefined,
  record: DisruptionRecord,
): Promise<void> {
  const name = objectsOf(cluster).disruption;
  const data = { [key]: readable(record) };
  if (stored !== undefined) {
    await kube.replace(paths.configmaps(namespace, name), { ...stored, data });
    return;
  }
  await kube.create(paths.configmaps(namespace), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: ownLabels(cluster), ownerReferences: ownedBy(world().sets) },
    data,
  });
}

import { paths } from '../../kubernetes/paths.ts';
import { keys, keysSecretOf } from '../../names.ts';
import { type ClusterSet, ordinalOf } from '../cluster-set.ts';
import type { Finding } from '../conditions.ts';
import { type Context, type Report, tell } from '../context.ts';
import { announceKeys } from '../credentials/revision.ts';
import { type Secret, base64, entryOf, isReady } from '../objects.ts';
import { readSecret, writeSecret } from '../secrets.ts';
import { type DiskAction, type PodDisk, decideDisks } from './decide.ts';

interface SetDisks {
  readonly set: ClusterSet;
  readonly secret: Secret;
  readonly disks: readonly PodDisk[];
}

/**
 * Keeps the record of which claim each node id was formatted on. The launcher waits, instead of formatting an empty
 * volume, while the record says that its id had data somewhere else.
 */
export async function reconcileDisks(context: Context): Promise<Report> {
  const { sets } = context.world();
  const known: SetDisks[] = [];
  for (const set of sets.filter(({ layout }) => layout.storage === 'claim')) {
    const secret = await readSecret(context.kube, context.namespace, keysSecretOf(set.name));
    if (secret !== undefined) known.push({ set, secret, disks: disksOf(context, set, secret) });
  }
  const actions = decideDisks(known.flatMap(({ disks }) => disks));
  for (const one of known) await carryOut(context, one, actions);
  const lost = actions.filter(({ action }) => action === 'report-lost').map(({ pod }) => pod);
  return { conditions: [finding(lost)] };
}

function disksOf(context: Context, set: ClusterSet, secret: Secret): PodDisk[] {
  const { pods, claims } = context.world();
  const { brokers = [], controllers = [] } = context.reports.facts();
  const known = [
    ...brokers.filter(({ registered }) => registered),
    ...controllers.filter(({ voter }) => voter),
  ];
  const members = new Set(known.map(({ pod }) => pod));
  const confirmed = confirmedPods(set);
  const prefix = `${set.layout.claim ?? ''}-`;
  const named = new Set<string>();
  for (const { metadata } of claims)
    if (metadata.name.startsWith(prefix)) named.add(metadata.name.slice(prefix.length));
  for (const key of Object.keys(secret.data ?? {}))
    if (key.endsWith('.formatted')) named.add(key.slice(0, -10));
  return [...named].flatMap((pod) => {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) return [];
    const claim = claims.find(({ metadata }) => metadata.name === prefix + pod);
    const running = pods.some((one) => one.metadata.name === pod && isReady(one));
    return [
      {
        pod,
        claim: claim && { uid: claim.metadata.uid, bound: claim.status?.phase === 'Bound' },
        recorded: entryOf(secret, `${pod}.formatted`)?.toString('utf8'),
        running: running && members.has(pod),
        abandoned: ordinal >= set.firstOrdinal + Math.max(set.replicas, set.layout.voters),
        confirmed: confirmed.includes(pod),
        toldConfirmed: secret.data?.[`${pod}.format-confirmed`] !== undefined,
      },
    ];
  });
}

const confirmedPods = (set: ClusterSet): string[] =>
  (set.object.metadata.annotations?.[keys.confirmEmptyDisk] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

async function carryOut(context: Context, one: SetDisks, all: readonly DiskAction[]): Promise<void> {
  const { set, secret } = one;
  const own = new Set(one.disks.map(({ pod }) => pod));
  const actions = all.filter(({ pod }) => own.has(pod));
  const data = { ...secret.data };
  for (const action of actions) edit(data, action);
  if (JSON.stringify(data) !== JSON.stringify(secret.data ?? {})) {
    const written = await writeSecret(context.kube, { ...secret, data });
    context.log.info(
      { event: 'disk-records', set: set.name, actions },
      'updated the records of formatted disks',
    );
    await announceKeys(context, set, written);
  }
  const settled = actions.filter(({ action }) => action === 'record').map(({ pod }) => pod);
  await clearConfirmations(context, set, settled);
  for (const { pod, action } of actions) if (action === 'report-lost') await tellLost(context, set, pod);
}

function edit(data: Record<string, string>, action: DiskAction): void {
  const { pod } = action;
  switch (action.action) {
    case 'record':
      data[`${pod}.formatted`] = base64(action.claim);
      delete data[`${pod}.format-confirmed`];
      return;
    case 'forget':
      delete data[`${pod}.formatted`];
      delete data[`${pod}.format-confirmed`];
      return;
    case 'confirm':
      data[`${pod}.format-confirmed`] = base64('yes');
      return;
    case 'withdraw-confirmation':
      delete data[`${pod}.format-confirmed`];
      return;
    case 'report-lost':
      return;
  }
}

/** A confirmation counts once: the next lost disk of the same pod needs another one. */
async function clearConfirmations(
  context: Context,
  set: ClusterSet,
  settled: readonly string[],
): Promise<void> {
  const before = confirmedPods(set);
  const left = before.filter((pod) => !settled.includes(pod));
  if (left.length === before.length) return;
  const value = left.length === 0 ? null : left.join(',');
  const body = {
    metadata: { uid: set.object.metadata.uid, annotations: { [keys.confirmEmptyDisk]: value } },
  };
  await context.kube.patch(paths.statefulsets(context.namespace, set.name), body, 'merge');
}

async function tellLost(context: Context, set: ClusterSet, pod: string): Promise<void> {
  const message = `${pod} has an empty volume, but its node id had data on another one, and other brokers still have theirs. It waits instead of joining with nothing. If that disk is lost for good, annotate StatefulSet ${set.name} with ${keys.confirmEmptyDisk}=${pod}: its replicas are then copied from the others.`;
  await tell(context, set.object, { type: 'Warning', reason: 'LostDisk', message, action: 'CheckDisks' });
}

const finding = (lost: readonly string[]): Finding =>
  lost.length === 0
    ? {
        type: 'LostDisk',
        status: 'False',
        reason: 'DisksAsRecorded',
        message: 'Every node id stands on the volume that it was formatted on.',
      }
    : {
        type: 'LostDisk',
        status: 'True',
        reason: 'EmptyVolume',
        message: `Waiting with an empty volume while its data was on another one: ${lost.join(', ')}. Annotate the StatefulSet with ${keys.confirmEmptyDisk}=POD if that disk is lost for good.`,
      };

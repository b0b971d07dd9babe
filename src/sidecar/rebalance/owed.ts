import { type Journal, parseJournal, settledFor } from '../../execution/index.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { objectsOf } from '../../names.ts';
import { ownedBy } from '../cluster-set.ts';
import type { Context } from '../context.ts';
import type { ConfigMap } from '../objects.ts';
import { ownLabels } from '../secrets.ts';
import { limitsOf } from './entry.ts';
import { Execution, reachOf } from './execute.ts';

/**
 * Throttles that could not be taken back, because their brokers were away when the execution ended: they are a debt,
 * kept in a ConfigMap of its own, since the lease is others' by then.
 */
export const owedName = (cluster: string): string => `${objectsOf(cluster).warden}-owed`;

const key = 'journal';

export async function readOwed({ kube, namespace, cluster }: Context): Promise<Journal | undefined> {
  const stored = await kube.tryGet<ConfigMap>(paths.configmaps(namespace, owedName(cluster)));
  const text = stored?.data?.[key];
  return text === undefined ? undefined : parseJournal(text);
}

/** Keeps the journal of an execution that ended with debts; undefined where they are paid, or taken over. */
export async function oweLater(context: Context, journal: Journal | undefined): Promise<void> {
  const { kube, namespace, cluster } = context;
  const name = owedName(cluster);
  const path = paths.configmaps(namespace, name);
  if (journal === undefined) return kube.remove(path);
  const object: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace,
      labels: ownLabels(cluster),
      ownerReferences: ownedBy(context.world().sets),
    },
    // Only what is owed: refusals may be many.
    data: { [key]: JSON.stringify({ ...journal, copies: [], relocations: [], refused: {} }) },
  };
  try {
    await kube.create(paths.configmaps(namespace), object);
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
    await kube.patch(path, { data: object.data }, 'merge');
  }
}

/** Pays as far as the brokers are back or the controllers take it. Returns whether nothing is owed any more. */
export async function payOwed(context: Context, owed: Journal, signal: AbortSignal): Promise<boolean> {
  if (!(await mayBePaid(context, owed))) return false;
  const execution = new Execution({
    ...reachOf(context),
    plan: { hash: owed.plan, moves: [] },
    limits: limitsOf({ moves: [], execution: { throttle: {} } }),
    journal: { ...owed, copies: [], relocations: [], refused: {} },
    save: (journal) => oweLater(context, journal),
    signal,
    log: context.log,
  });
  const paid = await execution.payDebts();
  if (paid && settledFor(execution.journal)) await oweLater(context, undefined);
  return paid;
}

/** Without controllers to tell, a broker may be away for good: one question until one of them is back. */
async function mayBePaid({ kafka, controllers }: Context, { ledger }: Journal): Promise<boolean> {
  if (controllers !== undefined) return true;
  const seen = await kafka.describeCluster().catch(() => undefined);
  if (seen === undefined) return false;
  const alive = new Set(seen.brokers.filter(({ fenced }) => fenced !== true).map(({ id }) => String(id)));
  return ledger.length === 0 || ledger.some(({ type, name }) => type === 'topic' || alive.has(name));
}

import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { apiVersion, keys, managedBy } from '../../names.ts';
import { ownedBy } from '../cluster-set.ts';
import type { Context } from '../context.ts';
import type { KafkaRebalance } from '../rebalance/kafka-rebalance.ts';
import { type Action, scaleInName, scaleOutName } from './model.ts';

/** More than any cluster holds: what has to leave a broker that goes is not a question of how much it is. */
const anyAmount = '1000P';

const isOurs = ({ metadata: { labels = {} } }: KafkaRebalance): boolean =>
  Object.entries(managedBy).every(([key, value]) => labels[key] === value);

/** The KafkaRebalances that scaling has made, and names of its own that other ones have. */
export function rebalancesSeen({ world }: Context): { rebalances: KafkaRebalance[]; taken: string[] } {
  const { sets, rebalances = [] } = world();
  const names = new Set(sets.flatMap(({ name }) => [scaleInName(name), scaleOutName(name)]));
  const named = rebalances.filter(({ metadata }) => names.has(metadata.name));
  return {
    rebalances: named.filter(isOurs),
    taken: named.filter((one) => !isOurs(one)).map(({ metadata }) => metadata.name),
  };
}

/** Carries out what concerns a KafkaRebalance. One that has changed since it was seen is looked at again first. */
export async function changeRebalance(
  context: Context,
  action: Extract<Action, { do: 'create' | 'redirect' | 'stop' | 'remove' }>,
): Promise<void> {
  try {
    await (action.do === 'create' ? created(context, action) : changed(context, action));
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
}

async function created(
  { kube, namespace, cluster, world }: Context,
  { name, set, mode, brokers }: Extract<Action, { do: 'create' }>,
): Promise<void> {
  const owners = ownedBy(world().sets.filter((one) => one.name === set));
  await kube.create(paths.kafkarebalances(namespace), {
    apiVersion,
    kind: 'KafkaRebalance',
    metadata: { name, namespace, labels: { ...managedBy, [keys.cluster]: cluster }, ownerReferences: owners },
    spec: {
      ...{ cluster, mode, brokers },
      ...(mode === 'remove-brokers' ? { autoApprove: { maxBytes: anyAmount } } : {}),
    },
  });
}

async function changed(
  { kube, namespace }: Context,
  action: Extract<Action, { do: 'redirect' | 'stop' | 'remove' }>,
): Promise<void> {
  const { name, uid, resourceVersion } = action.rebalance.metadata;
  const path = paths.kafkarebalances(namespace, name);
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  switch (action.do) {
    case 'redirect':
      await kube.patch(path, { metadata: { uid, ...version }, spec: { brokers: action.brokers } }, 'merge');
      return;
    case 'stop':
      // Its status moves on meanwhile, and so does its version; its UID does not.
      await kube.patch(
        path,
        { metadata: { uid, annotations: { [keys.stop]: 'true', [keys.cancelled]: 'true' } } },
        'merge',
      );
      return;
    case 'remove':
      await kube.remove(path, { preconditions: { uid, ...version } });
  }
}

import type { DescribedCluster, NodeFeatures } from '../../kafka/index.ts';
import { type ClusterSet, addressOf, podNames, podOfBroker, roleOf } from '../cluster-set.ts';
import type { Context } from '../context.ts';
import type { Heard } from './running.ts';

/** Asks every node itself: the controllers do not know of each other before metadata.version 3.7-IV0. */
export async function listen(context: Context): Promise<Heard> {
  const { kafka, namespace } = context;
  const { sets, pods } = context.world();
  const { features, mode } = await kafka.apiVersions();
  const uids = new Map(pods.map(({ metadata }) => [metadata.name, metadata.uid]));
  const asked = sets.flatMap((set) =>
    podNames(set).flatMap((pod) => {
      const uid = uids.get(pod);
      return uid === undefined
        ? []
        : [{ uid, address: { host: addressOf(set, pod, namespace), port: portOf(set) } }];
    }),
  );
  const answers = await Promise.all(
    asked.map(async ({ uid, address }): Promise<[string, NodeFeatures][]> => {
      const answer = await kafka.featuresOf(address).catch(() => undefined);
      return answer === undefined ? [] : [[uid, answer]];
    }),
  );
  return {
    nodes: new Map(answers.flat()),
    finalized: features,
    mode,
    stale: staleIn(await kafka.describeCluster(), sets),
  };
}

const portOf = (set: ClusterSet): number =>
  roleOf(set) === 'controller' ? set.layout.controllerPort : set.layout.internalPort;

/** Registered brokers that are advertised by the name of no pod of the cluster. Before Kafka 4.0 only live ones are told. */
export function staleIn(
  { brokers }: Pick<DescribedCluster, 'brokers'>,
  sets: readonly ClusterSet[],
): number[] {
  const pods = new Set(sets.flatMap((set) => podNames(set)));
  return brokers.flatMap((broker) => (pods.has(podOfBroker(broker)) ? [] : [broker.id]));
}

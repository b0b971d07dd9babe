import type { DescribedCluster } from '../../kafka/index.ts';
import {
  type ClusterSet,
  nodeIdOf,
  ordinalOf,
  podNames,
  podOfBroker,
  roleOf,
  servingSets,
} from '../cluster-set.ts';
import type { Facts } from '../context.ts';
import { type Pod, isReady } from '../objects.ts';
import type { BrokerStatus, ControllerStatus, QuorumStatus } from '../status/kafka-cluster.ts';

/** The brokers' and the controllers' pods; a cluster without controllers of their own tells of none. */
export function nodeFacts(brokers: readonly BrokerStatus[], controllers: readonly ControllerStatus[]): Facts {
  const registered = brokers.filter((broker) => broker.registered).length;
  const summary = `${registered}/${brokers.length} brokers`;
  if (controllers.length === 0) return { brokers, summary };
  const ready = controllers.filter((controller) => controller.ready).length;
  return { brokers, controllers, summary: `${summary}, ${ready}/${controllers.length} controllers` };
}

interface Node {
  readonly id: number;
  readonly pod: string;
  readonly set: string;
  readonly node?: string;
  readonly ready: boolean;
}

const nodesOf = (sets: readonly ClusterSet[], pods: readonly Pod[]): Node[] =>
  sets.flatMap((set) =>
    podNames(set).map((name) => {
      const pod = pods.find(({ metadata }) => metadata.name === name);
      return {
        id: nodeIdOf(set, ordinalOf(set, name) ?? 0),
        pod: name,
        set: set.name,
        ...(pod?.spec?.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
        ready: pod !== undefined && isReady(pod),
      };
    }),
  );

/**
 * The pods that serve clients, each with what the cluster knows of its broker: the one that is advertised by the pod's name,
 * since ids may be settled by a start that nobody sees.
 */
export const brokersOf = (
  sets: readonly ClusterSet[],
  pods: readonly Pod[],
  cluster: DescribedCluster | undefined,
): BrokerStatus[] =>
  nodesOf(servingSets(sets), pods).map((node) => {
    const broker = cluster?.brokers.find((one) => podOfBroker(one) === node.pod);
    return {
      ...node,
      id: broker?.id ?? node.id,
      ...(broker?.rack === undefined ? {} : { rack: broker.rack }),
      registered: broker !== undefined && broker.fenced !== true,
    };
  });

/** The pods of sets of controllers alone. */
export const controllersOf = (
  sets: readonly ClusterSet[],
  pods: readonly Pod[],
  quorum: QuorumStatus | undefined,
): ControllerStatus[] =>
  nodesOf(
    sets.filter((set) => roleOf(set) === 'controller'),
    pods,
  ).map((node) => ({ ...node, voter: quorum?.voters.includes(node.id) === true }));

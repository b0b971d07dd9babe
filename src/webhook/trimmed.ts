import type { StatefulSet } from '../hardening/model.ts';
import type { KubeObject, ObjectMeta } from '../kubernetes/object.ts';
import { group, keys } from '../names.ts';
import type { LargestReplication } from './scale-limits.ts';

/** Kubernetes' own label for the failure domain of a node. */
export const zoneLabel = 'topology.kubernetes.io/zone';

const lengthy = [keys.inverse, 'kubectl.kubernetes.io/last-applied-configuration'];

/**
 * What loops and reviews need of a StatefulSet: of one that may run Kafka all but its status and history, of another one only
 * its name.
 */
export function trimStatefulSet(set: StatefulSet): StatefulSet {
  const { metadata = {}, spec, status: _status, ...identity } = set;
  const { managedFields: _managed, annotations = {}, ...rest } = metadata;
  const ofInterest = mayRunKafka(set);
  const kept = Object.entries(annotations).filter(([key]) => ofInterest && !lengthy.includes(key));
  return {
    ...identity,
    metadata: { ...rest, annotations: Object.fromEntries(kept) },
    ...(ofInterest && spec ? { spec } : {}),
  };
}

/** True for all that the core may recognise as Kafka, and for some more: this is asked of every set, at each of its changes. */
export const mayRunKafka = (set: StatefulSet): boolean =>
  /kafka|confluent|cp-server/i.test(JSON.stringify(set.spec?.template ?? {})) ||
  Object.keys(set.metadata?.annotations ?? {}).some((key) => key.startsWith(`${group}/`));

interface Taint {
  key: string;
  value?: string;
  effect: string;
}

export type Node = KubeObject & { spec?: { unschedulable?: boolean; taints?: Taint[] } };

interface Condition {
  type: string;
  status: string;
  reason?: string;
}

export type Pod = KubeObject & {
  spec?: { nodeName?: string };
  status?: { phase?: string; conditions?: Condition[] };
};

/** Identity and version of any object. */
function identityOf({ apiVersion, kind, metadata = {} }: KubeObject): KubeObject & { metadata: ObjectMeta } {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

/** A KafkaCluster, of which no more than its largest replication factor is asked. */
export type SizedCluster = KubeObject & { status?: { largestReplication?: LargestReplication } };

/** Clusters are written with each change of their status, which is long. */
export function trimCluster(cluster: SizedCluster): SizedCluster {
  const largest = cluster.status?.largestReplication;
  return { ...identityOf(cluster), ...(largest && { status: { largestReplication: largest } }) };
}

/** What is asked of a node: its zone, and whether it is meant to be empty. Nodes are written every few minutes, and there may be thousands. */
export function trimNode(node: Node): Node {
  const { metadata, ...identity } = identityOf(node);
  const zone = node.metadata?.labels?.[zoneLabel];
  const { unschedulable, taints } = node.spec ?? {};
  return {
    ...identity,
    metadata: { ...metadata, ...(zone === undefined ? {} : { labels: { [zoneLabel]: zone } }) },
    ...(unschedulable || taints?.length
      ? { spec: { ...(unschedulable ? { unschedulable } : {}), ...(taints?.length ? { taints } : {}) } }
      : {}),
  };
}

/** What is asked of a broker's pod: whose it is, where it is, how it ends, and whether a person lets it go. */
export function trimPod(pod: Pod): Pod {
  const { metadata, ...identity } = identityOf(pod);
  const { labels = {}, annotations = {}, deletionTimestamp } = pod.metadata ?? {};
  const cluster = labels[keys.node];
  const override = annotations[keys.allowEviction];
  const { phase, conditions = [] } = pod.status ?? {};
  return {
    ...identity,
    metadata: {
      ...metadata,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(cluster === undefined ? {} : { labels: { [keys.node]: cluster } }),
      ...(override === undefined ? {} : { annotations: { [keys.allowEviction]: override } }),
    },
    ...(pod.spec?.nodeName === undefined ? {} : { spec: { nodeName: pod.spec.nodeName } }),
    status: {
      ...(phase === undefined ? {} : { phase }),
      conditions: conditions.filter(({ type }) => type === 'DisruptionTarget'),
    },
  };
}

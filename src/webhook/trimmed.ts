import type { StatefulSet } from '../hardening/model.ts';
import type { KubeObject } from '../kubernetes/object.ts';
import { group, keys } from '../names.ts';

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

/** What is asked of a node: its zone. Nodes are written every few minutes, and there may be thousands. */
export function trimNode({ apiVersion, kind, metadata = {} }: KubeObject): KubeObject {
  const { name, uid, resourceVersion, labels = {} } = metadata;
  const zone = labels[zoneLabel];
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(zone === undefined ? {} : { labels: { [zoneLabel]: zone } }),
    },
  };
}

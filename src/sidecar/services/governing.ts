import { type ClusterSet, nodeSelector, ownedBy, roleOf } from '../cluster-set.ts';
import type { Service } from '../objects.ts';
import { ownLabels } from '../secrets.ts';

/** What to do about a set's governing Service, without which its pods have no names in DNS. */
export type GoverningAction =
  | { readonly action: 'none' }
  | { readonly action: 'wait'; readonly forMs: number }
  | { readonly action: 'publish-not-ready' }
  | { readonly action: 'create' }
  | { readonly action: 'report'; readonly problem: string; readonly remedy: string };

/** A Service that a person applies beside the StatefulSet gets this long to arrive. */
export const patienceMs = 10_000;

/** The name that the core gives to a Service where the manifest names none: nobody else will create it. */
const isOurs = (set: ClusterSet): boolean => set.layout.service === `${set.name}-nodes`;

/** `absentMs`: for how long the Service has been missing. */
export function governingAction(
  set: ClusterSet,
  service: Service | undefined,
  absentMs: number,
): GoverningAction {
  if (service === undefined) {
    if (isOurs(set) || absentMs >= patienceMs) return { action: 'create' };
    return { action: 'wait', forMs: patienceMs - absentMs };
  }
  if (service.spec?.clusterIP !== 'None') {
    return {
      action: 'report',
      problem: `Service ${set.layout.service}, which governs StatefulSet ${set.name}, is not headless: its pods have no names of their own, so brokers cannot reach each other`,
      remedy: `Delete Service ${set.layout.service} and create it again with clusterIP: None; kafka-warden creates it so if it stays away for ten seconds`,
    };
  }
  return service.spec.publishNotReadyAddresses === true
    ? { action: 'none' }
    : { action: 'publish-not-ready' };
}

/**
 * The headless Service: a name for every pod, also before it is ready, since controllers find each other so. `sets` are all
 * that it governs: brokers in StatefulSets of one pod each often share one.
 */
export function governingService(set: ClusterSet, sets: readonly ClusterSet[], namespace: string) {
  const { cluster, service } = set.layout;
  const governed = sets.filter(({ layout }) => layout.service === service);
  const port = ({ name, number }: Port) => ({ name, port: number, targetPort: number, protocol: 'TCP' });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: service,
      namespace,
      labels: ownLabels(cluster),
      ownerReferences: ownedBy(governed),
    },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: governed.length > 1 ? nodeSelector(cluster) : (set.object.spec?.selector.matchLabels ?? {}),
      ports: portsOf(governed).map(port),
    },
  };
}

interface Port {
  readonly name: string;
  readonly number: number;
}

/** The ports of every listener, each number once. */
function portsOf(sets: readonly ClusterSet[]): Port[] {
  const all = sets.flatMap((set) => {
    const { clientPort, internalPort, controllerPort, external = [] } = set.layout;
    const serving = [
      { name: 'client', number: clientPort },
      { name: 'internal', number: internalPort },
      ...external.map(({ name, port }) => ({ name: name.toLowerCase(), number: port })),
    ];
    const controller = { name: 'controller', number: controllerPort };
    switch (roleOf(set)) {
      case 'controller':
        return [controller];
      case 'broker':
      case 'zookeeper':
        return serving;
      case 'combined':
      case 'unseen':
        return [...serving, controller];
    }
  });
  const byNumber = new Map(all.toReversed().map((port) => [port.number, port]));
  const distinct = all.filter((port) => byNumber.get(port.number) === port);
  return distinct.map((port, index) =>
    distinct.findIndex(({ name }) => name === port.name) === index
      ? port
      : { ...port, name: `${port.name.slice(0, 9)}-${port.number}` },
  );
}

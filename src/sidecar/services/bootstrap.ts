import { keys, objectsOf } from '../../names.ts';
import { type ClusterSet, nodeSelector, ordinalOf, ownedBy, podLabels, servingSets } from '../cluster-set.ts';
import type { Pod } from '../objects.ts';
import { ownLabels } from '../secrets.ts';

/** The clients' ports of the sets that serve, each once. */
const clientPorts = (sets: readonly ClusterSet[]): number[] => [
  ...new Set(servingSets(sets).map(({ layout }) => layout.clientPort)),
];

/** The Service by which clients begin: any ready broker, on the clients' port. Undefined while no set serves. */
export function bootstrapService(sets: readonly ClusterSet[], pods: readonly Pod[], namespace: string) {
  const [first] = servingSets(sets);
  if (first === undefined) return undefined;
  const { cluster } = first.layout;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: objectsOf(cluster).bootstrap,
      namespace,
      labels: ownLabels(cluster),
      ownerReferences: ownedBy(sets),
    },
    spec: {
      type: 'ClusterIP',
      selector: brokerSelector(sets, pods, cluster),
      ports: clientPorts(sets).map((port, index) => ({
        name: index === 0 ? 'client' : `client-${port}`,
        port,
        targetPort: port,
        protocol: 'TCP',
      })),
    },
  };
}

/**
 * The label of the pods that serve, once all of them have it: those of earlier profiles are known as nodes only, and so
 * are pods that a roll has not reached yet.
 */
function brokerSelector(
  sets: readonly ClusterSet[],
  pods: readonly Pod[],
  cluster: string,
): Record<string, string> {
  const serving = servingSets(sets);
  const labels = [
    ...serving.map(podLabels),
    ...pods
      .filter(({ metadata }) => serving.some((set) => ordinalOf(set, metadata.name) !== undefined))
      .map(({ metadata }) => metadata.labels ?? {}),
  ];
  return labels.every((held) => held[keys.broker] === cluster)
    ? { [keys.broker]: cluster }
    : nodeSelector(cluster);
}

/** `host:port` for clients inside the Kubernetes cluster, one for each of the clients' ports. */
export function bootstrapAddress(sets: readonly ClusterSet[], namespace: string): string {
  const [first] = servingSets(sets);
  const host = `${objectsOf(first?.layout.cluster ?? '').bootstrap}.${namespace}.svc`;
  return clientPorts(sets)
    .map((port) => `${host}:${port}`)
    .join(',');
}

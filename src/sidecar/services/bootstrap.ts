import { objectsOf } from '../../names.ts';
import { type ClusterSet, nodeSelector, ownedBy } from '../cluster-set.ts';
import { ownLabels } from '../secrets.ts';

/** The Service by which clients begin: any ready broker, on the clients' port. */
export function bootstrapService(sets: readonly ClusterSet[], namespace: string) {
  const [first] = sets;
  if (first === undefined) return undefined;
  const { cluster, clientPort } = first.layout;
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
      selector: nodeSelector(cluster),
      ports: [{ name: 'client', port: clientPort, targetPort: clientPort, protocol: 'TCP' }],
    },
  };
}

/** `host:port` for clients inside the Kubernetes cluster. */
export const bootstrapAddress = (set: ClusterSet, namespace: string): string =>
  `${objectsOf(set.layout.cluster).bootstrap}.${namespace}.svc:${set.layout.clientPort}`;

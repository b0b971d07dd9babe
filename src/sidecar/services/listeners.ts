import { type ClusterSet, roleOf, servingSets } from '../cluster-set.ts';
import type { ListenerStatus } from '../status/kafka-cluster.ts';

const scram = { protocol: 'SASL_SSL', authentication: 'SCRAM-SHA-512' };
const mutual = { protocol: 'SSL', authentication: 'mutual TLS' };

/** Every listener of the cluster, once for each port that it has on some set. */
export function listenersOf(sets: readonly ClusterSet[]): ListenerStatus[] {
  const serving = servingSets(sets);
  const voting = sets.filter((set) => !['broker', 'zookeeper'].includes(roleOf(set)));
  const all: ListenerStatus[] = [
    ...serving.map(({ layout }) => ({ name: 'CLIENT', port: layout.clientPort, ...scram })),
    ...serving.flatMap(({ layout }) =>
      (layout.external ?? []).map(({ name, port }) => ({ name, port, ...scram })),
    ),
    ...serving.map(({ layout }) => ({ name: 'INTERNAL', port: layout.internalPort, ...mutual })),
    ...voting.map(({ layout }) => ({ name: 'CONTROLLER', port: layout.controllerPort, ...mutual })),
  ];
  return [...new Map(all.map((listener) => [`${listener.name} ${listener.port}`, listener])).values()];
}

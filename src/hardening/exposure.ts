import type { Listener } from './listeners.ts';
import type { Container, ExternalListener, StatefulSet } from './model.ts';
import { clientPortOf, type Shape } from './shape.ts';

/** The ports that clients and brokers come in by, as they follow from the manifest's listeners. */
export interface Exposure {
  clientPort: number;
  /** The brokers' own port, where the manifest has one apart from the clients'. */
  internalPort?: number;
  external: ExternalListener[];
  /** Literal names and addresses that further listeners advertise. */
  hosts: string[];
}

/** What is read for it. */
export interface ExposureSource {
  set: StatefulSet;
  container: Container;
  shape: Shape;
}

const isLoopback = (host: string) => /^(localhost|127\.)/.test(host);

/** A name that only pods of the cluster can follow; what is advertised nowhere is taken for one. */
function isInside(host: string | undefined, set: StatefulSet): boolean {
  if (host === undefined || host === '') return true;
  if (isLoopback(host)) return false;
  if (/\.svc\b/.test(host)) return true;
  const own = [set.metadata?.name, set.spec?.serviceName].filter((n) => n !== undefined && n !== '');
  if (host.includes('$')) return !/EXTERNAL|PUBLIC|NODE_?(IP|NAME)|HOST_?IP|LB_|LOAD_?BALANCER/i.test(host);
  return own.some((n) => host.includes(n ?? ''));
}

/**
 * One listener serves clients inside the cluster, under the port that it has today; every further one stays open under its port,
 * with TLS and SASL, and keeps the address that it advertises. One that advertises localhost gets the pod's own name.
 */
export function exposureOf({ set, container, shape }: ExposureSource): Exposure {
  const hostOf = (l: Listener) => shape.advertised.find((a) => a.name === l.name)?.host;
  const interBroker =
    shape.interBroker ??
    (shape.clients.length > 1 ? shape.clients.find((l) => l.name === 'PLAINTEXT') : undefined);
  const clients = shape.clients.filter((l) => l !== interBroker);
  const inside = clients.find((l) => isInside(hostOf(l), set));
  const main =
    inside ?? (isInside(interBroker && hostOf(interBroker), set) ? interBroker : undefined) ?? clients[0];
  const further = clients.filter((l) => l !== main);
  const external = further.map((l, i): ExternalListener => {
    const host = hostOf(l);
    const keeps = host !== undefined && host !== '' && !isLoopback(host);
    return { name: i === 0 ? 'EXTERNAL' : `EXTERNAL${i + 1}`, port: l.port, from: keeps ? l.name : '' };
  });
  const hosts = further
    .map((l) => hostOf(l) ?? '')
    .filter((h) => /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(h) && !isLoopback(h));
  return {
    clientPort: main?.port ?? clientPortOf(shape, container),
    ...(interBroker !== undefined && interBroker !== main ? { internalPort: interBroker.port } : {}),
    external,
    hosts: [...new Set(hosts)],
  };
}

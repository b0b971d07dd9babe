import type { Configuration } from './configuration.ts';
import type { Listener } from './listeners.ts';
import type { Container, ExternalListener, StatefulSet } from './model.ts';
import { clientPortOf, type Address, type Shape } from './shape.ts';

/** The ports that clients and brokers come in by, as they follow from the manifest's listeners. */
export interface Exposure {
  clientPort: number;
  /** The brokers' own port, where the manifest has one apart from the clients'. */
  internalPort?: number;
  external: ExternalListener[];
  /** Names and addresses that further listeners advertise, `@pod` for the pod's name; without those that only the start knows. */
  hosts: string[];
}

/** What is read for it. */
export interface ExposureSource {
  set: StatefulSet;
  container: Container;
  shape: Shape;
  configuration: Configuration;
}

const isLoopback = (host: string) => /^(localhost|127\.)/.test(host);
const isOutsideName = (name: string) =>
  /EXTERNAL|OUTSIDE|PUBLIC|_HOST$|NODE_?PORT|LOAD_?BALANCER|^LB/i.test(name);
const isNodeAddress = (host: string) =>
  /EXTERNAL|PUBLIC|NODE_?(IP|NAME)|HOST_?(IP|NAME_COMMAND)|LB_|LOAD_?BALANCER|hostIP/i.test(host);

/** Where a listener's clients are: pods of this cluster, machines outside it, or a developer's own. */
type Whereabouts = 'inside' | 'outside' | 'loopback';

function whereabouts(listener: Listener, address: Address | undefined, set: StatefulSet): Whereabouts {
  if (address === undefined) return isOutsideName(listener.name) ? 'outside' : 'inside';
  const { host, port } = address;
  if (host === '') return 'inside';
  if (isLoopback(host)) return 'loopback';
  if (/\.svc\b/.test(host)) return 'inside';
  if (port !== undefined && port !== listener.port) return 'outside';
  if (isNodeAddress(host)) return 'outside';
  return namesPod(host, set) ? 'inside' : 'outside';
}

/** `POD`, `POD.SERVICE`, `SERVICE` and those with a namespace behind; the pod may be an expression. */
function namesPod(host: string, set: StatefulSet): boolean {
  const name = set.metadata?.name ?? '';
  const service = set.spec?.serviceName ?? name;
  const [first = '', second, ...rest] = host
    .replaceAll(/\$\{[^}]*\}|\$\([^)]*\)|`[^`]*`|\$\w+/g, '$')
    .split('.');
  if (first === name || first === service) return second === undefined || rest.length === 0;
  const isPod = first.includes('$') || first.startsWith(`${name}-`);
  return isPod && (second === undefined || (second === service && rest.length <= 1));
}

const podExpressions = /\$\{?HOSTNAME\}?|\$\(hostname( -s)?\)|`hostname( -s)?`/g;

/** The host that each pod advertises, `@pod` standing for its name; undefined where only the start knows it. */
export function hostOf(address: Address | undefined, container: Container): string | undefined {
  const resolved = (address?.host ?? '')
    .replace(podExpressions, '@pod')
    .replace(
      /\$\(([A-Za-z_]\w*)\)|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g,
      (text, a?: string, b?: string, c?: string) => {
        const entry = container.env?.find((e) => e.name === (a ?? b ?? c));
        if (entry?.valueFrom?.fieldRef?.fieldPath === 'metadata.name') return '@pod';
        return entry?.value ?? text;
      },
    );
  return /^[@A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(resolved) ? resolved : undefined;
}

/**
 * One listener serves clients inside the cluster, under the port that it has today; every further one stays open under its port,
 * with TLS and SASL, and keeps the address that it advertises. One that advertises localhost gets the pod's own name. Where the
 * only listener is advertised to machines outside, it stays theirs, and clients inside get a port of their own.
 */
export function exposureOf({ set, container, shape }: ExposureSource): Exposure {
  const addressOf = (l: Listener) => shape.advertised.find((a) => a.name === l.name);
  const whereIs = (l: Listener) => whereabouts(l, addressOf(l), set);
  const interBroker =
    shape.interBroker ??
    (shape.clients.length > 1 ? shape.clients.find((l) => l.name === 'PLAINTEXT') : undefined);
  const clients = shape.clients.filter((l) => l !== interBroker);
  const inside = clients.find((l) => whereIs(l) === 'inside');
  const shared = interBroker !== undefined && whereIs(interBroker) !== 'outside' ? interBroker : undefined;
  const main = inside ?? shared ?? clients.find((l) => whereIs(l) === 'loopback');
  const further = clients.filter((l) => l !== main);
  const external = further.map((l, i): ExternalListener => ({
    name: i === 0 ? 'EXTERNAL' : `EXTERNAL${i + 1}`,
    port: l.port,
    from: whereIs(l) === 'outside' && addressOf(l) !== undefined ? l.name : '',
  }));
  const hosts = external.flatMap(
    ({ from }) =>
      hostOf(
        shape.advertised.find((a) => a.name === from),
        container,
      ) ?? [],
  );
  const taken = further.map((l) => l.port);
  return {
    clientPort: main?.port ?? freePort(clientPortOf(shape, container), taken),
    ...(interBroker !== undefined && interBroker !== main ? { internalPort: interBroker.port } : {}),
    external,
    hosts: [...new Set(hosts)],
  };
}

function freePort(wanted: number, taken: readonly number[]): number {
  let port = wanted;
  while (taken.includes(port)) port++;
  return port;
}

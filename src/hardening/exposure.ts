import type { Configuration } from './configuration.ts';
import type { Listener } from './listeners.ts';
import type { Container, ExternalListener, StatefulSet } from './model.ts';
import { clientPortOf, type Address, type Shape } from './shape.ts';

/** The ports that clients and brokers come in by, as they follow from the manifest's listeners. */
export interface Exposure {
  /** undefined: every listener has clients elsewhere, and those inside get a port of their own. */
  clientPort: number | undefined;
  external: ExternalListener[];
  /** Names and addresses that further listeners advertise, `@pod` for the pod's name; without those that only the start knows. */
  hosts: string[];
}

/** What is read of an address. */
export interface AddressSource {
  container: Container;
  configuration: Configuration;
}

/** What is read for it. */
export interface ExposureSource extends AddressSource {
  set: StatefulSet;
  shape: Shape;
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
  if (/\.svc\b/.test(host) || /^[a-z0-9-]+$/.test(host)) return 'inside';
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

/** No name in DNS is longer. */
const longestName = 255;

/** The host that each pod advertises, `@pod` standing for its name; undefined where only the start knows it. */
export function hostOf(address: Address | undefined, container: Container): string | undefined {
  const resolved = (address?.host ?? '')
    .replace(podExpressions, '@pod')
    .replace(
      /\$\(([A-Za-z_]\w*)\)|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g,
      (text, a?: string, b?: string, c?: string) => {
        const entry = container.env?.find((e) => e.name === (a ?? b ?? c));
        if (entry?.valueFrom?.fieldRef?.fieldPath === 'metadata.name') return '@pod';
        const value = entry?.value ?? text;
        return value.length > longestName ? text : value;
      },
    );
  return /^[@A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(resolved) ? resolved : undefined;
}

/**
 * One listener serves clients inside the cluster, under the port that it has today; every other one stays open under its port, with
 * TLS and SASL, for whoever came in by it, and keeps the address that it advertises where that leads outside. The brokers
 * themselves get a port that no client ever used. Where every listener is advertised to machines outside, clients inside get a
 * port of their own.
 */
export function exposureOf({ set, container, shape, configuration }: ExposureSource): Exposure {
  const addressOf = (l: Listener) => shape.advertised.find((a) => a.name === l.name);
  const whereIs = (l: Listener) => whereabouts(l, addressOf(l), set);
  const all = shape.listeners.filter((l) => !shape.isController(l));
  const inside = all.filter((l) => whereIs(l) === 'inside');
  const main =
    inside.find((l) => l.name === 'CLIENT') ??
    inside.find((l) => l === shape.interBroker && all.some((o) => o !== l && isOutsideName(o.name))) ??
    inside.find((l) => l !== shape.interBroker && !isOutsideName(l.name)) ??
    inside[0] ??
    all.find((l) => whereIs(l) === 'loopback' || !isHost(addressOf(l), { container, configuration }));
  const further = all.filter(
    (l, i) => l.port !== main?.port && all.findIndex((o) => o.port === l.port) === i,
  );
  const external = further.map((l, i): ExternalListener => ({
    name: i === 0 ? 'EXTERNAL' : `EXTERNAL${i + 1}`,
    port: l.port,
    from: whereIs(l) === 'outside' && isHost(addressOf(l), { container, configuration }) ? l.name : '',
  }));
  const hosts = external.flatMap(
    ({ from }) =>
      hostOf(
        shape.advertised.find((a) => a.name === from),
        container,
      ) ?? [],
  );
  return {
    clientPort: main?.port ?? (further.length > 0 ? undefined : clientPortOf(shape, container)),
    external,
    hosts: [...new Set(hosts)],
  };
}

/** An address that Kafka can start with: not a placeholder, nor a reference that the kubelet will not resolve. */
export function isHost(address: Address | undefined, { container, configuration }: AddressSource): boolean {
  if (address === undefined) return false;
  if (/[<>{}[\]\s]/.test(address.host.replaceAll(/\$\{[^}]*\}|\$\([^)]*\)/g, ''))) return false;
  const value = configuration.property('advertised.listeners');
  const index = value.state === 'literal' ? Number(/^\/env\/(\d+)$/.exec(value.from)?.[1] ?? NaN) : NaN;
  if (Number.isNaN(index)) return true;
  const before = (container.env ?? []).slice(0, index).map((e) => e.name);
  const references = [...address.host.matchAll(/\$\(([A-Za-z_][\w.-]*)\)/g)].map((m) => m[1] ?? '');
  const shell = address.host.replaceAll(/\$\([A-Za-z_][\w.-]*\)/g, '').includes('$');
  return !shell && (container.envFrom !== undefined || references.every((name) => before.includes(name)));
}

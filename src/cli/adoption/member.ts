import { literal } from '../../hardening/configuration.ts';
import type { Layout } from '../../hardening/index.ts';
import type { Listener } from '../../hardening/listeners.ts';
import type { Broker } from '../../lint/brokers.ts';
import { listenersOf } from '../../lint/rules/plaintext-exposed.ts';

/** A listener that adoption adds. */
export interface Added {
  /** While the old ones stand; `finally` when they are gone: names are local to a node, ports are not. */
  readonly name: string;
  readonly finally: string;
  readonly port: number;
  readonly protocol: 'SSL' | 'SASL_SSL';
  readonly purpose: 'client' | 'internal' | 'external' | 'quorum';
  /** The listener whose advertised host it keeps. */
  readonly from: string;
}

/** A StatefulSet of the cluster that is to be adopted: how it listens now, and on which ports it will listen beside that. */
export interface Member {
  readonly name: string;
  readonly role: Layout['role'];
  readonly serves: boolean;
  readonly controls: boolean;
  /** In the order in which a StatefulSet restarts them. */
  readonly pods: readonly string[];
  readonly firstId: number;
  /** `kafka-0.kafka.shop.svc` with the pod's name left open. */
  readonly host: string;
  readonly old: { readonly listeners: readonly Listener[]; readonly quorum: readonly Listener[] };
  readonly oldInterBroker: string;
  /** `security.inter.broker.protocol`, where it is set. */
  readonly oldProtocol: string | undefined;
  /** What is advertised now: as it is written, or an expression of the start's. */
  readonly advertised: string | undefined;
  readonly map: string | undefined;
  readonly voters: string | undefined;
  readonly superUsers: string | undefined;
  /** The listeners that are added, under names that are free while both kinds stand. */
  readonly added: readonly Added[];
  readonly clientPort: number;
  readonly quorumPort: number;
}

function freePorts(taken: readonly number[]) {
  const used = new Set(taken);
  return (from: number): number => {
    let port = from;
    while (used.has(port)) port++;
    used.add(port);
    return port;
  };
}

/** What the manifest says of a property, however it says it. */
function textOf({ configuration }: Broker, property: string): string | undefined {
  const value = configuration.property(property);
  if (value.state === 'literal') return value.value;
  return value.state === 'computed' ? (value.expression ?? '(computed at the start)') : undefined;
}

/** Kafka's own choice where the manifest names no listener for the brokers. */
function interBrokerOf({ shape, configuration }: Broker): string {
  const named = literal(configuration.property('inter.broker.listener.name'));
  return (
    named ??
    shape.interBroker?.name ??
    literal(configuration.property('security.inter.broker.protocol')) ??
    'PLAINTEXT'
  );
}

/** Reads a set of the cluster, given the layout that hardening would give it. */
export function memberOf(broker: Broker, layout: Layout): Member {
  const { workload, shape, configuration } = broker;
  const { name, namespace, set, replicas, pod } = workload;
  const role = layout.role ?? 'combined';
  const all = listenersOf(broker);
  const isQuorum = (l: Listener) => l === shape.controllerListener;
  const declared = pod.containers.flatMap((c) => (c.ports ?? []).map((p) => p.containerPort));
  const voting = role === 'combined' || role === 'controller';
  const hidden = voting && shape.controllerListener === undefined;
  const quorum: Listener[] = hidden
    ? [{ name: 'CONTROLLER', host: '', port: layout.controllerPort }]
    : all.filter(isQuorum);
  const taken = [...all, ...quorum].map((l) => l.port).concat(declared, layout.controllerPort);
  const added = addedTo({
    layout,
    serves: role !== 'controller',
    voting,
    names: [...all, ...quorum].map((l) => l.name),
    taken,
    quorumName: broker.profile.controllerListener,
  });
  const portFor = (purpose: Added['purpose']) => added.find((l) => l.purpose === purpose)?.port ?? 0;
  const first = set.spec?.ordinals?.start ?? 0;
  const text = (property: string) => literal(configuration.property(property));
  return {
    name,
    role,
    serves: role !== 'controller',
    controls: voting,
    pods: Array.from({ length: replicas }, (_, i) => `${name}-${first + replicas - 1 - i}`),
    firstId: first + layout.idOffset,
    host: `${layout.service}.${namespace}.svc`,
    old: { listeners: all.filter((l) => !isQuorum(l)), quorum },
    oldInterBroker: interBrokerOf(broker),
    oldProtocol: text('security.inter.broker.protocol'),
    advertised: textOf(broker, 'advertised.listeners'),
    map: text('listener.security.protocol.map'),
    voters: shape.votersText,
    superUsers: text('super.users'),
    added,
    clientPort: portFor('client'),
    quorumPort: portFor('quorum'),
  };
}

interface Wanted {
  layout: Layout;
  serves: boolean;
  voting: boolean;
  names: readonly string[];
  taken: readonly number[];
  quorumName: string;
}

function addedTo({ layout, serves, voting, names, taken, quorumName }: Wanted): Added[] {
  const next = freePorts(taken);
  const free = (name: string) => (names.includes(name) ? `${name}_TLS` : name);
  const client: Added[] = [
    {
      name: free('CLIENT'),
      finally: 'CLIENT',
      port: next(9096),
      protocol: 'SASL_SSL',
      purpose: 'client',
      from: '',
    },
    {
      name: free('INTERNAL'),
      finally: 'INTERNAL',
      port: next(9091),
      protocol: 'SSL',
      purpose: 'internal',
      from: '',
    },
  ];
  const external = (layout.external ?? []).map((e): Added => {
    const port = next(e.port + 100);
    return {
      name: free(e.name),
      finally: e.name,
      port,
      protocol: 'SASL_SSL',
      purpose: 'external',
      from: e.from,
    };
  });
  const port = next(9095);
  const quorum: Added = {
    name: free('QUORUM'),
    finally: quorumName,
    port,
    protocol: 'SSL',
    purpose: 'quorum',
    from: '',
  };
  return [...(serves ? [...client, ...external] : []), ...(voting ? [quorum] : [])];
}

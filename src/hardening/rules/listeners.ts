import { literal } from '../configuration.ts';
import type { ExternalListener, Layout } from '../model.ts';
import { kraft, pointerTo, serving, type Draft, type KnownRole, type Rule, type Said } from '../draft.ts';
import { hostOf, isHost } from '../exposure.ts';

/** Names of the listeners that clients come in by. */
export const clientListeners = ({ external = [] }: Layout): string[] => [
  'CLIENT',
  ...external.map((e) => e.name),
];

/** What a node of one role listens on, and what it tells others. */
function listenersFor(draft: Draft, role: KnownRole): { bound: string; advertised: string } {
  const { clientPort, internalPort, controllerPort, external = [], service } = draft.layout;
  const host = `$(WARDEN_POD).${service}.${draft.namespace}.svc`;
  const controller = `${draft.pin.profile.controllerListener}://:${controllerPort}`;
  const serves = [
    `CLIENT://:${clientPort}`,
    `INTERNAL://:${internalPort}`,
    ...external.map((e) => `${e.name}://:${e.port}`),
  ];
  const advertised = [
    `CLIENT://${host}:${clientPort}`,
    `INTERNAL://${host}:${internalPort}`,
    ...external.filter((e) => e.from === '').map((e) => `${e.name}://${host}:${e.port}`),
  ].join(',');
  if (role === 'controller') return { bound: controller, advertised };
  return { bound: [...serves, ...(role === 'combined' ? [controller] : [])].join(','), advertised };
}

const all: readonly KnownRole[] = ['combined', 'broker', 'controller', 'zookeeper'];

export const listeners: Rule = {
  id: 'listeners',
  title: 'Three listeners, all with TLS',
  why: "Clients come in over SASL_SSL (CLIENT, and EXTERNAL for each further listener that the manifest has), brokers and the warden over mutual TLS (INTERNAL), the quorum over mutual TLS (CONTROLLER; QUORUM on cp-server). Names that do not end in SSL keep the images' own TLS triggers off.",
  remedy: 'Point clients at the CLIENT listener with the Secret of a KafkaUser.',
  severity: 'info',
  since: 1,
  apply(draft) {
    for (const role of all) draft.setting('listeners', '=', listenersFor(draft, role).bound, [role]);
    draft.setting('advertised.listeners', '=', listenersFor(draft, 'broker').advertised, serving);
    draft.without('advertised.listeners', ['controller']);
    const external = (draft.layout.external ?? []).map((e) => `${e.name}:SASL_SSL`);
    const map = ['CLIENT:SASL_SSL', 'INTERNAL:SSL', ...external];
    const quorum = `${draft.pin.profile.controllerListener}:SSL`;
    draft.setting('listener.security.protocol.map', '=', [...map, quorum].join(','), kraft);
    draft.setting('listener.security.protocol.map', '=', map.join(','), ['zookeeper']);
    draft.setting('inter.broker.listener.name', '=', 'INTERNAL');
    draft.without('security.inter.broker.protocol');
    draft.without('early.start.listeners');
    reportFurther(draft);
    reportUnheard(draft);
  },
};

function reportFurther(draft: Draft): void {
  const { layout, shape, configuration, report } = draft;
  const value = configuration.property('advertised.listeners');
  const bound = configuration.property('listeners');
  const from = 'from' in value ? value.from : 'from' in bound ? bound.from : '/env';
  const path = pointerTo(draft.containerIndex, from);
  for (const external of layout.external ?? []) report({ ...kept(draft, external), path });
  const named = shape.listeners.map((l) => l.name);
  for (const { name, port } of shape.advertised)
    if (port === undefined && !named.includes(name))
      report({
        path,
        message: `listener ${name} is advertised on a port that only the start knows, and is left out: its clients lose their way in`,
        remedy: 'Give it a fixed port in listeners.',
        severity: 'warning',
      });
}

/** Names of ports that no client of Kafka comes in by: metrics, debuggers, HTTP, the brokers' own, which INTERNAL takes over, and the controllers', which the launcher reads. */
const besideClients =
  /jmx|jolokia|metric|prom|export|http|health|admin|debug|agent|rest|inter-?broker|replication|contr|ctrl|quorum|raft/i;
const usuallyBeside = [
  1099, 5005, 5555, 5556, 7071, 7072, 7203, 8080, 8083, 8778, 9101, 9102, 9308, 9404, 9999,
];

/** Ports that are open today, if the part of the configuration that cannot be seen has a listener there, and are not any more. */
function reportUnheard({ configuration, container, containerIndex, layout, report }: Draft): void {
  if (configuration.property('listeners').state !== 'unknown') return;
  const { clientPort, internalPort, controllerPort, external = [] } = layout;
  const jmx = ['JMX_PORT', 'KAFKA_JMX_PORT'].map((n) => Number(literal(configuration.variable(n))));
  const known = [clientPort, internalPort, controllerPort, ...external.map((e) => e.port)];
  for (const [index, port] of (container.ports ?? []).entries()) {
    const { containerPort, name = '', protocol = 'TCP' } = port;
    if (protocol !== 'TCP' || besideClients.test(name)) continue;
    if ([...known, ...jmx, ...usuallyBeside].includes(containerPort)) continue;
    report({
      path: pointerTo(containerIndex, `/ports/${index}`),
      message: `port ${containerPort}${name === '' ? '' : ` (${name})`} is declared, but where the listeners are set cannot be seen from here: a listener on it is not kept`,
      remedy:
        'Write listeners and advertised.listeners where the manifest shows them (variables of this container, or --override behind kafka-server-start), or remove the port.',
      severity: 'warning',
    });
  }
}

/** An advertised address of which not even the form can be read, as it is written. */
function unreadAddress({ configuration, shape }: Draft, listener: string): string | undefined {
  if (shape.advertised.some((a) => a.name === listener)) return undefined;
  const value = configuration.property('advertised.listeners');
  const text = (value.state === 'computed' ? value.expression : literal(value)) ?? '';
  const entry = text.split(',').find((e) => e.trim().startsWith(`${listener}://`));
  return entry?.trim().slice(`${listener}://`.length);
}

/** What is said of a further listener: where its clients find it now. */
function kept(draft: Draft, { name, port, from }: ExternalListener): Omit<Said, 'path'> {
  const { shape, container } = draft;
  const listener = shape.listeners.find((l) => l.port === port && !shape.isController(l))?.name ?? name;
  const address = shape.advertised.find((a) => a.name === listener);
  const what = `listener ${listener} on port ${port} is kept as ${name} with TLS and SASL`;
  const host = address?.host ?? unreadAddress(draft, listener) ?? '';
  const leadsNowhere = host !== '' && (/^(localhost|127\.)/.test(host) || !isHost(address, draft));
  if (from === '' && leadsNowhere)
    return {
      message: `${what}, under the pod's own name instead of ${host}`,
      severity: 'warning',
      remedy: 'Remove it, or advertise an address that its clients can follow.',
    };
  if (from === '' || hostOf(address, container) !== undefined)
    return {
      message: `${what}${from === '' ? '' : ', at the address that it advertises'}`,
      remedy: 'Give its clients the Secret of a KafkaUser.',
    };
  return {
    message: `${what}, but its address is known only at the start, so the certificates do not carry it`,
    remedy:
      'Advertise one literal name, or a name made from the name of the pod ($(POD_NAME).kafka.example.org).',
    severity: 'warning',
  };
}

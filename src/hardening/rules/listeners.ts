import type { Layout } from '../model.ts';
import { kraft, serving, type Draft, type KnownRole, type Rule } from '../draft.ts';

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
  },
};

function reportFurther({ layout, shape, report }: Draft): void {
  for (const { name, port, from } of layout.external ?? []) {
    const listener = shape.clients.find((l) => l.port === port);
    const known = (layout.hosts ?? []).includes(shape.advertised.find((a) => a.name === from)?.host ?? '');
    if (from === '')
      report({
        path: '/spec/template/spec/containers',
        message: `listener ${listener?.name ?? name} on port ${port} advertised localhost: it is kept as ${name} with TLS and SASL, under the pod's own name`,
        severity: 'warning',
      });
    else
      report({
        path: '/spec/template/spec/containers',
        message: `listener ${from} is kept as ${name} on port ${port} with TLS and SASL, at the address that it advertises${known ? '' : '; that address is known only at the start, so the certificates cannot carry it'}`,
        remedy: known
          ? 'Give its clients the Secret of a KafkaUser.'
          : 'Write the address literally, or let its clients check certificates without the host name (ssl.endpoint.identification.algorithm empty).',
      });
  }
}

import type { Rule } from '../draft.ts';

export const listeners: Rule = {
  id: 'listeners',
  title: 'Three listeners, all with TLS',
  why: "Clients come in over SASL_SSL (CLIENT), brokers and the warden over mutual TLS (INTERNAL), the quorum over mutual TLS (CONTROLLER). Names that do not end in SSL keep the images' own TLS triggers off.",
  remedy: 'Point clients at the CLIENT listener with the Secret of a KafkaUser.',
  severity: 'info',
  since: 1,
  apply(draft) {
    const { clientPort, internalPort, controllerPort, service } = draft.layout;
    const host = `$(WARDEN_POD).${service}.${draft.namespace}.svc`;
    draft.setting(
      'listeners',
      '=',
      `CLIENT://:${clientPort},INTERNAL://:${internalPort},CONTROLLER://:${controllerPort}`,
    );
    draft.setting(
      'advertised.listeners',
      '=',
      `CLIENT://${host}:${clientPort},INTERNAL://${host}:${internalPort}`,
    );
    draft.setting('listener.security.protocol.map', '=', 'CLIENT:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL');
    draft.setting('inter.broker.listener.name', '=', 'INTERNAL');
    draft.without('security.inter.broker.protocol');
    draft.without('early.start.listeners');
  },
};

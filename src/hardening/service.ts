import { layoutOf } from './layout.ts';
import type { Finding, PatchOperation, Service, StatefulSet } from './model.ts';

/** What is to be changed on a Service, given the hardened sets of its namespace. */
export interface ServiceOutcome {
  patch: PatchOperation[];
  findings: Finding[];
}

/**
 * Makes the governing headless Service of a hardened set publish addresses that are not ready yet: brokers must find each other
 * before they can become ready. Other Services are left as they are.
 */
export function hardenService(service: Service, { sets }: { sets: readonly StatefulSet[] }): ServiceOutcome {
  const name = service.metadata?.name;
  const governed = sets.find((set) => layoutOf(set)?.service === name);
  const rule = 'service';
  if (governed === undefined || name === undefined) return { patch: [], findings: [] };
  const set = governed.metadata?.name ?? '';
  if (service.spec?.clusterIP !== 'None')
    return {
      patch: [],
      findings: [
        {
          rule,
          severity: 'error',
          path: '/spec/clusterIP',
          message: `Service ${name} governs StatefulSet ${set} but is not headless: the pods get no DNS names of their own`,
          remedy: 'Set clusterIP: None (a new Service: the field is immutable).',
          action: 'reported',
        },
      ],
    };
  if (service.spec.publishNotReadyAddresses === true) return { patch: [], findings: [] };
  const op = service.spec.publishNotReadyAddresses === undefined ? 'add' : 'replace';
  return {
    patch: [{ op, path: '/spec/publishNotReadyAddresses', value: true, rule }],
    findings: [
      {
        rule,
        severity: 'info',
        path: '/spec/publishNotReadyAddresses',
        message: `Service ${name} publishes addresses of brokers that are not ready yet, so that they find each other`,
        remedy: 'Nothing to do.',
        action: 'fixed',
      },
    ],
  };
}

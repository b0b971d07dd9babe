import { layoutOf } from './layout.ts';
import type { Finding, PatchOperation, Service, StatefulSet } from './model.ts';

/** What is to be changed on a Service, given the hardened sets of its namespace. */
export interface ServiceOutcome {
  patch: PatchOperation[];
  findings: Finding[];
}

export interface ServiceContext {
  sets: readonly StatefulSet[];
  /** It is being created: only then can it still be made headless. */
  isNew?: boolean;
}

type ServiceSpec = NonNullable<Service['spec']>;

const rule = 'service';
const untouched: ServiceOutcome = { patch: [], findings: [] };

/**
 * Makes the Service that governs a hardened set give its pods names, from before they are ready: brokers must find each other to
 * become ready. A new Service that only has an address because nobody wrote `clusterIP: None` is created headless. Other Services
 * are left as they are.
 */
export function hardenService(service: Service, { sets, isNew = false }: ServiceContext): ServiceOutcome {
  const { metadata, spec = {} } = service;
  const name = metadata?.name;
  const governed = sets.filter((set) => layoutOf(set)?.service === name);
  const set = governed[0]?.metadata?.name ?? '';
  if (governed.length === 0 || name === undefined) return untouched;
  if (spec.clusterIP === 'None') return published(name, spec);
  const reason = isNew ? addressNeeded(spec, governed) : undefined;
  if (!isNew || reason !== undefined) return { patch: [], findings: [notHeadless(name, set, reason)] };
  return {
    patch: [write(spec, 'clusterIP', 'None'), write(spec, 'publishNotReadyAddresses', true)],
    findings: [
      {
        rule,
        severity: 'warning',
        path: '/spec/clusterIP',
        message: `Service ${name} governs StatefulSet ${set} and was not headless: it is created with clusterIP: None, so that the pods get names; clients reach the brokers by ${name} as before`,
        remedy: 'Nothing to do; or write clusterIP: None.',
        action: 'fixed',
      },
    ],
  };
}

const write = (spec: ServiceSpec, key: keyof ServiceSpec, value: unknown): PatchOperation => ({
  op: spec[key] === undefined ? 'add' : 'replace',
  path: `/spec/${key}`,
  value,
  rule,
});

function published(name: string, spec: ServiceSpec): ServiceOutcome {
  if (spec.publishNotReadyAddresses === true) return untouched;
  return {
    patch: [write(spec, 'publishNotReadyAddresses', true)],
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

/** Why a Service must keep an address of its own, and where that stands. */
interface Reason {
  path: string;
  message: string;
}

function notHeadless(name: string, set: string, reason: Reason | undefined): Finding {
  const message = `Service ${name} governs StatefulSet ${set} but is not headless: the pods get no DNS names of their own`;
  const common = { rule, severity: 'error', action: 'reported' } as const;
  if (reason === undefined)
    return {
      ...common,
      path: '/spec/clusterIP',
      message,
      remedy: 'Set clusterIP: None (a new Service: the field is immutable).',
    };
  return {
    ...common,
    path: reason.path,
    message: `${message}, and it cannot be made headless: ${reason.message}`,
    remedy: `Give this Service another name: serviceName of the StatefulSet is immutable, and kafka-warden makes the headless Service ${name} where there is none.`,
  };
}

/** What somebody asked of the Service that a headless one does not give: another kind of address, another port. */
function addressNeeded(spec: ServiceSpec, governed: readonly StatefulSet[]): Reason | undefined {
  const { type = 'ClusterIP', clusterIP = '', externalIPs = [], selector = {}, ports = [] } = spec;
  if (type !== 'ClusterIP') return { path: '/spec/type', message: `its type is ${type}` };
  if (clusterIP !== '') return { path: '/spec/clusterIP', message: `it asks for the address ${clusterIP}` };
  if (externalIPs.length > 0) return { path: '/spec/externalIPs', message: 'it has external addresses' };
  if (Object.keys(selector).length === 0) return { path: '/spec', message: 'it selects no pods' };
  const other = ports.findIndex((port) => !governed.every((set) => isSamePort(port, set)));
  if (other < 0) return undefined;
  return {
    path: `/spec/ports/${other}`,
    message: `its port ${ports[other]?.port} leads to another port of the pods`,
  };
}

type Port = NonNullable<ServiceSpec['ports']>[number];

/** Without an address of the Service, clients connect to the pod itself: on its port, not on the Service's. */
function isSamePort({ port, targetPort = port }: Port, set: StatefulSet): boolean {
  if (typeof targetPort === 'number') return targetPort === port;
  const ports = set.spec?.template?.spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  return ports.some(({ name, containerPort }) => name === targetPort && containerPort === port);
}

import { pointerTo } from '../../hardening/draft.ts';
import type { Broker } from '../brokers.ts';
import { coreDoc, type LintRule, type Said, type Scene } from '../scene.ts';
import { isHeadless, selectsPodsOf } from '../services.ts';
import { nameOf, textsAt, valueAt, type Subject } from '../subject.ts';

const publishes = ({ value }: Subject) =>
  valueAt(value, 'spec', 'publishNotReadyAddresses') === true ||
  textsAt(value, 'metadata', 'annotations')['service.alpha.kubernetes.io/tolerate-unready-endpoints'] ===
    'true';

function governing({ workload }: Broker, service: Subject): Said[] {
  const { name, kind } = workload;
  const own = nameOf(service);
  if (!isHeadless(service))
    return [
      {
        subject: service,
        path: '/spec/clusterIP',
        message: `Service ${own} governs ${kind} ${name} but is not headless: the pods get no DNS names of their own`,
        remedy: 'Set clusterIP: None (a new Service: the field is immutable).',
        severity: 'error',
      },
    ];
  if (!selectsPodsOf(service, workload))
    return [
      {
        subject: service,
        path: '/spec/selector',
        message: `Service ${own} governs ${kind} ${name}, but its selector does not select the pods: they get no DNS names`,
        remedy: `Write the labels of the pod template into the selector of ${own}.`,
        severity: 'error',
      },
    ];
  if (publishes(service)) return [];
  return [
    {
      subject: service,
      path: '/spec/publishNotReadyAddresses',
      message: `Service ${own} does not publish addresses of brokers that are not ready yet: they cannot find each other at the start`,
      remedy: 'Set publishNotReadyAddresses: true.',
      severity: 'warning',
    },
  ];
}

function missing(scene: Scene, { workload }: Broker, serviceName: string): Said[] {
  const { subject, namespace } = workload;
  const made = scene.layoutOf(subject) !== undefined;
  const services = scene.ofKind('Service').filter((s) => s.namespace === namespace);
  if (services.length === 0) return [];
  const meant = services.find((s) => isHeadless(s) && selectsPodsOf(s, workload));
  return [
    {
      subject,
      path: '/spec/serviceName',
      message: `serviceName ${serviceName} names no Service among these manifests: the pods get no DNS names`,
      remedy:
        meant === undefined
          ? `Add a headless Service ${serviceName}.`
          : `Write ${nameOf(meant)}, which is headless and selects the pods (a new StatefulSet: the field is immutable).`,
      severity: made ? 'info' : meant === undefined ? 'warning' : 'error',
      ...(made && {
        remedy: `Nothing to do where kafka-warden runs: the sidecar makes it; or add a headless Service ${serviceName}.`,
      }),
    },
  ];
}

/** Hosts of the form POD.SERVICE[.NAMESPACE[.svc…]], POD being a variable: names that only the governing Service gives. */
const podHost = /^\$[({][^)}]*[)}]\.([a-z][a-z0-9-]*)(\.(svc.*|\$.*|[a-z0-9-]+(\.svc.*)?))?$/;

function advertisedElsewhere({ workload, shape, index, configuration }: Broker, serviceName: string): Said[] {
  const value = configuration.property('advertised.listeners');
  if (!('from' in value)) return [];
  const wrong = shape.advertised
    .map(({ host }) => podHost.exec(host)?.[1])
    .find((s) => s !== undefined && s !== serviceName);
  if (wrong === undefined) return [];
  return [
    {
      subject: workload.subject,
      path: workload.pointer(pointerTo(index, value.from)),
      message: `advertised.listeners names pods below ${wrong}, but serviceName is ${serviceName}: such names do not exist`,
      remedy: `Advertise POD.${serviceName}.NAMESPACE.svc.`,
      severity: 'error',
    },
  ];
}

function check(scene: Scene, broker: Broker): Said[] {
  const { workload } = broker;
  const serviceName = workload.set.spec?.serviceName ?? '';
  if (workload.kind !== 'StatefulSet' || serviceName === '') return [];
  const service = scene
    .ofKind('Service')
    .find((s) => s.namespace === workload.namespace && nameOf(s) === serviceName);
  return [
    ...(service === undefined ? missing(scene, broker, serviceName) : governing(broker, service)),
    ...(broker.hardened ? [] : advertisedElsewhere(broker, serviceName)),
  ];
}

export const governingService: LintRule = {
  doc: coreDoc('service'),
  check: (scene) => scene.brokers.flatMap((broker) => check(scene, broker)),
};

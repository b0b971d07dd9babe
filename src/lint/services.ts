import { isPodOf } from '../hardening/cluster.ts';
import type { Broker } from './brokers.ts';
import type { Scene } from './scene.ts';
import { nameOf, objectsAt, selects, textAt, textsAt, valueAt, type Subject } from './subject.ts';
import type { Workload } from './workload.ts';

const podNameLabel = 'statefulset.kubernetes.io/pod-name';

/** True where a Service's selector selects pods of a workload, or one of its pods by name. */
export function selectsPodsOf(service: Subject, workload: Workload): boolean {
  if (service.namespace !== workload.namespace) return false;
  const { [podNameLabel]: pod, ...rest } = textsAt(service.value, 'spec', 'selector');
  if (pod === undefined) return selects(rest, workload.podLabels);
  const isOurs = workload.kind === 'StatefulSet' && isPodOf(pod, workload.name);
  return isOurs && (Object.keys(rest).length === 0 || selects(rest, workload.podLabels));
}

export const isHeadless = (service: Subject): boolean =>
  textAt(service.value, 'spec', 'clusterIP') === 'None';

/** A port of a Service and the container's port behind it. */
export interface ServicePort {
  index: number;
  name: string;
  port: number;
  target: number;
}

function targetOf(port: number, target: unknown, broker: Broker): number | undefined {
  if (target === undefined || target === '') return port;
  if (typeof target === 'number') return target;
  if (typeof target === 'string' && /^\d+$/.test(target)) return Number(target);
  const named = broker.workload.pod.containers.flatMap((c) => c.ports ?? []).find((p) => p.name === target);
  return named?.containerPort;
}

/** The ports of a Service as they lead to a broker. */
export const portsTo = (service: Subject, broker: Broker): ServicePort[] =>
  objectsAt(service.value, 'spec', 'ports').flatMap(([index, p]) => {
    const port = valueAt(p, 'port');
    if (typeof port !== 'number') return [];
    const target = targetOf(port, valueAt(p, 'targetPort'), broker);
    return target === undefined ? [] : [{ index, name: textAt(p, 'name') ?? '', port, target }];
  });

/** A way by which clients outside of the cluster reach a port of a broker. */
export interface Door {
  subject: Subject;
  path: string;
  /** `NodePort Service kafka-external`. */
  text: string;
  target: number;
  /** Only some may come: an internal load balancer, or one with source ranges. */
  narrow: boolean;
}

function opening(service: Subject): string | undefined {
  const type = textAt(service.value, 'spec', 'type');
  if (type === 'LoadBalancer' || type === 'NodePort') return type;
  return Array.isArray(valueAt(service.value, 'spec', 'externalIPs')) ? 'externalIPs of' : undefined;
}

const isNarrow = ({ value }: Subject): boolean =>
  Array.isArray(valueAt(value, 'spec', 'loadBalancerSourceRanges')) ||
  Object.entries(textsAt(value, 'metadata', 'annotations')).some(
    ([key, text]) => /internal/i.test(`${key} ${text}`) && text !== 'false' && text !== 'internet-facing',
  );

function doorsOfServices(scene: Scene, broker: Broker): Door[] {
  return scene
    .ofKind('Service')
    .filter((s) => selectsPodsOf(s, broker.workload))
    .flatMap((subject) => {
      const how = opening(subject);
      if (how === undefined) return [];
      const text = `${how} Service ${nameOf(subject)}`;
      return portsTo(subject, broker).map(({ index, target }) => ({
        subject,
        path: `/spec/ports/${index}`,
        text,
        target,
        narrow: isNarrow(subject),
      }));
    });
}

interface Backend {
  path: string;
  service: string;
  /** Number or name of the Service's port. */
  port: string;
}

const backendAt = (value: Parameters<typeof valueAt>[0], path: string): Backend[] => {
  const service = textAt(value, 'service', 'name') ?? textAt(value, 'serviceName');
  const port =
    valueAt(value, 'service', 'port', 'number') ??
    valueAt(value, 'service', 'port', 'name') ??
    valueAt(value, 'servicePort');
  if (service === undefined || (typeof port !== 'number' && typeof port !== 'string')) return [];
  return [{ path, service, port: String(port) }];
};

const backendsOf = ({ value }: Subject): Backend[] => [
  ...backendAt(valueAt(value, 'spec', 'defaultBackend'), '/spec/defaultBackend'),
  ...backendAt(valueAt(value, 'spec', 'backend'), '/spec/backend'),
  ...objectsAt(value, 'spec', 'rules').flatMap(([r, rule]) =>
    objectsAt(rule, 'http', 'paths').flatMap(([p, path]) =>
      backendAt(valueAt(path, 'backend'), `/spec/rules/${r}/http/paths/${p}/backend`),
    ),
  ),
];

/** What an ingress controller for TCP forwards: `"9094": "shop/kafka:9092"`. */
const forwarded = (subject: Subject): (Backend & { namespace: string })[] =>
  !/^(tcp-services|.*-tcp)$/.test(nameOf(subject))
    ? []
    : Object.entries(textsAt(subject.value, 'data')).flatMap(([key, text]) => {
        const [, namespace = '', service = '', port = ''] = /^([\w-]+)\/([\w-]+):([\w-]+)/.exec(text) ?? [];
        return service === '' ? [] : [{ path: `/data/${key}`, namespace, service, port }];
      });

function doorsOfIngresses(scene: Scene, broker: Broker): Door[] {
  const { namespace } = broker.workload;
  const ways = [
    ...scene
      .ofKind('Ingress')
      .filter((s) => s.namespace === namespace)
      .flatMap((subject) =>
        backendsOf(subject).map((backend) => ({ subject, backend, text: `Ingress ${nameOf(subject)}` })),
      ),
    ...scene.ofKind('ConfigMap').flatMap((subject) =>
      forwarded(subject)
        .filter((b) => b.namespace === namespace)
        .map((backend) => ({ subject, backend, text: `ConfigMap ${nameOf(subject)}` })),
    ),
  ];
  const services = scene.ofKind('Service').filter((s) => selectsPodsOf(s, broker.workload));
  return ways.flatMap(({ subject, backend, text }) =>
    services
      .filter((s) => nameOf(s) === backend.service)
      .flatMap((s) => portsTo(s, broker))
      .filter((p) => String(p.port) === backend.port || p.name === backend.port)
      .map(({ target }) => ({ subject, path: backend.path, text, target, narrow: false })),
  );
}

/** Every way from outside of the cluster to a broker's ports that the input shows. */
export const doorsTo = (scene: Scene, broker: Broker): Door[] => [
  ...doorsOfServices(scene, broker),
  ...doorsOfIngresses(scene, broker),
];

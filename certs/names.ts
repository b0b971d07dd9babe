import type { Subject } from './subject.ts';

/**
 * The subject that all brokers and controllers of a cluster share. One fixed name, so that `super.users`
 * never changes when a pod is added: the names in the certificates tell the pods apart.
 */
export const nodeSubject: Subject = { commonName: 'kafka-node', organization: 'kafka-warden' };

/** The subject of the warden, the second super user of each cluster. */
export const wardenSubject: Subject = { commonName: 'kafka-warden', organization: 'kafka-warden' };

/** What a node is reached by. Services are given by name; `bootstrap` are those that clients start from. */
export interface NodePlace {
  readonly pod: string;
  readonly service: string;
  readonly namespace: string;
  readonly clusterDomain?: string;
  readonly bootstrap?: string | readonly string[];
}

/**
 * The DNS names of one broker or controller, most specific first, without repetition: the pod's own, those of
 * its governing Service and of the bootstrap Services in every form that cluster DNS resolves, and
 * `localhost` for tools inside the container.
 */
export function nodeNames(place: NodePlace): string[] {
  const { pod, service, namespace, clusterDomain = 'cluster.local', bootstrap = [] } = place;
  const suffixes = ['', `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.${clusterDomain}`];
  const services = [`${pod}.${service}`, service, ...[bootstrap].flat()];
  const forms = services.flatMap((name) => suffixes.map((suffix) => name + suffix));
  return [...new Set([pod, ...forms, 'localhost'])];
}

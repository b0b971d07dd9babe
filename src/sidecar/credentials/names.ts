import { isIP } from 'node:net';
import { isDnsName, nodeNames } from '../../../certs/index.ts';
import { objectsOf } from '../../names.ts';
import { type ClusterSet, podLabels, podNames } from '../cluster-set.ts';
import { selectsLabels } from '../../kubernetes/labels.ts';
import type { Service } from '../objects.ts';
import type { NamedPod } from './keys.ts';

/** Pods to come for which certificates are issued ahead, so that a scale-out needs nobody. */
export const issuedAhead = 3;

/** Each pod of a set, present and to come, with every name and address that it is reached by. */
export function namedPods(
  set: ClusterSet,
  place: { namespace: string; services: readonly Service[] },
): NamedPod[] {
  const { namespace, services } = place;
  const own = objectsOf(set.layout.cluster).bootstrap;
  const others = services
    .filter(({ spec }) => spec?.selector !== undefined && Object.keys(spec.selector).length > 0)
    .filter(({ spec }) => selectsLabels(spec?.selector ?? {}, podLabels(set)))
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== set.layout.service && name !== own)
    .sort();
  const bootstrap = [own, ...others];
  return podNames(set, issuedAhead).map((pod) => {
    const hosts = (set.layout.hosts ?? []).map((host) => host.replaceAll('@pod', pod));
    const outside = hosts.filter((host) => isIP(host) === 0 && isDnsName(host));
    const ipAddresses = hosts.filter((host) => isIP(host) !== 0);
    return {
      pod,
      dnsNames: [...nodeNames({ pod, service: set.layout.service, namespace, bootstrap }), ...outside],
      ...(ipAddresses.length === 0 ? {} : { ipAddresses }),
    };
  });
}

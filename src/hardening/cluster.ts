import { keys } from '../names.ts';
import { literal, type Configuration } from './configuration.ts';
import type { Role, StatefulSet } from './model.ts';
import { isLocal, type Shape } from './shape.ts';

/** What tells which cluster a set belongs to, beside its label. */
export interface Membership {
  shape: Shape;
  configuration: Configuration;
  role: Role;
  namespace: string;
}

/** The cluster that a set says it belongs to by label or annotation. */
export const statedClusterOf = (set: StatefulSet): string | undefined =>
  set.metadata?.labels?.[keys.cluster] ?? set.metadata?.annotations?.[keys.cluster];

/**
 * The cluster a set belongs to: its label or annotation, else the set that the first voter names (in ZooKeeper mode the first
 * ZooKeeper host and the chroot), else its own name. Every set of a cluster writes these the same, so the name is the same on
 * all sides, in whichever order they are applied.
 */
export function clusterOf(set: StatefulSet, membership: Membership): string {
  const own = set.metadata?.name ?? '';
  const stated = statedClusterOf(set);
  if (stated !== undefined) return stated;
  if (membership.role === 'zookeeper') return zookeeperName(membership.configuration) ?? own;
  const [first] = membership.shape.voters ?? [];
  if (first === undefined || isLocal(first.host)) return own;
  return isPodOf(first.host, own) ? own : (setNamedBy(first.host, membership.namespace) ?? own);
}

/** True for `kafka-0`, `kafka-0.kafka`, … of the set `kafka`. */
export const isPodOf = (host: string, set: string): boolean => {
  const pod = host.split('.')[0] ?? '';
  return pod.startsWith(`${set}-`) && /^\d+$/.test(pod.slice(set.length + 1));
};

/** The set behind a host: of `POD.SERVICE…` the pod's, of a Service alone the Service's name. */
function setNamedBy(host: string, namespace: string): string | undefined {
  const [first = '', second] = host.split('.');
  if (!/^[a-z0-9-]+$/.test(first)) return undefined;
  const isService = second === undefined || second === namespace || second === 'svc';
  return isService ? first : first.replace(/-\d+$/, '');
}

function zookeeperName(configuration: Configuration): string | undefined {
  const connect = literal(configuration.property('zookeeper.connect'));
  const [servers = '', ...behind] = (connect ?? '').split('/');
  const host = /^[a-z0-9-]+/.exec(servers.trimStart())?.[0];
  const chroot = behind.join('/');
  if (host === undefined || chroot.includes('\n')) return undefined;
  const path = chroot
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  if (isLocal(host)) return undefined;
  const name = host.replace(/-\d+$/, '');
  return path === '' ? name : `${name}-${path}`;
}

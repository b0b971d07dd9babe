import type { LookupFunction } from 'node:net';
import { type Authority, type Leaf, issueLeaf, renewAt, wardenSubject } from '../../certs/index.ts';
import {
  type AdminOptions,
  type ClientTls,
  type KafkaAdmin,
  type KafkaControllers,
  KafkaError,
  connectAdmin,
  connectControllers,
} from '../kafka/index.ts';
import type { Log } from '../kubernetes/object.ts';
import type { NodesAuthority } from './credentials/index.ts';
import { addressOf, podNames, servingSets } from './cluster-set.ts';
import { quorumPlan } from './topology.ts';
import type { World } from './world.ts';

interface LinkOptions {
  readonly namespace: string;
  readonly world: () => World;
  readonly nodes: NodesAuthority;
  readonly now: () => Date;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly lookup?: LookupFunction | undefined;
  /** Where an answer that comes late is worth nothing. */
  readonly timeouts?: { readonly connectTimeoutMs: number; readonly requestTimeoutMs: number };
}

const leafLifetimeMs = 24 * 3_600_000;

/** The warden's client on INTERNAL. */
export function linkKafka(options: LinkOptions): KafkaAdmin {
  const { namespace, world } = options;
  return connectAdmin({
    ...commonOf(options),
    bootstrap: () =>
      servingSets(world().sets).flatMap((set) => {
        const present = new Set(world().pods.map(({ metadata }) => metadata.name));
        return podNames(set)
          .filter((pod) => present.has(pod))
          .map((pod) => `${addressOf(set, pod, namespace)}:${set.layout.internalPort}`);
      }),
  });
}

/** The warden's client on the listener of the controllers, the voters that the sets make up. There are none in ZooKeeper mode. */
export function linkControllers(options: LinkOptions): KafkaControllers {
  const { namespace, world } = options;
  const bootstrap = () => quorumPlan(world().sets, namespace).voters.map(({ address }) => address);
  return connectControllers({ ...commonOf(options), bootstrap });
}

function commonOf(options: LinkOptions): Omit<AdminOptions, 'bootstrap'> {
  return {
    tls: wardenTls(options),
    log: options.log,
    signal: options.signal,
    connectTimeoutMs: 3_000,
    ...options.timeouts,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  };
}

/**
 * The warden's own certificate is kept in memory only, lives a day and is issued again at two thirds of it, or when the
 * authority is another one; nobody else can be the warden without the authority's key.
 */
function wardenTls({ nodes, now: clock }: LinkOptions): () => ClientTls {
  let held: { leaf: Leaf; authority: Authority } | undefined;
  return () => {
    const authority = nodes.current;
    if (authority === undefined) {
      throw new KafkaError(
        'kafka-tls',
        'The authority of the nodes is not there, so the warden has no certificate',
      );
    }
    const now = clock();
    if (held?.authority.certificatePem !== authority.certificatePem || now >= renewAt(held.leaf)) {
      const request = {
        subject: wardenSubject,
        usages: ['client'],
        now,
        lifetimeMs: leafLifetimeMs,
      } as const;
      held = { leaf: issueLeaf(authority, request), authority };
    }
    const { chainPem, privateKeyPem } = held.leaf;
    return { caPem: authority.certificatePem, certificatePem: chainPem, privateKeyPem };
  };
}

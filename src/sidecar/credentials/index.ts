import type { Authority } from '../../../certs/index.ts';
import { ensure } from '../../kubernetes/apply.ts';
import { keysSecretOf, objectsOf } from '../../names.ts';
import { type ClusterSet, ownedBy } from '../cluster-set.ts';
import type { Finding } from '../conditions.ts';
import { type Context, type Report, tell } from '../context.ts';
import { farewellOf } from '../farewell/request.ts';
import type { ConfigMap, Secret } from '../objects.ts';
import { ownLabels, readSecret, writeSecret } from '../secrets.ts';
import { type AuthorityState, authority } from './authority.ts';
import type { Issued } from './issued.ts';
import { hastenPods } from './hasten.ts';
import { issuedAnnotation, keysContent, storeRenewAt } from './keys.ts';
import { publishLaunchers } from './launchers.ts';
import { namedPods } from './names.ts';
import { announceKeys } from './revision.ts';

/** What the rest of the sidecar takes from this duty: the authority that signs the warden's own certificate. */
export interface NodesAuthority {
  current: Authority | undefined;
}

/**
 * Authorities, launchers, the stores of every pod and what clients trust. Pods wait for these, so they come first and
 * need nothing but the API server.
 */
export async function reconcileCredentials(context: Context, nodes: NodesAuthority): Promise<Report> {
  const { cluster, namespace, kube } = context;
  const { sets } = context.world();
  await publishLaunchers(context);
  if (sets.length === 0) return { conditions: [] };
  const names = objectsOf(cluster);
  const states = [
    await authority(context, {
      name: names.authority,
      commonName: `${cluster} nodes`,
      inUse: () => anyKeys(context, sets),
    }),
    await authority(context, {
      name: names.clientsAuthority,
      commonName: `${cluster} clients`,
      inUse: async () => false,
    }),
  ];
  const [nodeState] = states;
  nodes.current = nodeState?.state === 'sound' ? nodeState.authority : undefined;
  const broken = states.filter((state) => state.state !== 'sound');
  for (const state of broken) await tellBroken(context, sets, state);
  if (nodes.current === undefined) return { conditions: [authoritiesFinding(states)] };

  const issued: { set: ClusterSet; issued: Issued }[] = [];
  for (const set of sets) issued.push({ set, issued: await reconcileKeys(context, set, nodes.current) });
  const trust: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: names.trust, namespace, labels: ownLabels(cluster), ownerReferences: ownedBy(sets) },
    data: { 'ca.crt': nodes.current.certificatePem },
  };
  await ensure(kube, trust);
  return {
    conditions: [authoritiesFinding(states)],
    facts: { certificates: certificateFacts(context, issued), authorities: authorityFacts(states) },
    againInMs: 60_000,
  };
}

/** Whether stores of an earlier authority exist: a new authority would cut the cluster in two. */
async function anyKeys(context: Context, sets: readonly ClusterSet[]): Promise<boolean> {
  for (const set of sets) {
    const secret = await readSecret(context.kube, context.namespace, keysSecretOf(set.name));
    if (secret?.data?.['nodes.p12'] !== undefined) return true;
  }
  return false;
}

async function reconcileKeys(context: Context, set: ClusterSet, signer: Authority): Promise<Issued> {
  const { kube, namespace, cluster } = context;
  const { services, kafkaCluster } = context.world();
  const name = keysSecretOf(set.name);
  const existing = await readSecret(kube, namespace, name);
  const content = keysContent(
    {
      authority: signer,
      name: `${namespace}/${name}`,
      pods: namedPods(set, { namespace, services }),
      now: context.now(),
      farewell: farewellOf(kafkaCluster),
    },
    existing,
  );
  const annotation = JSON.stringify(content.issued);
  const asRecorded = existing?.metadata.annotations?.[issuedAnnotation] === annotation;
  const same = existing !== undefined && asRecorded && sameData(existing.data, content.data);
  const { labels, annotations, ...metadata } = existing?.metadata ?? { name, namespace };
  const secret: Secret = same
    ? existing
    : await writeSecret(kube, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          ...metadata,
          labels: { ...labels, ...ownLabels(cluster) },
          annotations: { ...annotations, [issuedAnnotation]: annotation },
        },
        type: existing?.type ?? 'Opaque',
        data: content.data,
      });
  if (content.repaired.length > 0) await tellRepaired(context, set, content.repaired);
  if (content.changed.length > 0) {
    context.log.info({ event: 'keys-issued', secret: name, pods: content.changed }, 'issued certificates');
  }
  await announceKeys(context, set, secret);
  if (existing === undefined) await hastenPods(context, set);
  return content.issued;
}

const sameData = (held: Record<string, string> = {}, wanted: Record<string, string>): boolean =>
  Object.keys(held).length === Object.keys(wanted).length &&
  Object.entries(wanted).every(([key, value]) => held[key] === value);

async function tellRepaired(context: Context, set: ClusterSet, entries: readonly string[]): Promise<void> {
  const message = `Entries of Secret ${keysSecretOf(set.name)} were changed by somebody else and have been put right: ${entries.join(', ')}.`;
  context.log.warn({ event: 'keys-repaired', entries }, message);
  await tell(context, set.object, {
    type: 'Warning',
    reason: 'KeysRepaired',
    message,
    action: 'IssueCertificates',
  });
}

const remedies = {
  damaged:
    'Restore the Secret from a backup. Running brokers go on; no new certificate can be issued until then.',
  lost: 'Restore the Secret from a backup; or, to begin with a new authority, delete the keys Secrets and restart all pods of the cluster at the same time.',
} as const;

async function tellBroken(
  context: Context,
  sets: readonly ClusterSet[],
  state: Exclude<AuthorityState, { state: 'sound' }>,
): Promise<void> {
  const message = `${state.problem}. ${remedies[state.state]}`;
  for (const { object } of sets) {
    await tell(context, object, {
      type: 'Warning',
      reason: 'AuthorityUnusable',
      message,
      action: 'IssueCertificates',
    });
  }
}

function authoritiesFinding(states: readonly AuthorityState[]): Finding {
  const broken = states.find((state) => state.state !== 'sound');
  return broken === undefined
    ? {
        type: 'CertificatesIssued',
        status: 'True',
        reason: 'Issued',
        message: 'Every pod has its keystores.',
      }
    : {
        type: 'CertificatesIssued',
        status: 'False',
        reason: broken.state === 'lost' ? 'AuthorityLost' : 'AuthorityDamaged',
        message: `${broken.problem}. ${remedies[broken.state]}`,
      };
}

function certificateFacts(context: Context, issued: readonly { set: ClusterSet; issued: Issued }[]) {
  return issued.flatMap(({ set, issued: { pods } }) =>
    namedPods(set, { namespace: context.namespace, services: [] })
      .slice(0, set.replicas)
      .flatMap(({ pod }) => {
        const known = pods[pod];
        if (known === undefined) return [];
        return (
          [
            ['INTERNAL', known.node],
            ['CONTROLLER', known.controller],
          ] as const
        ).map(([store, facts]) => {
          context.metrics.certificateExpiry.set({ pod, store }, Date.parse(facts.notAfter) / 1_000);
          return { pod, store, notAfter: facts.notAfter, renewAt: storeRenewAt(facts).toISOString() };
        });
      }),
  );
}

const authorityFacts = (states: readonly AuthorityState[]) =>
  states.flatMap((state) =>
    state.state === 'sound' ? [{ name: state.name, notAfter: state.authority.notAfter.toISOString() }] : [],
  );

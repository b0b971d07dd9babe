import type { Authority } from '../../../certs/index.ts';
import { ensure } from '../../kubernetes/apply.ts';
import { keysSecretOf, objectsOf } from '../../names.ts';
import { type ClusterSet, ownedBy, readsPem, roleOf } from '../cluster-set.ts';
import type { Finding } from '../conditions.ts';
import { type Context, type Report, tell } from '../context.ts';
import { farewellOf } from '../farewell/request.ts';
import { type ConfigMap, type Secret, base64 } from '../objects.ts';
import { ownLabels, readSecret, writeSecret } from '../secrets.ts';
import { agreementFinding, intruders } from '../topology.ts';
import { type AuthorityState, authority } from './authority.ts';
import {
  type ClusterFacts,
  decideFacts,
  factsAnnotation,
  factsEdited,
  factsEntry,
  factsRecord,
  factsText,
  recordedFacts,
} from './facts.ts';
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

  const agreement = agreementFinding(sets, cluster, namespace);
  await tellDisagreement(context, sets, agreement);
  const held = await readKeys(context, sets);
  const { facts, againInMs = 60_000 } = decideFacts(sets, {
    namespace,
    recorded: held.flatMap(({ recorded }) => recorded ?? []),
    nowMs: context.now().getTime(),
  });
  const issued: { set: ClusterSet; issued: Issued }[] = [];
  const refused = intruders(sets);
  for (const one of held) {
    if (one.existing === undefined && refused.has(one.set.name)) continue;
    issued.push({
      set: one.set,
      issued: await reconcileKeys(context, one, { signer: nodes.current, facts }),
    });
  }
  const trust: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: names.trust, namespace, labels: ownLabels(cluster), ownerReferences: ownedBy(sets) },
    data: { 'ca.crt': nodes.current.certificatePem },
  };
  await ensure(kube, trust);
  return {
    conditions: [authoritiesFinding(states), agreement],
    facts: { certificates: certificateFacts(context, issued), authorities: authorityFacts(states) },
    againInMs,
  };
}

/** Missing voters are told by the brokers that wait for them; what no later StatefulSet puts right, by an event. */
async function tellDisagreement(
  context: Context,
  sets: readonly ClusterSet[],
  { status, reason, message }: Finding,
): Promise<void> {
  if (status !== 'False' || reason === 'VotersMissing') return;
  for (const { object } of sets)
    await tell(context, object, { type: 'Warning', reason, message, action: 'CompareSets' });
}

/** Whether stores of an earlier authority exist: a new authority would cut the cluster in two. */
async function anyKeys(context: Context, sets: readonly ClusterSet[]): Promise<boolean> {
  for (const set of sets) {
    const secret = await readSecret(context.kube, context.namespace, keysSecretOf(set.name));
    if (secret?.data?.['nodes.p12'] !== undefined) return true;
  }
  return false;
}

/** A set with its keys Secret as it was read. */
interface SetKeys {
  readonly set: ClusterSet;
  readonly existing: Secret | undefined;
  readonly recorded: ClusterFacts | undefined;
}

async function readKeys(context: Context, sets: readonly ClusterSet[]): Promise<SetKeys[]> {
  const known: SetKeys[] = [];
  for (const set of sets) {
    const existing = await readSecret(context.kube, context.namespace, keysSecretOf(set.name));
    known.push({ set, existing, recorded: recordedFacts(set, existing) });
  }
  return known;
}

async function reconcileKeys(
  context: Context,
  { set, existing, recorded }: SetKeys,
  { signer, facts }: { signer: Authority; facts: ClusterFacts | undefined },
): Promise<Issued> {
  const { kube, namespace, cluster } = context;
  const { services, kafkaCluster } = context.world();
  const name = keysSecretOf(set.name);
  const content = keysContent(
    {
      authority: signer,
      name: `${namespace}/${name}`,
      pods: namedPods(set, { namespace, services }),
      pem: readsPem(set),
      now: context.now(),
      farewell: farewellOf(kafkaCluster),
    },
    existing,
  );
  const wanted: Pick<Secret, 'data' | 'metadata'> = {
    data: { ...content.data, ...(facts && { [factsEntry]: base64(factsText(facts)) }) },
    metadata: {
      labels: ownLabels(cluster),
      annotations: {
        [issuedAnnotation]: JSON.stringify(content.issued),
        ...(facts && { [factsAnnotation]: factsRecord(set, facts) }),
      },
    },
  };
  const same = existing !== undefined && isAsWanted(existing, wanted);
  const { labels, annotations, ...metadata } = existing?.metadata ?? { name, namespace };
  const secret: Secret = same
    ? existing
    : await writeSecret(kube, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          ...metadata,
          labels: { ...labels, ...wanted.metadata.labels },
          annotations: { ...annotations, ...wanted.metadata.annotations },
        },
        type: existing?.type ?? 'Opaque',
        ...(wanted.data && { data: wanted.data }),
      });
  const repaired = [...content.repaired, ...(factsEdited(existing, recorded) ? [factsEntry] : [])];
  if (repaired.length > 0) await tellRepaired(context, set, repaired);
  if (content.changed.length > 0) {
    context.log.info({ event: 'keys-issued', secret: name, pods: content.changed }, 'issued certificates');
  }
  await announceKeys(context, set, secret);
  if (existing === undefined) await hastenPods(context, set);
  return content.issued;
}

function isAsWanted(existing: Secret, { data, metadata }: Pick<Secret, 'data' | 'metadata'>): boolean {
  const annotations = existing.metadata.annotations ?? {};
  const recorded = Object.entries(metadata.annotations ?? {}).every(
    ([key, text]) => annotations[key] === text,
  );
  return recorded && sameData(existing.data, data ?? {});
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

/** The stores that a set's processes use: controllers have no INTERNAL listener, ZooKeeper mode has no Raft client. */
function storesOf(set: ClusterSet): ('INTERNAL' | 'CONTROLLER')[] {
  if (roleOf(set) === 'controller') return ['CONTROLLER'];
  return roleOf(set) === 'zookeeper' ? ['INTERNAL'] : ['INTERNAL', 'CONTROLLER'];
}

function certificateFacts(context: Context, issued: readonly { set: ClusterSet; issued: Issued }[]) {
  return issued.flatMap(({ set, issued: { pods } }) =>
    namedPods(set, { namespace: context.namespace, services: [] })
      .slice(0, set.replicas)
      .flatMap(({ pod }) => {
        const known = pods[pod];
        if (known === undefined) return [];
        return storesOf(set).map((store) => {
          const facts = store === 'INTERNAL' ? known.node : known.controller;
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

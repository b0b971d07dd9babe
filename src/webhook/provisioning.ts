import type { StatefulSet } from '../hardening/model.ts';
import { ensure } from '../kubernetes/apply.ts';
import { ApiError, isStatus, type Kube } from '../kubernetes/client.ts';
import { recordEvent } from '../kubernetes/events.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { KubeObject, Log } from '../kubernetes/object.ts';
import { pathOf } from '../kubernetes/paths.ts';
import { clientAuthorities } from './client-identity.ts';
import { clustersOf, madeFor, type KafkaCluster } from './clusters.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { Secret } from './serving-secret.ts';
import { sidecarObjects, type SidecarSettings } from './sidecar-manifests.ts';
import { changesOf } from './wakeups.ts';

export interface ProvisioningSources {
  /** Enrolled ones only. */
  namespaces: Informer<KubeObject>;
  sets: Informer<StatefulSet>;
  /** What was made for sidecars: Deployments, ServiceAccounts, RoleBindings, NetworkPolicies. */
  made: readonly Informer<KubeObject>[];
  /** The webhook's client certificate, of which sidecars are told. */
  identity: Informer<Secret>;
}

export interface ProvisioningOptions {
  settings: Omit<SidecarSettings, 'webhookAuthorities'>;
  metrics: WebhookMetrics;
  log: Log;
  signal: AbortSignal;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

const resyncMs = 60_000;

/** Why a Deployment does not get its pod running, in the words of its controller. */
function failureOf(deployment: KubeObject): string | undefined {
  const { status } = deployment as { status?: { conditions?: Condition[] } };
  const failed = status?.conditions?.find(
    ({ type, status: value, reason }) =>
      (type === 'ReplicaFailure' && value === 'True') ||
      (type === 'Progressing' && reason === 'ProgressDeadlineExceeded'),
  );
  return failed && `${failed.reason ?? failed.type}: ${failed.message ?? 'no message'}`;
}

/**
 * The Lease holder's care for the sidecars: one for each hardened cluster of an enrolled namespace, made, repaired when
 * edited or deleted, and removed when its cluster is no longer ours. Level-triggered: every round compares what is with
 * what should be. Runs until the signal aborts.
 */
export async function provision(
  kube: Kube,
  sources: ProvisioningSources,
  { settings, metrics, log, signal }: ProvisioningOptions,
): Promise<void> {
  const namespaceClosed = (namespace: string) =>
    sources.namespaces.get(undefined, namespace)?.metadata?.deletionTimestamp !== undefined;

  function tell(cluster: KafkaCluster, message: string): Promise<unknown> {
    return Promise.all(
      cluster.sets.map((set) =>
        recordEvent(kube, {
          regarding: { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: set.metadata ?? {} },
          type: 'Warning',
          reason: 'SidecarNotRunning',
          message: `The sidecar of Kafka cluster ${cluster.cluster} does not run; brokers wait for their certificates until it does. ${message}`,
          action: 'StartSidecar',
          reporter: 'webhook',
        }),
      ),
    );
  }

  async function make(cluster: KafkaCluster, webhookAuthorities: string): Promise<void> {
    const { namespace, cluster: name } = cluster;
    try {
      for (const wanted of sidecarObjects(cluster, { ...settings, webhookAuthorities })) {
        const { result, object } = await ensure(kube, wanted);
        const fields = { namespace, cluster: name, kind: wanted.kind };
        if (result !== 'unchanged')
          log.info({ ...fields, result }, 'an object of a sidecar was brought to form');
        const failure = failureOf(object);
        if (failure) await tell(cluster, failure);
      }
    } catch (error) {
      // A namespace that began to end after the list was read refuses new objects.
      if (isStatus(error, 403, 404) && namespaceClosed(namespace)) return;
      log.error({ namespace, cluster: name, err: error }, 'a sidecar could not be provided');
      if (error instanceof ApiError) await tell(cluster, error.message);
    }
  }

  async function drop(object: KubeObject): Promise<void> {
    const { namespace, name, uid } = object.metadata ?? {};
    const fields = { namespace, name, kind: object.kind };
    try {
      const preconditions = uid === undefined ? {} : { uid };
      await kube.remove(pathOf(object), { preconditions, propagationPolicy: 'Background' });
      log.info(fields, 'an object of a sidecar that is no longer needed was removed');
    } catch (error) {
      if (!isStatus(error, 409)) log.error({ ...fields, err: error }, 'a leftover could not be removed');
    }
  }

  /** Objects of clusters that are no longer ours. A dying namespace takes its own along. */
  function leftovers(wanted: ReadonlyMap<string, KafkaCluster>): KubeObject[] {
    return sources.made
      .flatMap((informer) => informer.list())
      .filter((object) => {
        const key = madeFor(object);
        const { deletionTimestamp, namespace } = object.metadata ?? {};
        return (
          key !== undefined && !wanted.has(key) && !deletionTimestamp && !namespaceClosed(namespace ?? '')
        );
      });
  }

  const watched = [sources.namespaces, sources.sets, sources.identity, ...sources.made];
  for await (const _ of changesOf(watched, { atLeastEveryMs: resyncMs, signal, settleMs: 200 })) {
    const wanted = clustersOf(sources.namespaces.list(), sources.sets.list());
    metrics.sidecars.set(wanted.size);
    // Made without it, every sidecar would start twice.
    const authorities = clientAuthorities(sources.identity);
    for (const cluster of wanted.values()) {
      if (signal.aborted) return;
      if (authorities !== undefined) await make(cluster, authorities);
    }
    for (const object of leftovers(wanted)) {
      if (signal.aborted) return;
      await drop(object);
    }
  }
}

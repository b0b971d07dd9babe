import type { StatefulSet } from '../hardening/model.ts';
import type { Kube } from '../kubernetes/client.ts';
import { informer, type Informer } from '../kubernetes/informer.ts';
import type { KubeObject, Log } from '../kubernetes/object.ts';
import { paths } from '../kubernetes/paths.ts';
import { keys } from '../names.ts';
import type { WebhookConfiguration } from './injection.ts';
import type { Secret } from './serving-secret.ts';
import { installation } from './settings.ts';
import { sidecarSelector } from './sidecar-manifests.ts';
import type { SidecarService } from './sidecar-client.ts';
import {
  trimCluster,
  trimNode,
  trimPod,
  trimStatefulSet,
  type Node,
  type Pod,
  type SizedCluster,
} from './trimmed.ts';

/** Every watch of the webhook. All replicas run them: reviews need some, and a successor has the rest at hand. */
export function webhookInformers(kube: Kube, namespace: string, log: Log) {
  const own = (name: string) => ({ fieldSelector: `metadata.name=${name}`, log });
  const made = (path: string) => informer<KubeObject>(kube, { path, labelSelector: sidecarSelector, log });
  const secret = (name: string) => informer<Secret>(kube, { path: paths.secrets(namespace), ...own(name) });
  const configurations = (path: string) =>
    informer<WebhookConfiguration>(kube, { path, ...own(installation.name) });
  return {
    namespaces: informer<KubeObject>(kube, {
      path: paths.namespaces(),
      labelSelector: `${keys.enroll}=true`,
      log,
    }),
    statefulsets: informer<StatefulSet>(kube, { path: paths.statefulsets(), log, trim: trimStatefulSet }),
    nodes: informer<Node>(kube, { path: paths.nodes(), log, trim: trimNode }),
    /** What their sidecars tell. */
    clusters: informer<SizedCluster>(kube, { path: paths.kafkaclusters(), log, trim: trimCluster }),
    /** Brokers and controllers. */
    pods: informer<Pod>(kube, { path: paths.pods(), labelSelector: keys.node, log, trim: trimPod }),
    servingSecret: secret(installation.servingSecret),
    clientSecret: secret(installation.clientSecret),
    mutating: configurations(paths.mutatingwebhookconfigurations()),
    validating: configurations(paths.validatingwebhookconfigurations()),
    deployments: made(paths.deployments()),
    serviceaccounts: made(paths.serviceaccounts()),
    rolebindings: made(paths.rolebindings()),
    networkpolicies: made(paths.networkpolicies()),
    /** Those of the sidecars, made by themselves: each says which key it serves with. */
    services: informer<SidecarService>(kube, {
      path: paths.services(),
      labelSelector: sidecarSelector,
      log,
    }),
  };
}

export type WebhookInformers = ReturnType<typeof webhookInformers>;

/** Without these reviews are answered as well, with less known: their CRD may not be there. */
const dispensable: readonly string[] = ['clusters'];

/** Starts all of them; resolves when each that is needed has its first list. */
export async function startInformers(
  informers: Readonly<Record<string, Pick<Informer<unknown>, 'start' | 'synced'>>>,
  signal: AbortSignal,
): Promise<void> {
  for (const one of Object.values(informers)) one.start(signal);
  const needed = Object.entries(informers).filter(([name]) => !dispensable.includes(name));
  await Promise.all(needed.map(([, { synced }]) => synced));
}

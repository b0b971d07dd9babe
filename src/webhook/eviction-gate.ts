import type { Kube } from '../kubernetes/client.ts';
import { recordEvent, type EventDetails } from '../kubernetes/events.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { KubeObject, Log } from '../kubernetes/object.ts';
import { paths } from '../kubernetes/paths.ts';
import { objectsOf } from '../names.ts';
import type { EvictionAnswer, EvictionQuestion } from '../sidecar/api/eviction.ts';
import { clientCertificate } from './client-identity.ts';
import { evictionLoops } from './eviction-loops.ts';
import { inTime } from '../in-time.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { Secret } from './serving-secret.ts';
import { SidecarError, addressOf, askSidecar, type SidecarService } from './sidecar-client.ts';
import { SidecarConnections } from './sidecar-connections.ts';
import type { Node, Pod } from './trimmed.ts';

/** What an eviction's review may ask, and what it may have done. */
export interface EvictionGate {
  /** The pod as it is known by a watch, or else read; undefined where there is none. Rejects where nobody knows. */
  podOf(namespace: string, name: string): Promise<Pod | undefined>;
  /** The pod as the API server has it now. */
  readPod(namespace: string, name: string): Promise<Pod | undefined>;
  nodeOf(name: string): Node | undefined;
  namespaceEnds(namespace: string): boolean;
  /** Whether the cluster has a sidecar that could be asked. */
  hasSidecar(namespace: string, cluster: string): boolean;
  /** Rejects with `SidecarError`. */
  ask(place: { namespace: string; cluster: string }, question: EvictionQuestion): Promise<EvictionAnswer>;
  /** Evictions lately from nodes that nobody wants empty. */
  recentEvictions(namespace: string, pod: string): number;
  tell(pod: Pod, event: Pick<EventDetails, 'type' | 'reason' | 'message'>): void;
  countOverride(place: { namespace: string; cluster: string }): void;
}

const readingMs = 1_000;
/** Watches are heard about every minute; what one that is quiet for longer knows is looked up. */
const staleMs = 90_000;

export interface EvictionSources {
  pods: Pick<Informer<Pod>, 'get' | 'ageMs' | 'onChange'>;
  nodes: Pick<Informer<Node>, 'get'>;
  namespaces: Pick<Informer<KubeObject>, 'get'>;
  deployments: Pick<Informer<KubeObject>, 'get'>;
  services: Pick<Informer<SidecarService>, 'get'>;
  clientSecret: Pick<Informer<Secret>, 'list'>;
}

/** The gate as the cluster's informers, the API server and the sidecars make it. */
export function evictionGate(
  kube: Kube,
  sources: EvictionSources,
  { metrics, log }: { metrics: WebhookMetrics; log: Log },
): EvictionGate {
  const { pods, nodes, namespaces, deployments, services, clientSecret } = sources;
  const nodeOf = (name: string) => nodes.get(undefined, name);
  const loops = evictionLoops(pods, nodeOf);
  const connections = new SidecarConnections();
  const readPod = (namespace: string, name: string) =>
    inTime(kube.tryGet<Pod>(paths.pods(namespace, name)), readingMs);

  async function ask(
    { namespace, cluster }: { namespace: string; cluster: string },
    question: EvictionQuestion,
  ): Promise<EvictionAnswer> {
    const address = addressOf(services.get(namespace, objectsOf(cluster).warden), cluster);
    if (!address) throw new SidecarError('sidecar-away', 'its Service names no key yet');
    const identity = clientCertificate(clientSecret);
    if (!identity) throw new SidecarError('sidecar-refuses', 'the webhook has no certificate yet');
    const stop = metrics.sidecarAnswer.startTimer();
    try {
      const answer = await askSidecar(address, question, { identity, connections });
      stop({ result: answer.verdict });
      return answer;
    } catch (error) {
      const result = error instanceof SidecarError ? error.code : 'failed';
      stop({ result });
      log.warn({ namespace, cluster, pod: question.pod, result, err: error }, 'a sidecar gave no answer');
      throw error;
    }
  }

  return {
    podOf: async (namespace, name) =>
      (pods.ageMs() < staleMs ? pods.get(namespace, name) : undefined) ?? (await readPod(namespace, name)),
    readPod,
    nodeOf,
    namespaceEnds: (namespace) =>
      namespaces.get(undefined, namespace)?.metadata?.deletionTimestamp !== undefined,
    hasSidecar: (namespace, cluster) => deployments.get(namespace, objectsOf(cluster).warden) !== undefined,
    ask,
    recentEvictions: (namespace, pod) => loops.recent(namespace, pod),
    tell: (pod, event) =>
      void recordEvent(kube, {
        ...event,
        regarding: { ...pod, apiVersion: 'v1', kind: 'Pod' },
        action: 'ReviewEviction',
        reporter: 'webhook',
      }),
    countOverride: ({ namespace, cluster }) => metrics.overrides.inc({ namespace, cluster }),
  };
}

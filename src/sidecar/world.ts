import { type Informer, informer } from '../kubernetes/informer.ts';
import type { Kube } from '../kubernetes/client.ts';
import type { KubeObject, Log } from '../kubernetes/object.ts';
import { paths } from '../kubernetes/paths.ts';
import { managedBy } from '../names.ts';
import { type ClusterSet, nodeSelector, setsOf } from './cluster-set.ts';
import type { Budget, Claim, Pod, Service, StatefulSet } from './objects.ts';
import type { KafkaCluster } from './status/kafka-cluster.ts';
import type { KafkaRebalance } from './rebalance/kafka-rebalance.ts';
import type { KafkaUser } from './users/kafka-user.ts';

/** What the namespace holds of the cluster, as the informers know it. Nothing in it may be changed. */
export interface World {
  readonly sets: readonly ClusterSet[];
  readonly pods: readonly Pod[];
  readonly claims: readonly Claim[];
  readonly services: readonly Service[];
  readonly budgets: readonly Budget[];
  /** Undefined until the first list is in, which never comes while the CRD is not installed. */
  readonly users: readonly KafkaUser[] | undefined;
  /** Likewise. */
  readonly rebalances: readonly KafkaRebalance[] | undefined;
  readonly kafkaCluster: KafkaCluster | undefined;
}

/** What a change was about. */
export type Kind =
  | 'sets'
  | 'pods'
  | 'claims'
  | 'services'
  | 'budgets'
  | 'secrets'
  | 'configMaps'
  | 'users'
  | 'rebalances'
  | 'clusters';

export interface WorldSource {
  current(): World;
  /** Resolves when everything but kafka-warden's own kinds has been listed. */
  readonly synced: Promise<void>;
  onChange(listener: (kind: Kind) => void): () => void;
  start(signal: AbortSignal): void;
  /** Milliseconds since the API server was last heard by the quietest informer. */
  ageMs(): number;
}

interface Place {
  readonly namespace: string;
  readonly cluster: string;
  readonly log: Log;
}

const selectorText = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

/** Watches the namespace. Secrets are told by their changes only; their content is read where it is needed. */
export function watchWorld(kube: Kube, { namespace, cluster, log }: Place): WorldSource {
  const of = <T extends KubeObject>(
    path: string,
    options: { labelSelector?: string; fieldSelector?: string } = {},
  ) => informer<T>(kube, { path, log, ...options });
  const sets = of<StatefulSet>(paths.statefulsets(namespace));
  const pods = of<Pod>(paths.pods(namespace), { labelSelector: selectorText(nodeSelector(cluster)) });
  const claims = of<Claim>(paths.persistentvolumeclaims(namespace));
  const services = of<Service>(paths.services(namespace));
  const budgets = of<Budget>(paths.poddisruptionbudgets(namespace));
  const ours = { labelSelector: selectorText(managedBy) };
  const secrets = informer<KubeObject>(kube, {
    path: paths.secrets(namespace),
    log,
    ...ours,
    trim: metadataOnly,
  });
  const configMaps = informer<KubeObject>(kube, {
    path: paths.configmaps(namespace),
    log,
    ...ours,
    trim: metadataOnly,
  });
  const users = of<KafkaUser>(paths.kafkausers(namespace));
  const rebalances = of<KafkaRebalance>(paths.kafkarebalances(namespace));
  const clusters = of<KafkaCluster>(paths.kafkaclusters(namespace), {
    fieldSelector: `metadata.name=${cluster}`,
  });
  const core = { sets, pods, claims, services, budgets, secrets, configMaps };
  const all: Record<Kind, Pick<Informer<KubeObject>, 'start' | 'ageMs' | 'synced'> & Listened> = {
    ...core,
    users,
    rebalances,
    clusters,
  };
  const known = { users: false, rebalances: false };
  void users.synced.then(() => (known.users = true));
  void rebalances.synced.then(() => (known.rebalances = true));

  return {
    current: () => ({
      sets: setsOf(cluster, sets.list()),
      pods: pods.list(),
      claims: claims.list(),
      services: services.list(),
      budgets: budgets.list(),
      users: known.users ? users.list().filter(({ spec }) => spec.cluster === cluster) : undefined,
      rebalances: known.rebalances
        ? rebalances.list().filter(({ spec }) => spec.cluster === cluster)
        : undefined,
      kafkaCluster: clusters.get(namespace, cluster),
    }),
    synced: Promise.all(Object.values(core).map(({ synced }) => synced)).then(() => undefined),
    onChange(listener) {
      const kinds = Object.keys(all) as Kind[];
      const ends = kinds.map((kind) => all[kind].onChange(() => listener(kind)));
      void users.synced.then(() => listener('users'));
      void rebalances.synced.then(() => listener('rebalances'));
      return () => ends.forEach((end) => end());
    },
    start: (signal) => Object.values(all).forEach((one) => one.start(signal)),
    ageMs: () => Math.max(...Object.values(core).map((one) => one.ageMs())),
  };
}

interface Listened {
  onChange(listener: () => void): () => void;
}

/** Keeps what tells that something changed, and no content. */
function metadataOnly(object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = object.metadata ?? {};
  return {
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

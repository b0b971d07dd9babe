import { layoutOf } from '../../hardening/index.ts';
import { isStatus, type Kube } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import { type ClusterSet, setsOf } from '../../sidecar/cluster-set.ts';
import type { Pod, StatefulSet } from '../../sidecar/objects.ts';
import type { KafkaCluster } from '../../sidecar/status/kafka-cluster.ts';
import { asking } from '../cluster-access.ts';
import { CliError } from '../errors.ts';

/** A running cluster as the API server tells of it. */
export interface SeenCluster {
  readonly kafkaCluster: KafkaCluster;
  readonly sets: readonly ClusterSet[];
  readonly pods: readonly Pod[];
}

const notInstalled = new CliError(
  'not-installed',
  'The API server knows no KafkaCluster: kafka-warden is not installed in this cluster (install its Helm chart).',
);

/** Throws `CliError` `not-found` where there is none of that name, and says which there are. */
export const readCluster = (kube: Kube, namespace: string, name: string): Promise<SeenCluster> =>
  asking('read KafkaClusters, StatefulSets and pods', async () => {
    const clusters = await kube.list<KafkaCluster>(paths.kafkaclusters(namespace)).catch((error: unknown) => {
      throw isStatus(error, 404) ? notInstalled : error;
    });
    const kafkaCluster = clusters.find(({ metadata }) => metadata.name === name);
    if (kafkaCluster === undefined) {
      const known = clusters.map(({ metadata }) => metadata.name).join(', ');
      throw new CliError(
        'not-found',
        `There is no cluster ${name} in the namespace ${namespace}. Known: ${known || 'none'}.`,
      );
    }
    const sets = await kube.list<StatefulSet>(paths.statefulsets(namespace));
    const labelSelector = `${keys.node}=${name}`;
    const pods = await kube.list<Pod>(paths.pods(namespace), { labelSelector });
    const hardened = sets.filter((set) =>
      layoutOf({ metadata: { annotations: set.metadata.annotations ?? {} } }),
    );
    return { kafkaCluster, sets: setsOf(name, hardened), pods };
  });

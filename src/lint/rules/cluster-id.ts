import { literal } from '../../hardening/configuration.ts';
import { pointerTo } from '../../hardening/draft.ts';
import type { Broker } from '../brokers.ts';
import type { LintRule, Said } from '../scene.ts';

function idOf({ profile, configuration }: Broker): { id: string; from: string } | undefined {
  for (const name of profile.clusterIdVariables) {
    const value = configuration.variable(name);
    const id = literal(value);
    if (id !== undefined && 'from' in value) return { id, from: value.from };
  }
  return undefined;
}

export const clusterId: LintRule = {
  doc: {
    id: 'cluster-id',
    title: 'One cluster id in all StatefulSets of a cluster',
    why: 'A node whose disk was formatted with another cluster id is refused by the quorum (INCONSISTENT_CLUSTER_ID) and never joins; after that the disk has to be formatted anew.',
    remedy: 'Write the same CLUSTER_ID into all of them; what is formatted already decides which.',
    severity: 'error',
  },
  check: ({ brokers }) =>
    brokers.flatMap((broker, i): Said[] => {
      const { workload, cluster, index } = broker;
      const own = idOf(broker);
      if (own === undefined) return [];
      const other = brokers
        .slice(0, i)
        .find(
          (b) =>
            b.cluster === cluster &&
            b.workload.namespace === workload.namespace &&
            b.workload.name !== workload.name &&
            idOf(b) !== undefined,
        );
      const theirs = other === undefined ? undefined : idOf(other);
      if (other === undefined || theirs === undefined || theirs.id === own.id) return [];
      return [
        {
          subject: workload.subject,
          path: workload.pointer(pointerTo(index, own.from)),
          message: `the cluster id is ${own.id}, but ${other.workload.name} of the same cluster (${cluster}) has ${theirs.id}`,
        },
      ];
    }),
};

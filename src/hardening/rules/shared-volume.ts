import type { Rule } from '../draft.ts';
import type { PodSpec } from '../model.ts';
import type { Observed } from './observed.ts';

/** True where two pods of the template never run on one node. */
function isOnePerNode(pod: PodSpec): boolean {
  const terms = pod.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return pod.hostNetwork === true || terms.some((t) => t.topologyKey === 'kubernetes.io/hostname');
}

/** A host directory that holds data: what only configures or observes the node does not. */
const systemPath = /^\/(etc|proc|sys|dev|var\/run|run|usr|lib)(\/|$)/;

export const sharedVolume: Rule = {
  id: 'shared-volume',
  title: 'A volume for each broker',
  why: "Two brokers that write one directory destroy each other's logs; Kafka locks a log directory, so the second one does not even start.",
  remedy: 'Use a volumeClaimTemplate: it makes a claim for each pod.',
  severity: 'error',
  since: 1,
  apply({ pod, set, container, report }: Observed) {
    if ((set.spec?.replicas ?? 1) < 2 || isOnePerNode(pod)) return;
    for (const [i, volume] of (pod.volumes ?? []).entries()) {
      const path = volume.hostPath?.path;
      const mount = container.volumeMounts?.find((m) => m.name === volume.name);
      if (path === undefined || mount === undefined || mount.readOnly === true || systemPath.test(path))
        continue;
      if (mount.subPathExpr !== undefined) continue;
      report({
        path: `/spec/template/spec/volumes/${i}/hostPath`,
        message: `all replicas that run on one node share its directory ${path}`,
        remedy:
          'Use a volumeClaimTemplate; or keep the pods on different nodes (required anti-affinity), or give each its own directory (subPathExpr: $(POD_NAME)).',
      });
    }
  },
};

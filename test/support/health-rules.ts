import type { StatefulSet } from '../../src/sidecar/objects.ts';

/**
 * Whether a StatefulSet counts as rolled out, by the published rules of those who wait for one. Sources: kubectl
 * `pkg/polymorphichelpers/rollout_status.go`, Helm 3 `pkg/kube/ready.go`, Argo CD's gitops-engine
 * `pkg/health/health_statefulset.go`, Flux's kstatus `pkg/status/core.go`.
 */
export const rolledOut: Readonly<
  Record<'kubectl' | 'helm' | 'argo' | 'flux', (set: StatefulSet) => boolean>
> = {
  kubectl: (set) => {
    const { observed, ready, updated, replicas, partition, current, update } = figures(set);
    if (!observed || ready < replicas) return false;
    if (partition !== undefined && partition > 0) return updated >= replicas - partition;
    return update === current;
  },
  helm: (set) => {
    const { observed, ready, updated, replicas, partition = 0, current, update } = figures(set);
    if (!observed || updated < replicas - partition || ready !== replicas) return false;
    return partition > 0 || update === current;
  },
  argo: (set) => {
    const { observed, ready, updated, replicas, partition, current, update } = figures(set);
    if (!observed || ready < replicas) return false;
    if (partition !== undefined) return updated >= replicas - partition;
    return update === current;
  },
  flux: (set) => {
    const { observed, made, ready, updated, currentReplicas, replicas, partition, current, update } =
      figures(set);
    if (!observed || replicas > made || replicas > ready) return false;
    if (partition !== undefined) return updated >= replicas - partition;
    return currentReplicas >= replicas && update === current;
  },
};

function figures({ metadata, spec, status }: StatefulSet) {
  const { observedGeneration = 0, replicas: made = 0, readyReplicas: ready = 0 } = status ?? {};
  const { updatedReplicas: updated = 0, currentReplicas = 0 } = status ?? {};
  const { currentRevision: current, updateRevision: update } = status ?? {};
  return {
    observed: observedGeneration >= (metadata.generation ?? 0),
    replicas: spec?.replicas ?? 1,
    partition: spec?.updateStrategy?.rollingUpdate?.partition,
    ...{ made, ready, updated, currentReplicas, current, update },
  };
}

import { pointerTo } from '../../hardening/draft.ts';
import type { Broker } from '../brokers.ts';
import type { LintRule, Said, Scene } from '../scene.ts';

/** Node ids of a workload's pods in order, as its manifest gives them; undefined where only the start knows. */
export function nodeIdsOf({ shape, workload }: Broker): number[] | undefined {
  const first = workload.set.spec?.ordinals?.start ?? 0;
  if (shape.nodeId !== undefined) return workload.replicas === 1 ? [shape.nodeId] : undefined;
  const { idShift } = shape;
  if (idShift === undefined) return undefined;
  return Array.from({ length: workload.replicas }, (_, i) => first + i + idShift);
}

/** Ids that admission gives where it hardens the set: they follow from the layout, whatever the manifest says. */
function idsOf(scene: Scene, broker: Broker): number[] | undefined {
  const layout = scene.layoutOf(broker.workload.subject);
  if (layout === undefined) return nodeIdsOf(broker);
  const first = broker.workload.set.spec?.ordinals?.start ?? 0;
  return Array.from({ length: broker.workload.replicas }, (_, i) => first + i + layout.idOffset);
}

function placeOf({ workload, configuration, index }: Broker): string {
  const value = ['node.id', 'broker.id'].map((p) => configuration.property(p)).find((v) => 'from' in v);
  return value !== undefined && 'from' in value
    ? workload.pointer(pointerTo(index, value.from))
    : '/metadata/name';
}

const isSameCluster = (a: Broker, b: Broker) =>
  a.cluster === b.cluster &&
  a.workload.namespace === b.workload.namespace &&
  a.workload.name !== b.workload.name;

function check(scene: Scene): Said[] {
  return scene.brokers.flatMap((broker, i): Said[] => {
    const ids = idsOf(scene, broker);
    const earlier = scene.brokers.slice(0, i).filter((other) => isSameCluster(other, broker));
    for (const other of earlier) {
      const taken = idsOf(scene, other)?.find((id) => ids?.includes(id) === true);
      if (taken === undefined) continue;
      return [
        {
          subject: broker.workload.subject,
          path: placeOf(broker),
          message: `node id ${taken} belongs to a pod of ${other.workload.name} as well, in the same cluster (${broker.cluster})`,
        },
      ];
    }
    return [];
  });
}

export const nodeIds: LintRule = {
  doc: {
    id: 'node-ids',
    title: 'Each node id once in a cluster',
    why: 'Brokers and controllers of a cluster share one space of ids: the second node with an id is refused, or takes the place of the first.',
    remedy:
      'Count the ids of each StatefulSet from another number, by the annotation kafka-warden.io/id-offset where kafka-warden gives them.',
    severity: 'error',
  },
  check,
};

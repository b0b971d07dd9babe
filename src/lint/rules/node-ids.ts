import { pointerTo } from '../../hardening/draft.ts';
import type { Broker } from '../brokers.ts';
import type { LintRule, Said, Scene } from '../scene.ts';

/** Node ids in a row: those of a workload's pods. A range, because replicas may be any number. */
export interface NodeIds {
  readonly first: number;
  readonly count: number;
}

/** The id of ordinal 0, moved to where the workload's ordinals begin. */
const idsFrom = ({ workload }: Broker, idShift: number): NodeIds => ({
  first: (workload.set.spec?.ordinals?.start ?? 0) + idShift,
  count: workload.replicas,
});

/** Node ids of a workload's pods in order, as its manifest gives them; undefined where only the start knows. */
export function nodeIdsOf(broker: Broker): NodeIds | undefined {
  const { shape, workload } = broker;
  if (shape.nodeId !== undefined)
    return workload.replicas === 1 ? { first: shape.nodeId, count: 1 } : undefined;
  return shape.idShift === undefined ? undefined : idsFrom(broker, shape.idShift);
}

/** Ids that admission gives where it hardens the set: they follow from the layout, whatever the manifest says. */
function idsOf(scene: Scene, broker: Broker): NodeIds | undefined {
  const layout = scene.layoutOf(broker.workload.subject);
  return layout === undefined ? nodeIdsOf(broker) : idsFrom(broker, layout.idOffset);
}

/** The lowest id that stands in both. */
function sharedId(a: NodeIds | undefined, b: NodeIds | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  const first = Math.max(a.first, b.first);
  return first < Math.min(a.first + a.count, b.first + b.count) ? first : undefined;
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
      const taken = sharedId(idsOf(scene, other), ids);
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

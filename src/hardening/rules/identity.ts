import { literal } from '../configuration.ts';
import { pointerTo, type Draft, type Rule } from '../draft.ts';
import { shapeOf } from '../shape.ts';

/** True where a node id that the manifest gives literally cannot be right for every pod. */
function wrongNodeId(draft: Draft): string | undefined {
  const id = draft.configuration.property('node.id');
  if (id.state === 'computed') {
    if (id.fieldPath === undefined || id.fieldPath.includes('pod-index')) return undefined;
    return `KAFKA_NODE_ID is taken from ${id.fieldPath}, which is a name and not a number`;
  }
  const value = literal(id);
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) return `KAFKA_NODE_ID is "${value}", which is not a number`;
  if ((draft.set.spec?.replicas ?? 1) > 1) return `KAFKA_NODE_ID is ${value} for every replica`;
  const right = (draft.set.spec?.ordinals?.start ?? 0) + draft.layout.idOffset;
  return Number(value) === right
    ? undefined
    : `KAFKA_NODE_ID is ${value}, but the quorum knows this pod as ${right}`;
}

export const identity: Rule = {
  id: 'identity',
  title: 'Cluster id, node ids and quorum voters',
  why: 'Brokers of one cluster need one cluster id, an id each that stays with their volume, and the same list of voters (kafka-storage format, KafkaConfig). Where the manifest has none, they follow from namespace, name and ordinal.',
  remedy: 'Remove KAFKA_NODE_ID, or take it from the label apps.kubernetes.io/pod-index.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const { layout, configuration, containerPath, containerIndex } = draft;
    const wrong = wrongNodeId(draft);
    const id = configuration.property('node.id');
    if (wrong !== undefined && 'from' in id)
      draft.unsafe({ path: pointerTo(containerIndex, id.from), message: wrong });
    draft.setting('process.roles', '=', 'broker,controller');
    draft.setting('node.id', '=', '@ordinal');
    draft.setting('controller.listener.names', '=', 'CONTROLLER');
    const { votersText } = shapeOf(configuration);
    const voters = configuration.property('controller.quorum.voters');
    const unseen = votersText === undefined && voters.state !== 'absent';
    draft.setting('controller.quorum.voters', unseen ? '?=' : '=', '@voters');
    const clusterId = configuration.variable('CLUSTER_ID');
    if (clusterId.state === 'absent')
      draft.put([...containerPath, 'env', '[CLUSTER_ID]'], { name: 'CLUSTER_ID', value: layout.clusterId });
  },
};

/** How the launcher gets the node id: from the manifest where that is right, else from the ordinal. */
export const keepsNodeId = (draft: Draft) => wrongNodeId(draft) === undefined;

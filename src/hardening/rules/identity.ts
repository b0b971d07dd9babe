import { unfitClusterId } from '../cluster-id.ts';
import { kraft, pointerTo, type Draft, type Rule } from '../draft.ts';
import { idOf, wrongNodeId } from '../node-id.ts';
import { isLocalQuorum, votersIn } from '../shape.ts';

function quorum(draft: Draft): void {
  const { configuration, shape, set } = draft;
  const voters = configuration.property('controller.quorum.voters');
  const { delivery } = configuration;
  const isImages = delivery.kind === 'file' && delivery.own;
  const unseen = shape.votersText === undefined && voters.state !== 'absent' && !isImages;
  draft.setting('controller.quorum.voters', unseen ? '?=' : '=', '@voters', kraft);
  if (!('from' in voters)) return;
  const path = pointerTo(draft.containerIndex, voters.from);
  if (isLocalQuorum(shape) && (set.spec?.replicas ?? 1) > 1)
    draft.unsafe({
      path,
      message: `controller.quorum.voters is ${shape.votersText}: every replica would be a cluster of its own`,
      remedy: 'Remove KAFKA_CONTROLLER_QUORUM_VOTERS: the voters follow from the pods.',
    });
  otherQuorum(draft, path);
}

function otherQuorum({ shape, layout, role, report }: Draft, path: string): void {
  const created = layout.voterIds?.length ?? (role === 'broker' ? undefined : layout.voters);
  const named = votersIn(shape)?.length;
  if (created === undefined || named === undefined || named === created) return;
  report({
    path,
    message: `controller.quorum.voters names ${named}, but this cluster was created with ${created}, which stay`,
    remedy: 'Remove KAFKA_CONTROLLER_QUORUM_VOTERS: pods beyond the voters join as brokers.',
  });
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
    const { value } = idOf(draft);
    if (wrong !== undefined && 'from' in value)
      draft.unsafe({ path: pointerTo(containerIndex, value.from), message: wrong });
    draft.setting('process.roles', '=', 'broker,controller', ['combined']);
    draft.setting('process.roles', '=', 'broker', ['broker']);
    draft.setting('process.roles', '=', 'controller', ['controller']);
    draft.setting('node.id', '=', '@ordinal', kraft);
    draft.setting('broker.id', '=', '@ordinal', ['zookeeper']);
    draft.setting('controller.listener.names', '=', draft.pin.profile.controllerListener, kraft);
    if (draft.role !== 'zookeeper') quorum(draft);
    const votes = draft.role === 'combined' || draft.role === 'controller';
    if (votes && (layout.voterIds?.length ?? layout.voters) === 1)
      draft.report({
        path: '/spec/replicas',
        message:
          'the quorum has one voter: while its pod is down, no leader is elected and nothing can be changed',
        remedy: 'Create the StatefulSet with three replicas or more: the voters are fixed then.',
      });
    const unfit = unfitClusterId(draft);
    if (unfit !== undefined)
      draft.report({
        path: pointerTo(containerIndex, unfit.from),
        message: `the cluster id is ${unfit.id}, which Kafka ${unfit.version} does not format a disk with: an id is 16 bytes in base64url, 22 characters`,
        remedy:
          'Take one from "kafka-storage random-uuid", or leave it out: then it follows from namespace and name.',
        severity: 'error',
      });
    const [variable] = draft.pin.profile.clusterIdVariables;
    const given = draft.pin.profile.clusterIdVariables.some(
      (v) => configuration.variable(v).state !== 'absent',
    );
    if (!given && draft.role !== 'zookeeper' && configuration.delivery.kind === 'environment')
      draft.put([...containerPath, 'env', `[${variable}]`], { name: variable, value: layout.clusterId });
  },
};

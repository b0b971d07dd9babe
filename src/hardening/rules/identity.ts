import { literal, type Value } from '../configuration.ts';
import { kraft, pointerTo, type Draft, type Rule } from '../draft.ts';
import { isLocalQuorum, votersIn } from '../shape.ts';

/** The node id as the manifest gives it: by its name of today, else by the old one. */
function idOf({ configuration }: Draft): { name: string; value: Value } {
  const value = configuration.property('node.id');
  if (value.state === 'literal' || value.state === 'computed') return { name: 'KAFKA_NODE_ID', value };
  const old = configuration.property('broker.id');
  return old.state === 'literal' || old.state === 'computed'
    ? { name: 'KAFKA_BROKER_ID', value: old }
    : { name: 'KAFKA_NODE_ID', value };
}

/** True where only the start of each pod can know the id, and may be right. Never depends on the number of replicas. */
export function keepsNodeId(draft: Draft): boolean {
  const { value } = idOf(draft);
  if (draft.pin.generation >= 3 && draft.shape.idShift !== undefined) return false;
  switch (value.state) {
    case 'computed':
      return value.shared !== true && (value.fieldPath ?? 'pod-index').includes('pod-index');
    case 'unknown':
      return !value.shared;
    default:
      return false;
  }
}

/** Why the id that the manifest gives cannot be right for every pod. */
function wrongNodeId(draft: Draft): string | undefined {
  const { name, value } = idOf(draft);
  if (value.state === 'computed' && draft.pin.generation >= 3 && draft.shape.idShift !== undefined)
    return draft.shape.idShift === draft.layout.idOffset
      ? undefined
      : `${name} counts from ${draft.shape.idShift}, but this set's ids count from ${draft.layout.idOffset}: others of the cluster have those`;
  if (value.state === 'computed' && !keepsNodeId(draft))
    return value.fieldPath === undefined
      ? `${name} is the same for every replica`
      : `${name} is taken from ${value.fieldPath}, which is a name and not a number`;
  const text = literal(value);
  if (text === undefined) return undefined;
  if (draft.shape.nodeId === undefined) return `${name} is "${text}", which is not a number`;
  if ((draft.set.spec?.replicas ?? 1) > 1) return `${name} is ${text} for every replica`;
  const right = (draft.set.spec?.ordinals?.start ?? 0) + draft.layout.idOffset;
  return Number(text) === right ? undefined : `${name} is ${text}, but the quorum knows this pod as ${right}`;
}

function quorum(draft: Draft): void {
  const { configuration, shape, set, layout } = draft;
  const named = votersIn(shape)?.length ?? layout.voterIds?.length ?? layout.voters;
  const expected = layout.voterIds?.length ?? (draft.role === 'broker' ? named : layout.voters);
  const voters = configuration.property('controller.quorum.voters');
  const unseen = shape.votersText === undefined && voters.state !== 'absent';
  draft.setting('controller.quorum.voters', unseen ? '?=' : '=', '@voters', kraft);
  if ('from' in voters && isLocalQuorum(shape) && (set.spec?.replicas ?? 1) > 1)
    draft.unsafe({
      path: pointerTo(draft.containerIndex, voters.from),
      message: `controller.quorum.voters is ${shape.votersText}: every replica would be a cluster of its own`,
      remedy: 'Remove KAFKA_CONTROLLER_QUORUM_VOTERS: the voters follow from the pods.',
    });
  if ('from' in voters && named !== expected)
    draft.report({
      path: pointerTo(draft.containerIndex, voters.from),
      message: `controller.quorum.voters names ${named}, but this cluster was created with ${expected}, which stay`,
      remedy: 'Remove KAFKA_CONTROLLER_QUORUM_VOTERS: pods beyond the voters join as brokers.',
    });
}

function evenQuorum({ role, layout, report }: Draft): void {
  const voters = layout.voterIds?.length ?? layout.voters;
  if (role !== 'controller' || voters % 2 === 1) return;
  report({
    path: '/spec/replicas',
    message: `the quorum has ${voters} voters: that survives the loss of no more of them than ${voters - 1} would`,
    remedy: 'Create the controllers with 3 or 5 replicas.',
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
    evenQuorum(draft);
    if ((layout.voterIds?.length ?? layout.voters) === 1)
      draft.report({
        path: '/spec/replicas',
        message:
          'the quorum has one voter: while its pod is down, no leader is elected and nothing can be changed',
        remedy: 'Create the StatefulSet with three replicas or more: the voters are fixed then.',
      });
    const [variable] = draft.pin.profile.clusterIdVariables;
    const given = draft.pin.profile.clusterIdVariables.some(
      (v) => configuration.variable(v).state !== 'absent',
    );
    if (!given && draft.role !== 'zookeeper' && configuration.delivery.kind === 'environment')
      draft.put([...containerPath, 'env', `[${variable}]`], { name: variable, value: layout.clusterId });
  },
};

import { literal } from '../configuration.ts';
import { pointerTo, type Draft, type Rule } from '../draft.ts';
import { sharesFacts } from '../membership.ts';

/** Settings that have a least safe value: from the layout, so that scaling does not change the template. */
const leasts = ({ layout, kafkaVersion, role }: Draft): [string, number][] => {
  const { replicationFactor, minInsyncReplicas } = layout;
  const hasShareGroups = (kafkaVersion === undefined || kafkaVersion[0] >= 4) && role !== 'zookeeper';
  return [
    ['default.replication.factor', replicationFactor],
    ['min.insync.replicas', minInsyncReplicas],
    ['offsets.topic.replication.factor', replicationFactor],
    ['transaction.state.log.replication.factor', replicationFactor],
    ['transaction.state.log.min.isr', minInsyncReplicas],
    ...(hasShareGroups
      ? ([
          ['share.coordinator.state.topic.replication.factor', replicationFactor],
          ['share.coordinator.state.topic.min.isr', minInsyncReplicas],
        ] as [string, number][])
      : []),
  ];
};

/** Where other sets count too, the start takes the whole cluster's number. */
const tokenOf = (property: string) => (/min\.(isr|insync)/.test(property) ? '@minisr' : '@rf');

export const durability: Rule = {
  id: 'durability',
  title: 'An acknowledged message survives the loss of a broker',
  why: "Three replicas of which two must have a message before acks=all is answered, for topics, offsets and transactions; no leader that was out of sync. Set on controllers too: with eligible leader replicas (4.1) the controller's own configuration decides (ActivationRecordsGenerator).",
  remedy: 'Remove the setting, or raise it to the safe value.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    for (const [property, least] of leasts(draft)) {
      const value = draft.configuration.property(property);
      const given = Number(literal(value) ?? NaN);
      if (given < least && 'from' in value)
        draft.unsafe({
          path: pointerTo(draft.containerIndex, value.from),
          message: `${property} is ${given}; safe is ${least} or more`,
        });
      draft.setting(property, '>=', sharesFacts(draft) ? tokenOf(property) : least);
      tooHigh(draft, property, given);
    }
    const unclean = draft.configuration.property('unclean.leader.election.enable');
    if (literal(unclean) === 'true' && 'from' in unclean)
      draft.unsafe({
        path: pointerTo(draft.containerIndex, unclean.from),
        message:
          'unclean.leader.election.enable lets a replica that misses messages become leader: they are lost',
        remedy: 'Remove the setting.',
      });
    draft.setting('unclean.leader.election.enable', '=', 'false');
  },
};

function tooHigh(draft: Draft, property: string, given: number): void {
  if (property !== 'min.insync.replicas' || !(given >= draft.layout.replicationFactor) || given < 2) return;
  draft.report({
    path: pointerTo(draft.containerIndex, '/env'),
    message: `min.insync.replicas is ${given} with ${draft.layout.replicationFactor} replicas: no broker can go without stopping producers`,
    remedy: 'Keep it one below the replication factor.',
  });
}

import { keys } from '../../names.ts';
import type { KafkaRebalance } from '../rebalance/kafka-rebalance.ts';
import { phaseOf } from '../rebalance/kafka-rebalance.ts';
import { type Condemned, type Told, scaleInName, scaleOutName } from './model.ts';

const list = (items: readonly (string | number)[]): string => items.join(', ');
const pods = (some: readonly Condemned[]): string => list(some.map(({ pod }) => pod));

/** What stands in the way, by reason. */
interface Obstacles {
  readonly NotConfirmed: readonly Condemned[];
  readonly VotersStay: readonly Condemned[];
  readonly NameTaken: string;
  readonly TooManyReplicas: {
    readonly replicas: number;
    readonly topics: readonly string[];
    /** Brokers that would be left. */
    readonly left: number;
  };
  readonly MoveFailed: Left;
  readonly LeftBehind: Left;
}

interface Left {
  readonly rebalance: KafkaRebalance;
  readonly brokers: readonly number[];
}

const texts: {
  readonly [R in keyof Obstacles]: {
    readonly event: string;
    readonly message: (what: Obstacles[R]) => string;
  };
} = {
  NotConfirmed: {
    event: `Scaled to 0: its pods stay until that is confirmed. Annotate the StatefulSet ${keys.confirmScale}=0, or scale it back.`,
    message: (some) =>
      `${pods(some)} stay: scaling to 0 stops them all. Annotate the StatefulSet ${keys.confirmScale}=0, or scale it back`,
  },
  VotersStay: {
    event:
      'Pods that were scaled away are voters of the quorum, which is written into every node’s configuration: they stay. Scale the StatefulSet back.',
    message: (some) =>
      `${pods(some)} stay: the quorum is written into every node's configuration, with ${some.length === 1 ? 'it' : 'them'} as ${some.length === 1 ? 'a voter' : 'voters'}. Scale the StatefulSet back`,
  },
  NameTaken: {
    event: 'A KafkaRebalance of the name that moving replicas away would have is there already: rename it.',
    message: (set) =>
      `KafkaRebalance ${scaleInName(set)} was made by somebody else: remove it, so that replicas can be moved away`,
  },
  TooManyReplicas: {
    event:
      'Pods that were scaled away stay: topics have more replicas than brokers would be left. Scale the StatefulSet back, or lower the replication of these topics.',
    message: ({ replicas, topics, left }) =>
      `${list(topics)} ${topics.length === 1 ? 'has' : 'have'} ${replicas} replicas and ${left} broker${left === 1 ? '' : 's'} would be left. Scale the StatefulSet back, or lower the replication of such topics first (kafka-reassign-partitions)`,
  },
  MoveFailed: {
    event:
      'Moving replicas away from pods that were scaled away has ended early: see the KafkaRebalance, and delete it for another try, or scale the StatefulSet back.',
    message: ({ rebalance, brokers }) =>
      `KafkaRebalance ${rebalance.metadata.name} is ${phaseOf(rebalance)} (${rebalance.status?.message ?? 'no reason given'}) and brokers ${list(brokers)} still hold replicas. Delete it for another try, or scale the StatefulSet back`,
  },
  LeftBehind: {
    event:
      'Some replicas on pods that were scaled away can move nowhere: see the KafkaRebalance, make room, or scale the StatefulSet back.',
    message: ({ rebalance, brokers }) =>
      `KafkaRebalance ${rebalance.metadata.name} found no place for what is left on brokers ${list(brokers)} (${rebalance.status?.message ?? ''}); another is tried in a minute. Make room, or scale the StatefulSet back`,
  },
};

/** Why nothing goes on, and what a person can do. */
export const blocked = <R extends keyof Obstacles>(set: string, reason: R, what: Obstacles[R]): Told => ({
  ...{ set, reason, stuck: true },
  message: texts[reason].message(what),
  event: { type: 'Warning', message: texts[reason].event },
});

/** What goes on by itself. */
export const events = {
  moving: (set: string, rebalance?: KafkaRebalance): Told => ({
    ...{ set, reason: 'Moving' },
    message:
      rebalance === undefined
        ? `replicas are moved away by KafkaRebalance ${scaleInName(set)}`
        : `KafkaRebalance ${rebalance.metadata.name} is ${phaseOf(rebalance)}${rebalance.status?.message === undefined ? '' : `: ${rebalance.status.message}`}`,
    event: {
      type: 'Normal',
      message: `Pods that were scaled away stay until their replicas have moved: see KafkaRebalance ${scaleInName(set)}. To cancel, scale the StatefulSet back.`,
    },
  }),
  waiting: (set: string, what: string): Told => ({
    ...{ set, reason: 'Waiting' },
    message: `pods that were scaled away wait for ${what}`,
  }),
  cancelling: (set: string): Told => ({
    ...{ set, reason: 'Cancelling' },
    message: `scaled back: KafkaRebalance ${scaleInName(set)} is ended, and what it has under way is taken back`,
    event: {
      type: 'Normal',
      message: 'Scaled back: no pod has to go, and what was under way is taken back.',
    },
  }),
  stopped: (set: string): Told => ({
    ...{ set, reason: 'Stopped' },
    message: 'scaled to 0 as confirmed: all its pods stop, and their volumes stay',
    event: { type: 'Normal', message: 'Scaled to 0 as confirmed: all pods stop, and their volumes stay.' },
  }),
  proposed: (set: string, { spec, status }: KafkaRebalance): Told => ({
    ...{ set, reason: 'WaitingForApproval' },
    message: `brokers ${list(spec.brokers ?? [])} are empty; KafkaRebalance ${scaleOutName(set)} would give them their share (${status?.summary?.move ?? 'amount not known yet'}). Look at it and run: kafka-warden rebalance approve ${scaleOutName(set)}`,
    event: {
      type: 'Normal',
      message: `New brokers are empty. KafkaRebalance ${scaleOutName(set)} proposes their share and waits for approval: kafka-warden rebalance approve ${scaleOutName(set)} (or: rebalance stop, to leave them empty).`,
    },
  }),
  filling: (set: string, rebalance: KafkaRebalance): Told => ({
    ...{ set, reason: 'Filling' },
    message: `KafkaRebalance ${rebalance.metadata.name} is ${phaseOf(rebalance)}${rebalance.status?.message === undefined ? '' : `: ${rebalance.status.message}`}`,
  }),
} as const;

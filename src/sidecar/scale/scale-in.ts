import { keys } from '../../names.ts';
import { nameOf } from '../../gate/record.ts';
import { type KafkaRebalance, isTerminal, phaseOf } from '../rebalance/kafka-rebalance.ts';
import {
  type Action,
  type Condemned,
  type Decision,
  type KafkaSeen,
  type ScaleSeen,
  type SetSeen,
  type Told,
  idle,
  scaleInName,
} from './model.ts';
import { blocked, events } from './told.ts';
import { underLease } from './under-lease.ts';

/** How long after a balancing that left something behind another one is tried. */
const retryMs = 60_000;

export const isUnderWay = (rebalance: KafkaRebalance): boolean =>
  phaseOf(rebalance) === 'Executing' || phaseOf(rebalance) === 'Stopping';

/** Ends a balancing that nobody needs any more, with what it has under way taken back, and then removes it. */
export function ending(rebalance: KafkaRebalance): Action {
  if (!isUnderWay(rebalance)) return { do: 'remove', rebalance };
  return isCancelled(rebalance) ? { do: 'nothing' } : { do: 'stop', rebalance };
}

const isCancelled = ({ metadata }: KafkaRebalance): boolean =>
  metadata.annotations?.[keys.cancelled] === 'true';

interface One {
  readonly seen: ScaleSeen;
  readonly set: SetSeen;
  readonly condemned: readonly Condemned[];
  readonly rebalance: KafkaRebalance | undefined;
}

/** It empties all that has to be emptied, and none that is wanted again. */
const fits = ({ seen }: One, rebalance: KafkaRebalance, holding: readonly number[]): boolean => {
  const { brokers = [] } = rebalance.spec;
  return (
    !isCancelled(rebalance) &&
    holding.every((id) => brokers.includes(id)) &&
    !brokers.some((id) => seen.wanted.includes(id))
  );
};

const step = (action: Action, told: Told): Decision => ({ action, told: [told] });

/** Brokers that would be left in the whole cluster. */
const servingElsewhere = ({ sets }: ScaleSeen, set: SetSeen): number =>
  sets.reduce((sum, other) => (other.name === set.name || !other.serves ? sum : sum + other.replicas), 0);

/** To zero: nothing is moved, where nothing could be, or where the quorum stops with it. */
const isStop = ({ seen, set }: One): boolean =>
  set.replicas === 0 && (set.votes || servingElsewhere(seen, set) === 0);

function stopping({ set, condemned }: One): Decision {
  const pods = condemned.filter(({ uid }) => uid !== undefined);
  if (pods.length === 0) return idle();
  if (set.confirmed !== '0') return idle([blocked(set.name, 'NotConfirmed', pods)]);
  return step({ do: 'let-go', set: set.name, pods }, events.stopped(set.name));
}

/** When a balancing came to its end. */
const endedAtMs = ({ status }: KafkaRebalance): number =>
  Date.parse(status?.conditions?.find(({ type }) => type === 'Done')?.lastTransitionTime ?? '') || 0;

/** The balancing has ended, and replicas are left on brokers that are to go. */
function leftBehind({ seen, set }: One, rebalance: KafkaRebalance, holding: readonly number[]): Decision {
  const phase = phaseOf(rebalance);
  const what = { rebalance, brokers: holding };
  if (phase !== 'Done') return idle([blocked(set.name, 'MoveFailed', what)]);
  // Topics are made meanwhile, and reassigned by others.
  const again = rebalance.status?.reason === 'Executed' || seen.nowMs - endedAtMs(rebalance) > retryMs;
  const told = blocked(set.name, 'LeftBehind', what);
  return again ? step({ do: 'remove', rebalance }, events.moving(set.name)) : idle([told]);
}

interface Emptied {
  readonly kafka: KafkaSeen;
  readonly brokers: readonly number[];
  /** Those that still hold replicas. */
  readonly holding: readonly number[];
}

function moving(one: One, { kafka: { most }, brokers, holding }: Emptied): Decision {
  const { seen, set, rebalance } = one;
  if (rebalance === undefined) {
    // Topics with more replicas than brokers would be left for.
    const left = seen.wanted.length;
    if (most.replicas > left) return idle([blocked(set.name, 'TooManyReplicas', { ...most, left })]);
    const name = scaleInName(set.name);
    const create = { do: 'create', name, set: set.name, mode: 'remove-brokers', brokers } as const;
    return step(create, events.moving(set.name));
  }
  if (rebalance.metadata.deletionTimestamp !== undefined) return idle([events.moving(set.name)]);
  if (!fits(one, rebalance, holding)) return step(ending(rebalance), events.moving(set.name));
  if (isTerminal(phaseOf(rebalance))) return leftBehind(one, rebalance, holding);
  return idle([events.moving(set.name, rebalance)]);
}

/** Nothing is left on any of them: one after the other goes, the highest ordinal first. */
function turn({ seen, set, condemned, rebalance }: One): Decision {
  if (rebalance !== undefined && !isTerminal(phaseOf(rebalance)))
    return step(ending(rebalance), events.moving(set.name));
  const [next] = condemned;
  if (next === undefined) return idle();
  if (!seen.record.known) return idle([events.waiting(set.name, 'the disruption record to be put right')]);
  const { holder } = seen.record.record;
  if (holder !== undefined) return idle([events.waiting(set.name, `${nameOf(holder)} to end`)]);
  return step({ do: 'write', write: { to: 'take', condemned: next } }, events.moving(set.name));
}

function ofSet(one: One): Decision {
  const { seen, set, condemned, rebalance } = one;
  if (condemned.length === 0) return rebalance === undefined ? idle() : tidied(set, rebalance);
  if (isStop(one)) return stopping(one);
  const voters = condemned.filter(({ votes, uid }) => votes && uid !== undefined);
  if (voters.length > 0) return idle([blocked(set.name, 'VotersStay', voters)]);
  if (seen.taken.includes(scaleInName(set.name))) return idle([blocked(set.name, 'NameTaken', set.name)]);
  const { kafka } = seen;
  if (kafka?.agreed !== true)
    return idle([events.waiting(set.name, 'two brokers to tell where replicas are')]);
  const brokers = condemned.flatMap(({ broker }) => broker ?? []).sort((a, b) => a - b);
  const holding = brokers.filter((id) => (kafka.replicas.get(id) ?? 0) > 0);
  if (holding.length === 0) return turn(one);
  return moving(one, { kafka, brokers, holding });
}

function tidied(set: SetSeen, rebalance: KafkaRebalance): Decision {
  const action = rebalance.metadata.deletionTimestamp === undefined ? ending(rebalance) : idle().action;
  return isTerminal(phaseOf(rebalance)) ? { action, told: [] } : step(action, events.cancelling(set.name));
}

/**
 * What comes next for pods that were scaled away. A pod goes only under the lease, when two brokers say that nothing of its
 * broker's is left; it never goes when its set asks for it.
 */
export function nextScaleIn(seen: ScaleSeen): Decision {
  const holder = seen.record.known ? seen.record.record.holder : undefined;
  if (holder?.state === 'held' && holder.kind === 'scale-in') return underLease(seen, holder);
  const steps = seen.sets.map((set) =>
    ofSet({
      seen,
      set,
      condemned: seen.condemned.filter((one) => one.set === set.name).sort((a, b) => b.ordinal - a.ordinal),
      rebalance: seen.rebalances.find(({ metadata }) => metadata.name === scaleInName(set.name)),
    }),
  );
  const action = steps.find((one) => one.action.do !== 'nothing')?.action ?? { do: 'nothing' };
  return { action, told: steps.flatMap(({ told }) => told) };
}

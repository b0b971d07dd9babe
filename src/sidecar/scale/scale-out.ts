import { type KafkaRebalance, isTerminal, phaseOf } from '../rebalance/kafka-rebalance.ts';
import { type Action, type Decision, type ScaleSeen, type SetSeen, idle, scaleOutName } from './model.ts';
import { ending } from './scale-in.ts';
import { events } from './told.ts';

/** Brokers of a set that have joined and hold nothing, while there is enough elsewhere to give each a share. */
function emptyOf({ joined, kafka }: ScaleSeen, set: SetSeen): number[] {
  if (kafka === undefined) return [];
  const total = [...kafka.replicas.values()].reduce((sum, count) => sum + count, 0);
  if (total < joined.length) return [];
  return joined
    .filter((one) => one.set === set.name && (kafka.replicas.get(one.broker) ?? 0) === 0)
    .map(({ broker }) => broker)
    .sort((a, b) => a - b);
}

const isOpen = (rebalance: KafkaRebalance): boolean =>
  ['New', 'Proposing', 'Proposed'].includes(phaseOf(rebalance));

/** The same brokers, in whatever order. */
const isFor = ({ spec: { brokers = [] } }: KafkaRebalance, ids: readonly number[]): boolean =>
  brokers.length === ids.length && brokers.every((id) => ids.includes(id));

const brokersOf = ({ spec }: KafkaRebalance): readonly number[] => spec.brokers ?? [];

interface Known {
  readonly rebalance: KafkaRebalance;
  readonly empty: readonly number[];
  /** Some of its brokers are no longer asked for. */
  readonly stale: boolean;
  /** That is known of Kafka itself: ids of pods whose brokers it does not list are the layout's, and may be others. */
  readonly certain: boolean;
}

function forKnown({ rebalance, empty, stale, certain }: Known): Action {
  if (rebalance.metadata.deletionTimestamp !== undefined) return { do: 'nothing' };
  if (isTerminal(phaseOf(rebalance))) {
    // Done or declined for these brokers; one more that has come is another matter.
    const answered = empty.every((id) => brokersOf(rebalance).includes(id));
    return stale || !answered ? { do: 'remove', rebalance } : { do: 'nothing' };
  }
  // What a person has approved goes on as approved, unless it would fill brokers that are to go: they may never come back.
  if (!isOpen(rebalance)) return stale && certain ? ending(rebalance) : { do: 'nothing' };
  if (empty.length === 0) return stale ? { do: 'remove', rebalance } : { do: 'nothing' };
  return isFor(rebalance, empty) ? { do: 'nothing' } : { do: 'redirect', rebalance, brokers: empty };
}

function ofSet(seen: ScaleSeen, set: SetSeen): Decision {
  const name = scaleOutName(set.name);
  const rebalance = seen.rebalances.find(({ metadata }) => metadata.name === name);
  // Nobody is filled while somebody is emptied.
  const empty = seen.condemned.length > 0 ? [] : emptyOf(seen, set);
  if (rebalance === undefined) {
    if (empty.length === 0 || seen.taken.includes(name)) return idle();
    return {
      action: { do: 'create', name, set: set.name, mode: 'add-brokers', brokers: empty },
      told: [],
    };
  }
  const stale = brokersOf(rebalance).some((id) => !seen.wanted.includes(id));
  const condemned = seen.condemned.some(
    ({ broker }) => broker !== undefined && brokersOf(rebalance).includes(broker),
  );
  const certain = condemned || seen.joined.length === seen.wanted.length;
  const action = forKnown({ rebalance, empty, stale, certain });
  if (action.do !== 'nothing') return { action, told: [] };
  if (phaseOf(rebalance) === 'Proposed') return idle([events.proposed(set.name, rebalance)]);
  return isTerminal(phaseOf(rebalance)) ? idle() : idle([events.filling(set.name, rebalance)]);
}

/** A share for brokers that have joined: proposed, and never approved here. */
export function nextScaleOut(seen: ScaleSeen): Decision {
  const steps = seen.sets.filter(({ serves }) => serves).map((set) => ofSet(seen, set));
  const action = steps.find((one) => one.action.do !== 'nothing')?.action ?? { do: 'nothing' };
  return { action, told: steps.flatMap(({ told }) => told) };
}

import { ModelError } from './model.ts';
import type { BrokerState, ClusterModel } from './model.ts';
import type { Mode } from './problem.ts';

/** What naming brokers makes of them, by mode. */
const MARKS: Partial<Record<Mode, BrokerState>> = { 'add-brokers': 'new', 'remove-brokers': 'draining' };

/**
 * The model with the named brokers marked: new in mode `add-brokers`, draining in mode `remove-brokers`. Without
 * names it is the same object.
 * @throws ModelError where a broker is not in the model, none would be left, or the mode takes no names
 */
export function marked(
  model: ClusterModel,
  mode: Mode = 'balance',
  ids: readonly number[] = [],
): ClusterModel {
  if (ids.length === 0) return model;
  const state = MARKS[mode];
  if (state === undefined)
    throw new ModelError(
      'brokers',
      `are named, and mode ${mode} adds or removes none`,
      'Choose mode add-brokers or remove-brokers, or name none',
    );
  const known = new Set(model.brokers.map((broker) => broker.id));
  for (const id of ids)
    if (!known.has(id))
      throw new ModelError('brokers', `broker ${id} is not in the model`, `It has ${[...known].join(', ')}`);
  const brokers = model.brokers.map((broker) => (ids.includes(broker.id) ? { ...broker, state } : broker));
  if (brokers.every((broker) => broker.state === 'draining'))
    throw new ModelError('brokers', 'none is left to carry load', 'Leave at least one that is not removed');
  return { ...model, brokers };
}

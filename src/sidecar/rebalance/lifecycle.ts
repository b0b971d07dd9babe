import { isTerminal, phaseOf } from './kafka-rebalance.ts';
import { underWay } from './lifecycle-execution.ts';
import { beforePlan, withPlan } from './lifecycle-proposal.ts';
import { composed, type Step } from './lifecycle-status.ts';
import { asksToStop, held, outdated, resting } from './lifecycle-steps.ts';
import type { Decision, Seen } from './lifecycle-types.ts';
import { readSettings } from './settings.ts';

function terminal(seen: Seen): Step {
  const { reason = '', message = '', plan } = held(seen);
  const phase = phaseOf(seen.rebalance);
  if (seen.execution?.state === 'running' || seen.execution?.state === 'stopping')
    return { ...resting(phase, reason, message), action: { do: 'stop', why: `it is ${phase} already` } };
  const why = plan === undefined ? undefined : outdated(seen, plan);
  if (why === undefined) return resting(phase, reason, message);
  const event = {
    type: 'Warning',
    reason: 'AlreadyEnded',
    message: `a KafkaRebalance that is ${phase} stays so: create another one for another balancing`,
  } as const;
  return { ...resting(phase, reason, message), events: [event] };
}

function stepOf(seen: Seen): Step {
  const phase = phaseOf(seen.rebalance);
  if (isTerminal(phase)) return terminal(seen);
  const step = underWay(seen);
  if (step !== undefined) return step;
  if (asksToStop(seen)) return resting('Stopped', 'Stopped', 'stopped before anything was moved');
  if (seen.rebalance.metadata.deletionTimestamp !== undefined)
    return resting(phase, 'Deleted', 'it is being deleted');
  const read = readSettings(seen.rebalance.spec);
  if ('problem' in read)
    return { ...resting('New', 'InvalidSpec', read.problem.message), fields: { approval: undefined } };
  const { plan } = held(seen);
  return (phase === 'Proposed' || phase === 'Approved') && plan !== undefined
    ? withPlan(seen, read.settings, plan)
    : beforePlan(seen, read.settings);
}

/**
 * What comes next for one KafkaRebalance. Pure: the duty reads what `Seen` asks for, carries out the action and writes
 * the status (before `propose`, after everything else), and gives the lease back only after a status that says the end.
 */
export const nextOf = (seen: Seen): Decision => composed(seen, stepOf(seen));

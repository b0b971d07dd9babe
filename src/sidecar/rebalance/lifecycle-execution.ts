import { keys } from '../../names.ts';
import { bytesText } from './amounts.ts';
import { phaseOf } from './kafka-rebalance.ts';
import type { Step } from './lifecycle-status.ts';
import { asksToStop, changedText, held, outdated, proposing, resting, retryMs } from './lifecycle-steps.ts';
import type { Execution, Seen } from './lifecycle-types.ts';

/** Changes of the object that an execution does not take up. */
function ignored(seen: Seen): { reason: string; message: string } | undefined {
  const { plan } = held(seen);
  const why = plan === undefined ? undefined : outdated(seen, plan);
  if (why === undefined) return undefined;
  const what = why === 'Refreshed' ? 'a new plan was asked for' : 'the spec was changed';
  return {
    reason: why,
    message: `${what} during the execution, which goes on as approved; set ${keys.stop}: "true" to end it`,
  };
}

function progressText({ progress }: Execution): string {
  if (progress === undefined) return 'the execution has begun';
  const { bytesMoved, bytesTotal, bytesPerSecond, waitingFor } = progress;
  const rate = bytesPerSecond > 0 ? ` at ${bytesText(bytesPerSecond)}/s` : '';
  const done = `${bytesText(bytesMoved)} of ${bytesText(bytesTotal)} moved${rate}`;
  return waitingFor === undefined ? done : `${done}; waits for ${waitingFor}`;
}

/** What the executor refused leads back to a proposal, with the difference; deleted topics it does not refuse. */
function finished(seen: Seen, execution: Execution): Step {
  const { refused = [], message } = execution;
  const count = execution.refusedCount ?? refused.length;
  const fields = { progress: execution.progress, refused, refusedCount: count };
  if (execution.state === 'failed')
    return { ...resting('Failed', 'ExecutionFailed', message ?? 'the executor gave no reason'), fields };
  if (execution.state === 'stopped') {
    const why = asksToStop(seen) ? `asked for by ${keys.stop}` : 'the execution was stopped';
    return { ...resting('Stopped', 'Stopped', message ?? why), fields };
  }
  if (count === 0) return { ...resting('Done', 'Executed', message ?? 'every step was carried out'), fields };
  if (asksToStop(seen))
    return { ...resting('Stopped', 'Stopped', `${count} steps were refused, the others are done`), fields };
  const examples = refused.slice(0, 10).map((one) => `${one.topic}-${one.partition}: ${one.reason}`);
  const text = changedText({ count, examples });
  return proposing(
    seen,
    { reason: 'Drifted', message: `${count} steps no longer applied ${text}` },
    {
      ...fields,
      drift: { hash: execution.hash, count, examples },
    },
  );
}

function executing(seen: Seen, execution: Execution): Step {
  if (execution.state !== 'running' && execution.state !== 'stopping') return finished(seen, execution);
  const { refused = [], refusedCount = refused.length, progress } = execution;
  const fields = { progress, refused, refusedCount };
  const stopped = execution.state === 'stopping' || phaseOf(seen.rebalance) === 'Stopping';
  if (stopped || asksToStop(seen) || seen.rebalance.metadata.deletionTimestamp !== undefined)
    return {
      phase: 'Stopping',
      reason: 'Stopping',
      message: 'what is under way is taken back; what has moved stays',
      action: { do: 'stop', why: stopWhy(seen) },
      fields,
    };
  const extra = ignored(seen);
  const waiting = progress?.waitingFor === undefined ? 'Executing' : 'Waiting';
  return {
    phase: 'Executing',
    reason: extra?.reason ?? waiting,
    message: [progressText(execution), ...(extra === undefined ? [] : [extra.message])].join('; '),
    action: { do: 'continue', hash: execution.hash },
    fields,
  };
}

const stopWhy = (seen: Seen): string =>
  asksToStop(seen) ? `the annotation ${keys.stop}` : 'the KafkaRebalance is being deleted';

/** The step of an execution that the record speaks of, or must speak of; undefined where there is none. */
export function underWay(seen: Seen): Step | undefined {
  if (seen.execution !== undefined) return executing(seen, seen.execution);
  const phase = phaseOf(seen.rebalance);
  const own = seen.lease.state === 'held' && seen.lease.uid === seen.rebalance.metadata.uid;
  const hash = held(seen).plan?.hash;
  if (own && hash !== undefined) return executing(seen, { hash, state: 'running' });
  if ((phase === 'Executing' || phase === 'Stopping') && seen.lease.state === 'unknown')
    return { ...resting(phase, 'RecordUnreadable', `waits for ${seen.lease.what}`), againInMs: retryMs };
  if (phase === 'Stopping') return resting('Stopped', 'Stopped', 'nothing of it is under way any more');
  if (phase !== 'Executing') return undefined;
  return resting(
    'Failed',
    'RecordLost',
    'the record of what was under way is gone; look for throttles that stayed (kafka-configs --describe) and create another KafkaRebalance',
  );
}

import type { DisruptionRecord, Holder } from '../../gate/index.ts';
import { type Context, type ToldEvent, tellSet } from '../context.ts';

/** Tells, in the log and as an event on the StatefulSet, what a step of the record means to people. */
export async function tellStep(
  context: Context,
  from: DisruptionRecord,
  to: DisruptionRecord,
): Promise<void> {
  const { holder } = to;
  const step = holder?.state === 'held' ? holder.step : holder?.state;
  const { kind, pod } = holder ?? from.holder ?? {};
  context.log.info({ event: 'disruption', kind, pod, step: step ?? 'released' }, step ?? 'released');
  const event = eventOf(from.holder, holder);
  const set = context.world().sets.find(({ name }) => name === (holder ?? from.holder)?.set);
  if (set === undefined || event === undefined) return;
  await tellSet(context, set, event);
}

function eventOf(from: Holder | undefined, to: Holder | undefined): ToldEvent | undefined {
  const pod = to?.pod ?? 'A pod';
  if (from === undefined && to?.kind === 'loss')
    return {
      type: 'Warning',
      reason: 'BrokerLost',
      message: `${pod} is away though nobody asked the gate; nothing else may go until it is back and in sync.`,
      action: 'HoldDisruptions',
    };
  if (to?.state === 'held' && to.kind === 'roll' && to.step === 'deleting' && stepOf(from) === 'checking')
    return {
      type: 'Normal',
      reason: 'RollingPod',
      message: `${pod} goes next, to come back with the newest template; the next one follows when its replicas are in sync.`,
      action: 'Roll',
    };
  if (frozen(from) === 0 && frozen(to) > 0)
    return {
      type: 'Warning',
      reason: 'RollStopped',
      message: `${pod} does not come up with the newest template; all others keep the one they have until the template is changed or reverted.`,
      action: 'Roll',
    };
  return undefined;
}

const stepOf = (holder: Holder | undefined): string | undefined =>
  holder?.state === 'held' ? holder.step : undefined;

const frozen = (holder: Holder | undefined): number =>
  holder?.state === 'held' ? (holder.frozen?.length ?? 0) : 0;

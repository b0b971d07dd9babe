import type { Lease } from '../../gate/record.ts';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import type { Finding } from '../conditions.ts';
import { type Context, type Report, tellSet } from '../context.ts';
import { changeRecordFrom, readRecord } from '../disruption/index.ts';
import { isLeaving } from '../farewell/request.ts';
import { type Action, type RecordWrite, type ScaleSeen, type Told, idle } from './model.ts';
import { heldPod, liveSet, nodesSeen, setsSeen } from './observe.ts';
import { changeRebalance, rebalancesSeen } from './rebalances.ts';
import { nextScaleIn } from './scale-in.ts';
import { nextScaleOut } from './scale-out.ts';
import { written } from './turns.ts';

const periodsMs = { idle: 60_000, waiting: 10_000, busy: 2_000, changed: 500 };
/** A turn is six writes; what needs more is seen again soon. */
const stepsPerPass = 8;

export interface ScaleWork {
  readonly context: Context;
  /** This process, as the disruption record names it. */
  readonly by: string;
}

/**
 * Lets pods that were scaled away go once their replicas have moved, and proposes a share for brokers that have come. One
 * step at a time, each decided on what is seen then: a sidecar that ends anywhere is followed by one that goes on.
 */
export async function reconcileScale(work: ScaleWork): Promise<Report> {
  const { context } = work;
  const { sets, rebalances } = context.world();
  if (sets.length === 0 || rebalances === undefined) return { conditions: [] };
  for (let left = stepsPerPass; ; left--) {
    const seen = await see(work);
    const scaleIn = nextScaleIn(seen);
    const isQuiet = scaleIn.action.do === 'nothing';
    const scaleOut =
      isQuiet && !isLeaving(context.world().kafkaCluster, context.now()) ? nextScaleOut(seen) : idle();
    for (const told of [...scaleIn.told, ...scaleOut.told]) await tellOf(context, told);
    const action = isQuiet ? scaleOut.action : scaleIn.action;
    const goesOn = await act(work, action, seen);
    if (goesOn && left > 0) continue;
    const againInMs = action.do === 'nothing' ? pauseOf(seen, scaleOut.told) : periodsMs.changed;
    return { conditions: conditionsOf(scaleIn.told, scaleOut.told), facts: factsOf(seen), againInMs };
  }
}

async function see({ context, by }: ScaleWork): Promise<ScaleSeen> {
  const { known: record } = await readRecord(context);
  const holder = record.known ? record.record.holder : undefined;
  const nodes = await nodesSeen(context);
  const lease = holder?.state === 'held' && holder.kind === 'scale-in' ? holder : undefined;
  return {
    ...{ by, record, nowMs: context.now().getTime() },
    sets: setsSeen(context.world().sets, keys.confirmScale),
    ...nodes,
    ...rebalancesSeen(context),
    ...(lease === undefined ? {} : { held: await heldPod(context, lease, nodes.kafka) }),
  };
}

const pauseOf = ({ condemned, record }: ScaleSeen, scaleOut: readonly Told[]): number => {
  const holds = record.known && record.record.holder?.kind === 'scale-in';
  if (condemned.length > 0 || holds) return periodsMs.busy;
  return scaleOut.length > 0 ? periodsMs.waiting : periodsMs.idle;
};

const factsOf = ({ kafka }: ScaleSeen): NonNullable<Report['facts']> =>
  kafka?.agreed === true ? { largestReplication: kafka.most } : {};

/** Returns whether the next step may be looked for at once: objects that were changed come back by their watch. */
async function act(work: ScaleWork, action: Action, seen: ScaleSeen): Promise<boolean> {
  const { context } = work;
  if (action.do === 'nothing') return false;
  const { do: what, ...rest } = shown(action);
  context.log.info({ event: 'scale', action: what, ...rest }, what);
  switch (action.do) {
    case 'create':
    case 'redirect':
    case 'stop':
    case 'remove':
      await changeRebalance(context, action);
      return false;
    case 'let-go':
      await letGo(context, action);
      return false;
    case 'write':
      return write(work, action.write, seen);
    case 'clear': {
      const resource = { type: 'broker', name: String(action.broker) } as const;
      const changes = action.settings.map((name) => ({ name, remove: true }) as const);
      await context.kafka.incrementalAlterConfigs(resource, changes, { broker: action.broker });
      return false;
    }
    case 'delete':
      await deletePod(context, action);
      return false;
    case 'unregister':
      await context.kafka.unregisterBroker(action.broker);
      return write(work, { to: 'release', cancelled: false }, seen, 'unregistered');
  }
}

function shown(action: Action): { do: string; [key: string]: unknown } {
  if ('rebalance' in action) return { ...action, rebalance: action.rebalance.metadata.name };
  return 'pods' in action ? { ...action, pods: action.pods.map(({ pod }) => pod) } : action;
}

/** The record was still the one that was decided on, and is the other one now. */
async function write(
  { context, by }: ScaleWork,
  wanted: RecordWrite,
  seen: ScaleSeen,
  end?: 'unregistered',
): Promise<boolean> {
  if (!seen.record.known) return false;
  const outcome = await changeRecordFrom(context, seen.record.record, (record) =>
    written(record, wanted, { by, nowMs: context.now().getTime() }),
  );
  const holder = seen.record.record.holder;
  if (outcome.ok && wanted.to === 'release' && holder?.state === 'held')
    await tellEnd(context, holder, wanted.cancelled, end);
  return outcome.ok;
}

async function tellEnd(
  context: Context,
  { pod = '', set = '', step }: Lease,
  cancelled: boolean,
  end: 'unregistered' | undefined,
): Promise<void> {
  const event = (reason: string, message: string) =>
    tellOf(context, { set, reason, message, event: { type: 'Normal', message } });
  if (cancelled) await event('ScaleInCancelled', `${pod} is wanted again and stays, or comes back empty.`);
  else if (end === 'unregistered')
    await event('ScaledIn', `${pod} is gone and its broker has left the cluster; its volume claim stays.`);
  else if (step === 'unregistering') await event('ScaledIn', `${pod} is gone; its volume claim stays.`);
}

/** With both preconditions: a pod that is another one, or has changed since it was seen, is looked at again. */
async function deletePod(
  { kube, namespace }: Context,
  { pod, uid, resourceVersion }: Extract<Action, { do: 'delete' }>,
): Promise<void> {
  try {
    await kube.remove(paths.pods(namespace, pod), { preconditions: { uid, resourceVersion } });
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
}

/** Nothing is destroyed on what an informer knew: the set is read again. */
async function letGo(context: Context, { set, pods }: Extract<Action, { do: 'let-go' }>): Promise<void> {
  const { kube, namespace } = context;
  const live = await liveSet(context, set);
  if (live?.replicas !== 0 || live.object.metadata.annotations?.[keys.confirmScale] !== '0') return;
  for (const { pod, uid } of pods)
    if (uid !== undefined)
      await kube.remove(paths.pods(namespace, pod), { preconditions: { uid } }).catch((error: unknown) => {
        if (!isStatus(error, 409)) throw error;
      });
}

async function tellOf(context: Context, { set, reason, event }: Told): Promise<void> {
  const found = context.world().sets.find(({ name }) => name === set);
  if (found === undefined || event === undefined) return;
  await tellSet(context, found, { ...event, reason, action: 'Scale' });
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function conditionsOf(scaleIn: readonly Told[], scaleOut: readonly Told[]): Finding[] {
  return [
    finding('ScalingIn', scaleIn, 'No pod has to go.'),
    finding('ScalingOut', scaleOut, 'No new broker waits for its share.'),
  ];
}

/** What waits for a person comes first. */
function finding(type: string, told: readonly Told[], none: string): Finding {
  const [first] = told.toSorted((a, b) => Number(b.stuck === true) - Number(a.stuck === true));
  if (first === undefined) return { type, status: 'False', reason: 'None', message: none };
  const message = told.map(({ set, message: text }) => `${set}: ${text}.`).join(' ');
  return { type, status: 'True', reason: first.reason, message: capital(message) };
}

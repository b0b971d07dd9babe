import {
  type Decision,
  type DisruptionRecord,
  type Holder,
  type RecordKnown,
  type Waiting,
  bytes,
  nameOf,
  refusal,
} from '../../gate/index.ts';
import type { Finding } from '../conditions.ts';
import type { DisruptionStatus } from '../status/kafka-cluster.ts';

/** What a disruption waits for, as a sentence without its end. */
export function waitingText(decision: Decision | undefined): string | undefined {
  if (decision?.do === 'elect') return 'preferred leaders to be elected again';
  return decision?.do === 'wait' ? sentenceOf(decision.waiting) : undefined;
}

function sentenceOf(waiting: Waiting): string | undefined {
  switch (waiting.for) {
    case 'record':
      return `the disruption record to be put right (${waiting.problem})`;
    case 'evidence':
      return 'the brokers to be asked again';
    case 'lease':
      return waiting.holder.state === 'reserved' ? 'the evicted pod to end' : undefined;
    case 'verdict':
      return waiting.verdict.kind === 'deny' ? told(refusal(waiting.verdict)) : undefined;
    case 'active-controller':
      return 'the active controller to be known';
    case 'set':
      return `the StatefulSet controller to look at ${waiting.set}`;
    case 'preflight':
      return `${waiting.set} to be put right: ${told(waiting.problem)}`;
    case 'repair':
      return `the template to be changed or reverted: ${waiting.pod} does not come up${waiting.failing === undefined ? '' : ` (${waiting.failing})`}, and the other pods keep the revision they have`;
    default:
      return wayBackOf(waiting);
  }
}

function wayBackOf(waiting: Extract<Waiting, { for: 'gone' | 'start' | 'names' | 'sync' }>): string {
  switch (waiting.for) {
    case 'gone':
      return `${waiting.pod} to end${stalled(waiting)}`;
    case 'start':
      return `${waiting.pod} to be ready${stalled(waiting)}`;
    case 'sync':
      return `all replicas of ${waiting.pod} to be in sync${left(waiting)}${stalled(waiting)}`;
    case 'names':
      return `the other brokers to know the new address of ${waiting.pod} (${Math.ceil(waiting.leftMs / 1_000)} s at most)`;
  }
}

/** Without the full stop: the sentence goes on. */
const told = (text: string): string => text.replace(/\.$/, '');

const left = ({ bytesLeft }: { bytesLeft?: number }): string =>
  bytesLeft === undefined ? '' : ` (${bytes(bytesLeft)} left)`;

const stalled = ({ stalled: is }: { stalled: boolean }): string =>
  is ? '; nothing has moved for a quarter of an hour' : '';

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** The disruption under way, as the status of the KafkaCluster shows it. */
export function disruptionStatus(
  { holder }: DisruptionRecord,
  waitingFor: string | undefined,
): DisruptionStatus | undefined {
  if (holder === undefined) return undefined;
  const { kind, id, pod, broker, sinceMs } = holder;
  return {
    kind,
    id,
    ...(pod === undefined ? {} : { pod }),
    ...(broker === undefined ? {} : { broker }),
    since: iso(sinceMs),
    step: stepOf(holder),
    ...(waitingFor === undefined ? {} : { waitingFor }),
  };
}

const stepOf = (holder: Holder): string => (holder.state === 'held' ? holder.step : 'reserved');

const reasons = {
  eviction: 'Eviction',
  loss: 'Loss',
  roll: 'Roll',
  'scale-in': 'ScaleIn',
  rebalance: 'Rebalance',
} as const;

export function disruptedFinding(known: RecordKnown, waitingFor: string | undefined): Finding {
  const type = 'Disrupted';
  if (!known.known)
    return {
      type,
      status: 'Unknown',
      reason: 'RecordUnreadable',
      message: `The disruption record cannot be read, so that no pod may be evicted: ${known.problem}`,
    };
  const { holder } = known.record;
  if (holder === undefined)
    return { type, status: 'False', reason: 'Whole', message: 'No disruption is under way.' };
  const waits = waitingFor === undefined ? '' : `; it waits for ${waitingFor}`;
  return {
    type,
    status: 'True',
    reason: reasons[holder.kind],
    message: `${capital(nameOf(holder))} is under way since ${iso(holder.sinceMs)} (step: ${stepOf(holder)})${waits}.`,
  };
}

/** Whether pods wait to be replaced by newer ones and may not be, and what for. */
export function rollFinding(
  holder: Holder | undefined,
  decision: Decision | undefined,
  problem?: string,
): Finding {
  const type = 'RollWaits';
  if (problem !== undefined)
    return {
      type,
      status: 'True',
      reason: 'NotCarriedOut',
      message: `The next step of a roll could not be carried out, and is tried again: ${problem}`,
    };
  const waiting = decision?.do === 'wait' ? decision.waiting : undefined;
  if (waiting?.for === 'lease' && waiting.rolls === true)
    return {
      type,
      status: 'True',
      reason: 'Disrupted',
      message: `Pods with an older template than their StatefulSet wait for ${nameOf(waiting.holder)} to end.`,
    };
  const repair = waiting?.for === 'repair';
  if (waiting === undefined || (holder !== undefined && !repair))
    return { type, status: 'False', reason: 'NothingWaits', message: 'No pod waits to be replaced.' };
  return {
    type,
    status: 'True',
    reason: rollReasons[waiting.for] ?? 'NotKnown',
    message: `Pods with an older template than their StatefulSet wait for ${sentenceOf(waiting) ?? 'more to be known'}.`,
  };
}

const rollReasons: Partial<Record<Waiting['for'], string>> = {
  repair: 'BrokenTemplate',
  preflight: 'Preflight',
  verdict: 'CannotBeSpared',
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

import {
  type Decision,
  type DisruptionRecord,
  type Holder,
  type RecordKnown,
  type Waiting,
  bytes,
  nameOf,
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
    case 'gone':
      return `${waiting.pod} to end${stalled(waiting)}`;
    case 'start':
      return `${waiting.pod} to be ready${stalled(waiting)}`;
    case 'sync':
      return `all replicas of ${waiting.pod} to be in sync${left(waiting)}${stalled(waiting)}`;
    default:
      // The rest belongs to rolls.
      return undefined;
  }
}

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
  const foreign = holder.kind === 'roll' || holder.kind === 'scale-in';
  const remedy = foreign
    ? ' This version of kafka-warden carries out none: see that every broker is in sync, then delete the ConfigMap of the record.'
    : '';
  return {
    type,
    status: 'True',
    reason: reasons[holder.kind],
    message: `${capital(nameOf(holder))} is under way since ${iso(holder.sinceMs)} (step: ${stepOf(holder)})${waits}.${remedy}`,
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

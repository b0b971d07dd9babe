import {
  type CatchingUp,
  type Evidence,
  type PodFacts,
  type Prepared,
  type Question,
  type RecordKnown,
  type Verdict,
  judge,
  prepare,
} from '../../gate/index.ts';
import { emptyRecord } from '../../gate/record.ts';
import type { KafkaRebalance } from '../rebalance/kafka-rebalance.ts';

/** What Kubernetes and the record say at the moment of a question. */
export interface Moment {
  readonly pods: readonly PodFacts[];
  readonly missingPods: readonly string[];
  readonly record: RecordKnown;
  readonly catchingUp: readonly CatchingUp[];
}

const nothing: Evidence = {
  ...{ mode: 'kraft', views: [], pings: new Map(), settings: new Map(), pods: [], missingPods: [] },
  ...{ record: { known: true, record: emptyRecord }, catchingUp: [] },
};

/** Before the first read nothing is known of Kafka. */
export const unread: Prepared = prepare(nothing);

/** What was read of Kafka, with the rest as it is now. */
export const at = (prepared: Prepared, moment: Moment & Partial<Pick<Evidence, 'pings'>>): Prepared => ({
  ...prepared,
  evidence: { ...prepared.evidence, ...moment },
});

/** The verdict, with how far a rebalance is that stands in the way. */
export function judged(
  prepared: Prepared,
  question: Question,
  rebalances: readonly KafkaRebalance[] = [],
): Verdict {
  const verdict = judge(prepared, question);
  if (verdict.kind !== 'deny') return verdict;
  const reasons = verdict.reasons.map((reason) => {
    if (reason.why !== 'lease-held' || reason.kind !== 'rebalance') return reason;
    const percent = percentOf(rebalances.find(({ metadata }) => metadata.name === reason.id));
    return percent === undefined ? reason : { ...reason, percent };
  });
  return { ...verdict, reasons };
}

/** Whole percent of the bytes that have moved. */
export function percentOf(rebalance: KafkaRebalance | undefined): number | undefined {
  const { bytesMoved, bytesTotal } = rebalance?.status?.progress ?? {};
  if (bytesMoved === undefined || bytesTotal === undefined || bytesTotal <= 0) return undefined;
  return Math.min(100, Math.floor((100 * bytesMoved) / bytesTotal));
}

import {
  type Holder,
  type PodFacts,
  type Policy,
  type Prepared,
  type Reason,
  type Verdict,
  judge,
  refusal,
} from '../../gate/index.ts';

/** `stop`: at once. `wait`: asked again in a second, as long as the pod's hook has patience. */
export interface StopAnswer {
  readonly answer: 'stop' | 'wait';
  /** One line. */
  readonly why: string;
  /** It is to wait for something that was seen, not for what is to be found out. */
  readonly known?: true;
}

export interface Stop {
  readonly pod: PodFacts;
  readonly nowMs: number;
  readonly policy?: Policy;
  /** The pod's hook asked for the first time then. */
  readonly askedSinceMs: number;
  /** When the kubelet kills it; left out while the pod has no deletion timestamp, as where a container is started anew. */
  readonly killedAtMs?: number;
  /** False where the set is gone, is being deleted or is to have no pods: then everything of it goes. */
  readonly wanted: boolean;
  /** What it was last told to wait for that was known. */
  readonly held?: string;
  /** UIDs of the pods that have been told to wait and ask again, this one perhaps among them, the first that asked first. */
  readonly waiting: readonly string[];
}

/** Controlled shutdown may take five minutes (`KafkaBroker.shutdown`), and closing the logs a little. */
export const shutdownMs = 320_000;
/** A process that has just come up, or that was idle, needs a few seconds to read a large cluster. */
export const unknownForMs = 10_000;

/** What a few seconds may make better: replicas and voters that catch up, brokers that come back. */
const mayPass: ReadonlySet<Reason['why']> = new Set([
  'below-min-isr',
  'leaderless',
  'not-alive',
  'quorum-behind',
]);

/** What another read may tell: while the leader of the quorum is away, for one, nobody says who follows. */
const notRead: ReadonlySet<Reason['why']> = new Set(['too-old', 'view-behind', 'views-disagree']);
const unclear = (reason: Reason): boolean =>
  notRead.has(reason.why) ||
  (reason.why === 'unknown' && reason.what !== 'record' && reason.what !== 'node-id');

const stop = (why: string): StopAnswer => ({ answer: 'stop', why });
const wait = (why: string): StopAnswer => ({ answer: 'wait', why });

/**
 * May this pod be told to stop now? It ends in any case: the question is only whether waiting helps. It does while a
 * partition would fall below its minimum, or the quorum lose its majority, and replicas may catch up meanwhile. What is not
 * known lets it go, but for the seconds that finding out takes; yet a danger that was known has not passed because it is seen
 * no more. `evidence` is left out where Kafka has not been read.
 */
export function mayStop(evidence: Prepared | undefined, asked: Stop): StopAnswer {
  const { pod, nowMs, policy, killedAtMs, wanted } = asked;
  if (!wanted) return stop('all pods of its StatefulSet end');
  if (pod.override) return stop('a person has let it go');
  if (killedAtMs !== undefined && killedAtMs - nowMs < shutdownMs)
    return stop('its grace period leaves no time to wait');
  if (evidence === undefined) return notKnown(asked, 'nothing is known of the cluster');
  const holder = holderIn(evidence);
  const own = holder?.podUid === pod.uid ? { leaseId: holder.id } : {};
  const verdict = judge(inTurn(evidence, asked, holder), {
    pod: { ...pod, terminating: false },
    nowMs,
    ...own,
    ...(policy === undefined ? {} : { policy }),
  });
  return answerOf(verdict, asked);
}

function answerOf(verdict: Verdict, asked: Stop): StopAnswer {
  if (verdict.kind !== 'deny')
    return stop(verdict.kind === 'allow' ? 'the others can spare it' : verdict.why);
  const reasons = verdict.reasons.filter(({ why }) => mayPass.has(why));
  if (reasons.length > 0)
    return { ...wait(refusal({ ...verdict, reasons }).replaceAll(/\s+/g, ' ')), known: true };
  const instead = 'no partition is known to fall below its minimum';
  return verdict.reasons.some(unclear) ? notKnown(asked, instead) : stop(instead);
}

function notKnown({ nowMs, askedSinceMs, held }: Stop, instead: string): StopAnswer {
  if (held !== undefined) return wait(held);
  return nowMs - askedSinceMs < unknownForMs ? wait('the cluster is being looked at') : stop(instead);
}

const holderIn = ({ evidence: { record } }: Prepared): Holder | undefined =>
  record.known ? record.record.holder : undefined;

/**
 * Of several that end at once one goes first, and the others after it has come back if that is soon: two that wait for each
 * other would go together in the end. For the first, those that wait are as alive as before; for them, it is on its way out.
 */
function inTurn(prepared: Prepared, { pod, waiting }: Stop, holder: Holder | undefined): Prepared {
  const first = waiting.find((uid) => uid === holder?.podUid) ?? waiting[0];
  if (first !== pod.uid) return prepared;
  const { evidence } = prepared;
  const pods = evidence.pods.map((other) =>
    waiting.includes(other.uid) ? { ...other, terminating: false } : other,
  );
  return { ...prepared, evidence: { ...evidence, pods } };
}

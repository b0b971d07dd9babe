import {
  type Outcome,
  type PodFacts,
  type Prepared,
  type Verdict,
  limitsOf,
  refusal,
  reserve,
} from '../../gate/index.ts';
import type { Decide, EvictionAnswer, EvictionQuestion } from '../api/eviction.ts';
import { type Context, tell } from '../context.ts';
import { type Held, changeRecord, heldInTime } from '../disruption/index.ts';
import type { EvidenceSource, Gathered } from './evidence-source.ts';
import { type Moment, at, judged, unread } from './judgement.ts';
import { type NodePod, missingPods } from './nodes.ts';
import { inTime } from '../../in-time.ts';
import { policyOf } from './policy.ts';

export interface DecideOptions {
  readonly context: Context;
  /** This process, as the disruption record names it. */
  readonly by: string;
  readonly source: Pick<EvidenceSource, 'catchingUp' | 'fresh' | 'hurry' | 'latest' | 'ping' | 'problem'>;
  /** The cluster's pods as the informers have them. */
  readonly pods: () => readonly NodePod[];
  /** As the API server has them at this moment: a watch may have been silent for minutes before it is opened again. */
  readonly livePods: () => Promise<Pick<Moment, 'pods' | 'missingPods'>>;
  /** The record has changed. */
  readonly onReserved: () => void;
  /** The webhook waits two seconds for all of it. */
  readonly patienceMs?: Patience;
}

export interface Patience {
  readonly answer: number;
  readonly read: number;
  readonly record: number;
}

const usualPatience: Patience = { answer: 1_850, read: 1_100, record: 1_000 };

type Deny = Extract<EvictionAnswer, { verdict: 'deny' }>;
type Answered = { readonly answer: EvictionAnswer; readonly reason: string };

const deny = (reason: string, message: string): Answered => ({
  answer: { verdict: 'deny', reason, message } satisfies Deny,
  reason,
});

/**
 * Answers whether a pod may be evicted. An allow stands in the disruption record before it is said. Whatever fails is a no
 * that says what failed; an answer comes in two seconds always.
 */
export function decider(options: DecideOptions): Decide {
  const { context, source } = options;
  const patience = options.patienceMs ?? usualPatience;
  return async (question) => {
    source.hurry();
    const { answer, reason } = await inTime(
      decideNow(options, question, patience).catch((error: unknown) => failed(context, question, error)),
      patience.answer,
      () =>
        deny(
          'too-slow',
          `${question.pod} cannot go yet: it took too long to find out whether it may. The same drain will ask again.`,
        ),
    );
    if (!question.dryRun) context.metrics.evictions.inc({ verdict: answer.verdict, reason });
    context.log.info(
      { event: 'eviction-judged', pod: question.pod, dryRun: question.dryRun, user: question.user, reason },
      answer.verdict,
    );
    return answer;
  };
}

function failed({ log }: Context, { pod }: EvictionQuestion, error: unknown): Answered {
  const text = error instanceof Error ? error.message : String(error);
  log.warn({ event: 'eviction-not-judged', pod, err: error }, text);
  return deny('failed', `${pod} cannot go yet: it could not be judged (${text}). It will be asked again.`);
}

async function decideNow(
  options: DecideOptions,
  question: EvictionQuestion,
  patience: Patience,
): Promise<Answered> {
  const { context, source } = options;
  const pod = podOf(options.pods(), question);
  if (pod === undefined)
    return deny(
      'pod-unknown',
      `${question.pod} cannot go yet: the sidecar has not heard of this pod from the API server. It will be asked again.`,
    );
  const atOnce = judged(unread, { pod: { ...pod, override: false }, nowMs: context.now().getTime() });
  if (atOnce.kind === 'pass') return passed(context, question, atOnce);
  const freshMs = limitsOf(source.latest?.kafka.settings.values() ?? []).freshMs;
  const [gathered, held] = await Promise.all([
    // What is nearly too old would be so by the end of the verdict.
    source.fresh(0.75 * freshMs, patience.read),
    heldInTime(context, patience.record),
  ]);
  const moment = {
    pods: options.pods(),
    missingPods: missingPods(context.world()),
    record: held.known,
    catchingUp: source.catchingUp,
  };
  const prepared = at(gathered?.prepared ?? source.latest?.prepared ?? unread, moment);
  const { sets, rebalances } = context.world();
  const ask = (evidence: Prepared): Verdict =>
    judged(evidence, { pod, nowMs: context.now().getTime(), policy: policyOf(sets) }, rebalances);
  let verdict = ask(prepared);
  // What was read may be two seconds old. A process that has stopped since then shows at once.
  if (verdict.kind === 'allow') {
    // So does a pod that has begun to end.
    const [pings, now] = await Promise.all([source.ping(), options.livePods()]);
    verdict = ask(at(prepared, { ...moment, ...now, pings }));
  }
  if (verdict.kind === 'pass') return passed(context, question, verdict);
  if (verdict.kind === 'deny') return denied(verdict, gathered, source);
  const note = noteOf(verdict);
  if (question.dryRun) return { answer: { verdict: 'allow', ...note }, reason: 'allowed' };
  const refused = await reserved(options, pod, held);
  if (refused !== undefined) return refused;
  return { answer: { verdict: 'allow', ...note }, reason: 'allowed' };
}

/** The pod of that UID, with what the webhook sees of its node. */
function podOf(pods: readonly NodePod[], { podUid, node, override }: EvictionQuestion): NodePod | undefined {
  const pod = pods.find(({ uid }) => uid === podUid);
  if (pod === undefined) return undefined;
  const facts: Pick<PodFacts, 'node'> =
    node === undefined
      ? {}
      : { node: { cordoned: node.cordoned, tainted: node.taints.length > 0, gone: false } };
  return { ...pod, ...facts, override: override === podUid };
}

async function passed(
  context: Context,
  question: EvictionQuestion,
  verdict: Extract<Verdict, { kind: 'pass' }>,
): Promise<Answered> {
  const { why, overridden = [] } = verdict;
  if (why === 'override' && !question.dryRun) {
    const setAside = [...new Set(overridden.map((reason) => reason.why))].join(', ') || 'nothing';
    const pod = context.world().pods.find(({ metadata }) => metadata.uid === question.podUid);
    if (pod !== undefined)
      void tell(
        context,
        { ...pod, apiVersion: 'v1', kind: 'Pod' },
        {
          type: 'Warning',
          reason: 'GateOverridden',
          message: `Evicted by ${question.user} past the gate, which would have said: ${setAside}.`,
          action: 'JudgeEviction',
        },
      );
  }
  return { answer: { verdict: 'pass', note: why }, reason: why };
}

const noteOf = ({ atMin }: Verdict): { note?: string } =>
  atMin === undefined
    ? {}
    : {
        note: `${atMin.count} partitions have no replica to spare and are unavailable, or written without redundancy, until it is back`,
      };

function denied(
  verdict: Extract<Verdict, { kind: 'deny' }>,
  gathered: Gathered | undefined,
  { problem }: DecideOptions['source'],
): Answered {
  const known = verdict.reasons.find(({ why }) => why === 'lease-held' || why === 'other-away');
  if (gathered === undefined && known === undefined) {
    // What an old read says would only mislead.
    if (problem !== undefined)
      return deny(
        'kafka-away',
        `${verdict.pod} cannot go yet: Kafka cannot be asked (${problem}), and nobody else knows whether replicas are in sync.`,
      );
    return deny(
      'checking',
      `${verdict.pod} cannot go yet: checking whether its cluster can spare it; the same drain will ask again in a few seconds.`,
    );
  }
  return deny(verdict.reasons[0]?.why ?? 'unknown', refusal(verdict));
}

/** Undefined where the reservation stands; else what came between. */
async function reserved(
  { context, by, onReserved }: DecideOptions,
  pod: NodePod,
  held: Held,
): Promise<Answered | undefined> {
  const claim = { id: `eviction/${pod.uid}`, by };
  const subject = {
    pod: pod.name,
    podUid: pod.uid,
    ...(pod.nodeId === undefined ? {} : { broker: pod.nodeId }),
    ...(pod.set === '' ? {} : { set: pod.set }),
  };
  let outcome: Outcome;
  try {
    outcome = await changeRecord(
      context,
      (record) => reserve(record, claim, subject, context.now().getTime()),
      held,
    );
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return deny(
      'record-not-written',
      `${pod.name} cannot go yet: the disruption record could not be written (${text}). It will be asked again.`,
    );
  }
  onReserved();
  if (outcome.ok) return undefined;
  return deny('lease-held', `${pod.name} cannot go yet: ${outcome.message}.`);
}

import type { Evidence, Grounds, Limits, PodFacts, ViewHead } from './evidence.ts';
import { limitsOf } from './evidence.ts';
import { livenessReasons } from './liveness.ts';
import type { Prepared } from './prepared.ts';
import { prepare } from './prepared.ts';
import { quorumReasons } from './quorum.ts';
import type { AwayState, Partitions, PassWhy, Reason, Verdict } from './reasons.ts';
import type { Scan } from './scan.ts';

export interface Policy {
  /** Partitions whose replication factor is at or below their minimum: not named, named, or in the way. */
  readonly rfAtMin: 'ignore' | 'warn' | 'block';
  /**
   * Whether a voter may go whose quorum of one or two can never spare it: a roll that was asked for has to end some time,
   * an eviction may find another node.
   */
  readonly lastVoter: 'stays' | 'goes';
  /** A pod evicted this often within the window, each time from a node that nobody drains, stays. */
  readonly loop: { readonly times: number; readonly windowMs: number };
}

export const defaultPolicy: Policy = {
  rfAtMin: 'warn',
  lastVoter: 'stays',
  loop: { times: 3, windowMs: 3_600_000 },
};

export interface Question {
  readonly pod: PodFacts;
  readonly nowMs: number;
  readonly policy?: Policy;
  /** Whoever holds the lease asks for itself: its id, which is then not in the way. */
  readonly leaseId?: string;
}

/** May this pod go now? */
export const verdict = (evidence: Evidence, question: Question): Verdict =>
  judge(prepare(evidence), question);

/** As `verdict`, on evidence that was prepared when it was read. */
export function judge(prepared: Prepared, question: Question): Verdict {
  const { pod, nowMs } = question;
  const passed = passOf(pod);
  if (passed !== undefined) return { kind: 'pass', pod: pod.name, why: passed };
  const { evidence } = prepared;
  const gathered = gather(prepared, question);
  const said = { pod: pod.name, ...ageOf(evidence, nowMs), ...gathered.atMin };
  const { reasons } = gathered;
  if (fencedPass(evidence, question, gathered)) return { kind: 'pass', ...said, why: 'fenced' };
  if (pod.override) return { kind: 'pass', ...said, why: 'override', overridden: reasons };
  if (reasons.length === 0) return { kind: 'allow', ...said };
  return { kind: 'deny', ...said, reasons, waitingFor: evidence.catchingUp };
}

/** Pods that hold nothing up by going. */
function passOf(pod: PodFacts): PassWhy | undefined {
  if (!pod.member) return 'other';
  if (pod.terminating) return 'terminating';
  if (pod.phase === 'Failed' || pod.phase === 'Succeeded') return 'finished';
  return pod.everStarted ? undefined : 'never-started';
}

interface Gathered {
  readonly reasons: readonly Reason[];
  readonly atMin: { readonly atMin?: Partitions };
  readonly limits: Limits;
  /** Reasons that stand in the way of a fenced broker's passing, too. */
  readonly groundwork: readonly Reason[];
  readonly needed: boolean;
}

function gather(prepared: Prepared, question: Question): Gathered {
  const { evidence } = prepared;
  const { pod, nowMs, policy = defaultPolicy } = question;
  const limits = limitsOf(evidence.settings.values());
  const lease = [
    ...leaseReasons(evidence, question),
    ...awayReasons(evidence, pod),
    ...loopReasons(evidence, question),
  ];
  const quorum = evidence.mode === 'kraft' ? kraftReasons(evidence, question, limits) : [];
  const id = pod.nodeId === undefined ? [{ why: 'unknown', what: 'node-id' } as const] : [];
  if (!pod.broker || pod.nodeId === undefined) {
    const reasons = [...lease, ...id, ...quorum];
    return { reasons, atMin: {}, limits, groundwork: reasons, needed: true };
  }
  const broker = pod.nodeId;
  const views = evidence.views.filter((view) => view.broker !== broker);
  const seen = viewReasons(evidence, views, { limits, nowMs, needed: viewsNeeded(evidence, pod) });
  const found = prepared.scanOf(broker);
  const reasons = [
    ...partitionReasons(
      found,
      limits,
      views.map((view) => view.broker),
      policy,
    ),
    ...quorum,
    ...livenessReasons(evidence, found.survivors, limits, nowMs),
    ...lease,
    ...seen,
    ...configReasons(evidence, found, limits, nowMs),
  ];
  return {
    reasons,
    atMin: found.atMin.count > 0 && policy.rfAtMin === 'warn' ? { atMin: found.atMin } : {},
    limits,
    groundwork: [...quorum, ...seen],
    needed: found.leaderless.count > 0 || found.disagree.count > 0,
  };
}

/**
 * A broker that is away as far as two others see loses nobody anything, unless the quorum still counts on its node or a
 * partition without a leader waits for it (B3). With its Node object gone there is nothing left to wait for.
 */
function fencedPass({ views }: Grounds, { pod, nowMs }: Question, gathered: Gathered): boolean {
  const { nodeId } = pod;
  if (!pod.broker || nodeId === undefined || gathered.groundwork.length > 0) return false;
  const others = views.filter(({ broker }) => broker !== nodeId);
  if (others.length < 2) return false;
  const fenced = others.every(({ fencedSinceMs }) => {
    const since = fencedSinceMs.get(nodeId);
    return since !== undefined && nowMs - since >= gathered.limits.fencedMs;
  });
  return fenced && (!gathered.needed || pod.node?.gone === true);
}

function leaseReasons({ record }: Grounds, { pod, leaseId }: Question): Reason[] {
  if (!record.known) return [{ why: 'unknown', what: 'record', detail: record.problem }];
  const { holder } = record.record;
  if (holder === undefined || holder.id === leaseId) return [];
  if (holder.state === 'reserved' && holder.podUid === pod.uid) return [];
  const { kind, id, sinceMs } = holder;
  const step = holder.state === 'held' ? holder.step : 'reserved';
  return [
    { why: 'lease-held', kind, id, sinceMs, step, ...(holder.pod === undefined ? {} : { pod: holder.pod }) },
  ];
}

/** As a disruption budget counts: a pod that is not ready is one that is down. */
function awayReasons({ pods, missingPods }: Grounds, { name }: PodFacts): Reason[] {
  const state = (other: PodFacts): AwayState | undefined =>
    other.terminating ? 'terminating' : other.ready ? undefined : 'not ready';
  const there = pods
    .filter((other) => other.member && other.name !== name)
    .flatMap((other) => ({ pod: other.name, state: state(other) }));
  const missing = missingPods.filter((other) => other !== name);
  const away = [...there, ...missing.map((pod) => ({ pod, state: 'missing' as const }))].flatMap((one) =>
    one.state === undefined ? [] : [{ pod: one.pod, state: one.state }],
  );
  return away.length === 0 ? [] : [{ why: 'other-away', pods: away }];
}

function loopReasons(
  { record }: Grounds,
  { pod, nowMs, leaseId, policy = defaultPolicy }: Question,
): Reason[] {
  const { times, windowMs } = policy.loop;
  if (!record.known || leaseId !== undefined || pod.node?.cordoned === true || pod.node?.tainted === true)
    return [];
  const recent = record.record.evictions.filter(
    (past) => past.pod === pod.name && nowMs - past.atMs < windowMs,
  );
  return recent.length < times ? [] : [{ why: 'eviction-loop', times: recent.length, windowMs }];
}

function kraftReasons(
  evidence: Grounds,
  { pod, nowMs, policy = defaultPolicy }: Question,
  limits: Limits,
): Reason[] {
  const { quorum, pods } = evidence;
  const ageMs = nowMs - (quorum?.readAtMs ?? nowMs);
  const old = oldReason('quorum', ageMs, limits.freshMs);
  const reasons = quorumReasons(quorum, pod.nodeId, limits, pods);
  const inTheWay = reasons.filter(({ why }) => policy.lastVoter === 'stays' || why !== 'quorum-majority');
  return [...inTheWay, ...old];
}

const oldReason = (
  what: 'quorum' | 'view' | 'min-isr',
  ageMs: number,
  limitMs: number,
  broker?: number,
): Reason[] =>
  ageMs >= 0 && ageMs <= limitMs
    ? []
    : [{ why: 'too-old', what, ageMs, limitMs, ...(broker === undefined ? {} : { broker }) }];

/** Two of other brokers; all others where there are fewer. */
const viewsNeeded = ({ pods }: Grounds, { name }: PodFacts): number =>
  Math.min(2, pods.filter((other) => other.member && other.broker && other.name !== name).length);

interface ViewLimits {
  readonly limits: Limits;
  readonly nowMs: number;
  readonly needed: number;
}

/** Enough of them; every one fresh, and as far as the quorum had committed when it was asked. */
function viewReasons(
  { mode, quorum }: Grounds,
  views: readonly ViewHead[],
  { limits, nowMs, needed }: ViewLimits,
): Reason[] {
  if (needed === 0 && views.length === 0) return [];
  const enough: Reason[] =
    new Set(views.map(({ broker }) => broker)).size >= needed ? [] : [{ why: 'unknown', what: 'views' }];
  const each = views.flatMap((view): Reason[] => {
    const old = oldReason('view', nowMs - view.readAtMs, limits.freshMs, view.broker);
    if (mode === 'zookeeper' || quorum === undefined) return old;
    if (view.metadataOffset === undefined)
      return [...old, { why: 'unknown', what: 'metadata-offset', broker: view.broker }];
    const behind = view.readAtMs < quorum.readAtMs || view.metadataOffset < quorum.highWatermark;
    return behind ? [...old, { why: 'view-behind', broker: view.broker }] : old;
  });
  return [...enough, ...each, ...(mode === 'zookeeper' ? controllerReasons(views) : [])];
}

/** Without a quorum to ask, the views have to name one controller. */
function controllerReasons(views: readonly ViewHead[]): Reason[] {
  const controllers = new Set(views.map(({ controllerId }) => controllerId ?? -1));
  return controllers.size === 1 && !controllers.has(-1) ? [] : [{ why: 'unknown', what: 'controller' }];
}

function configReasons({ minIsr, settings }: Grounds, found: Scan, limits: Limits, nowMs: number): Reason[] {
  const age = minIsr === undefined ? [] : oldReason('min-isr', nowMs - minIsr.readAtMs, limits.configMs);
  const { partitions } = found.unknownMin;
  const detail = partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(', ');
  const unknown: Reason[] = found.unknownMin.count > 0 ? [{ why: 'unknown', what: 'min-isr', detail }] : [];
  const unset = [...found.survivors].filter((broker) => !settings.has(broker)).sort((a, b) => a - b);
  return [
    ...age,
    ...unknown,
    ...unset.map((broker): Reason => ({ why: 'unknown', what: 'settings', broker })),
  ];
}

function partitionReasons(found: Scan, limits: Limits, brokers: readonly number[], policy: Policy): Reason[] {
  const { below, leaderless, unstable, disagree, atMin } = found;
  const reasons: Reason[] = [];
  if (below.count > 0) reasons.push({ why: 'below-min-isr', ...below });
  if (leaderless.count > 0) reasons.push({ why: 'leaderless', ...leaderless });
  if (policy.rfAtMin === 'block' && atMin.count > 0) reasons.push({ why: 'rf-at-min', ...atMin });
  if (unstable.count > 0)
    reasons.push({
      why: 'unstable-isr',
      shortestMs: found.shortestMs,
      neededMs: limits.stableMs,
      ...unstable,
    });
  if (disagree.count > 0) reasons.push({ why: 'views-disagree', brokers, ...disagree });
  return reasons;
}

function ageOf({ quorum, views, pings }: Grounds, nowMs: number): { evidenceAgeMs?: number } {
  const times = [
    ...(quorum === undefined ? [] : [quorum.readAtMs]),
    ...views.map(({ readAtMs }) => readAtMs),
    ...[...pings.values()].map(({ sentAtMs }) => sentAtMs),
  ];
  return times.length === 0 ? {} : { evidenceAgeMs: nowMs - Math.min(...times) };
}

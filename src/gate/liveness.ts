import type { Grounds, Limits, PodFacts } from './evidence.ts';
import { leaderClock } from './evidence.ts';
import { isCaughtUp } from './quorum.ts';
import type { NotAliveCause, Reason } from './reasons.ts';

/**
 * Whether brokers that an ISR counts are alive: their pod runs and stays, they read the metadata up to the moment (a broker
 * that cannot stays in ISRs until its session is over), and they answer. An ISR alone overstates for up to the session's
 * time for a dead process.
 */
export function livenessReasons(
  evidence: Grounds,
  brokers: Iterable<number>,
  limits: Limits,
  nowMs: number,
): Reason[] {
  const dead: { broker: number; cause: NotAliveCause }[] = [];
  const reasons: Reason[] = [];
  const facts = factsOf(evidence, limits);
  for (const broker of [...brokers].sort((a, b) => a - b)) {
    const cause = causeOf(facts, broker);
    if (cause !== undefined) dead.push({ broker, cause });
    else reasons.push(...pingReasons(evidence, broker, limits, nowMs));
  }
  return dead.length > 0 ? [{ why: 'not-alive', brokers: dead }, ...reasons] : reasons;
}

interface Facts {
  readonly evidence: Grounds;
  readonly pods: ReadonlyMap<number, readonly PodFacts[]>;
  /** Whose fetches and reads of the metadata are up to the moment. */
  readonly reading: ReadonlySet<number>;
}

function factsOf(evidence: Grounds, limits: Limits): Facts {
  const pods = Map.groupBy(
    evidence.pods.filter((pod) => pod.broker),
    (pod) => pod.nodeId ?? -1,
  );
  const { quorum } = evidence;
  const clockMs = quorum === undefined ? undefined : leaderClock(quorum);
  const members =
    quorum === undefined || clockMs === undefined ? [] : [...quorum.voters, ...quorum.observers];
  const reading = members.filter((member) => isCaughtUp(member, clockMs ?? NaN, limits.freshMs));
  return { evidence, pods, reading: new Set(reading.map(({ id }) => id)) };
}

function causeOf({ evidence, pods, reading }: Facts, broker: number): NotAliveCause | undefined {
  const own = pods.get(broker) ?? [];
  if (own.length === 0) return 'no-pod';
  if (own.some(({ terminating }) => terminating)) return 'terminating';
  if (!own.some(({ phase, everStarted }) => phase === 'Running' && everStarted)) return 'not-running';
  if (evidence.views.some((view) => view.fencedSinceMs.has(broker))) return 'fenced';
  const ping = evidence.pings.get(broker);
  if (ping !== undefined && ping.tookMs === undefined) return 'no-answer';
  return evidence.mode === 'zookeeper' || reading.has(broker) ? undefined : 'metadata-behind';
}

function pingReasons({ pings }: Grounds, broker: number, limits: Limits, nowMs: number): Reason[] {
  const ping = pings.get(broker);
  if (ping === undefined) return [{ why: 'unknown', what: 'ping', broker }];
  const ageMs = nowMs - ping.sentAtMs;
  return ageMs >= 0 && ageMs <= limits.freshMs
    ? []
    : [{ why: 'too-old', what: 'ping', broker, ageMs, limitMs: limits.freshMs }];
}

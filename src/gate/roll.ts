import type { DisruptionRecord, Reservation } from './record.ts';
import { confirm, isFollowed, lapse, take, takeOver } from './record.ts';
import type { Decision, RollPod, RollSnapshot } from './roll-model.ts';
import {
  carryOn,
  isExpected,
  isOutdated,
  isUseless,
  rollOf,
  setOf,
  sweepBeside,
  wait,
  written,
} from './way-back.ts';

/**
 * The next thing to do for the nodes of one cluster, over all its StatefulSets. Whatever is under way comes first; then a
 * node that went without asking; then the next pod of another revision than its template, one at a time. While a rebalance or
 * a scale-in holds the record, only what never came up and fails is replaced: it may be what that one waits for.
 */
export function nextStep(snapshot: RollSnapshot): Decision {
  const { record: known, by } = snapshot;
  if (!known.known) return wait({ for: 'record', problem: known.problem });
  const { record } = known;
  const { holder } = record;
  if (holder === undefined) return notice(snapshot, record) ?? begin(snapshot, record);
  if (!isFollowed(holder)) {
    const rolls = snapshot.pods.some((pod) => isOutdated(pod, setOf(snapshot.sets, pod)));
    return sweepBeside(snapshot) ?? wait({ for: 'lease', holder, rolls });
  }
  if (holder.by !== by) return written(takeOver(record, by));
  return holder.state === 'reserved' ? settle(snapshot, record, holder) : carryOn(snapshot, record, holder);
}

/** A reservation ends when its pod is seen to go, or is seen not to have gone in time. */
function settle(snapshot: RollSnapshot, record: DisruptionRecord, reservation: Reservation): Decision {
  const { pods, podsReadAtMs, nowMs } = snapshot;
  const pod = pods.find(({ uid }) => uid === reservation.podUid);
  if (pod === undefined || pod.terminating)
    return written(confirm(record, reservation, reservation.podUid ?? '', nowMs));
  return podsReadAtMs > reservation.expiresMs
    ? written(lapse(record, podsReadAtMs, pod))
    : wait({ for: 'lease', holder: reservation });
}

/**
 * A node that Kafka knows is away though nobody was asked (H10: preemption, taints, a dead machine, `kubectl delete pod`).
 * It takes the lease like any other, so that nothing else goes meanwhile.
 */
function notice(snapshot: RollSnapshot, record: DisruptionRecord): Decision | undefined {
  const { pods, known, sets, by, nowMs } = snapshot;
  for (const [name, { nodeId, set, ordinal }] of known) {
    const pod = pods.find((candidate) => candidate.name === name);
    // What its set does not ask for any more may be away.
    if (!sets.some((facts) => facts.name === set && isExpected(ordinal, facts))) continue;
    const away = pod === undefined || pod.terminating || (pod.everReady && pod.serving === 'no');
    if (!away) continue;
    const uid = pod === undefined ? {} : { podUid: pod.uid };
    const what = { kind: 'loss', pod: name, broker: nodeId, set, ...uid } as const;
    return written(take(record, { id: `loss/${pod?.uid ?? name}`, by }, what, nowMs));
  }
  return undefined;
}

function begin(snapshot: RollSnapshot, record: DisruptionRecord): Decision {
  const unobserved = snapshot.sets.find(({ observed }) => !observed);
  const behind = snapshot.pods.filter((pod) => isOutdated(pod, setOf(snapshot.sets, pod)));
  const outdated = behind.filter((pod) => setOf(snapshot.sets, pod)?.blocked === undefined);
  const blocked =
    outdated.length === 0 && behind[0] !== undefined ? setOf(snapshot.sets, behind[0]) : undefined;
  if (blocked?.blocked !== undefined)
    return wait({ for: 'preflight', set: blocked.name, problem: blocked.blocked });
  if (outdated.length === 0)
    return unobserved === undefined ? { do: 'rest' } : wait({ for: 'set', set: unobserved.name });
  const useless = outdated.find((pod) => isUseless(pod) && !pod.terminating);
  if (useless !== undefined) return begun(snapshot, record, useless);
  if (snapshot.activeController === undefined) return wait({ for: 'active-controller' });
  const { activeController, ask } = snapshot;
  const [first, ...rest] = rollOrder(outdated, activeController);
  // The active controller waits until it is the only one left, even where the others may not go yet.
  const turns = [first, ...rest.filter(({ nodeId }) => nodeId !== activeController)];
  const verdicts = turns.flatMap((pod) => (pod === undefined ? [] : [{ pod, verdict: ask(pod) }]));
  const next = verdicts.find(({ verdict }) => verdict.kind !== 'deny');
  if (next === undefined)
    return verdicts[0] === undefined
      ? { do: 'rest' }
      : wait({ for: 'verdict', verdict: verdicts[0].verdict });
  return begun(snapshot, record, next.pod);
}

function begun({ by, nowMs }: RollSnapshot, record: DisruptionRecord, pod: RollPod): Decision {
  const { name, uid, nodeId, set } = pod;
  const broker = nodeId === undefined ? {} : { broker: nodeId };
  const what = { kind: 'roll', pod: name, podUid: uid, set, ...broker } as const;
  return written(take(record, { id: rollOf(uid), by }, what, nowMs));
}

/**
 * Broken pods first (they cost nothing), then controllers without brokers, then brokers, each set from its highest ordinal
 * down as Kubernetes does; the active controller last, so that its office changes once and not with every pod.
 */
export function rollOrder(pods: readonly RollPod[], activeController: number): RollPod[] {
  const rank = (pod: RollPod): number => {
    if (isUseless(pod)) return 0;
    if (pod.nodeId === activeController) return 3;
    return pod.broker ? 2 : 1;
  };
  return [...pods].sort(
    (a, b) => rank(a) - rank(b) || (a.set < b.set ? -1 : a.set > b.set ? 1 : 0) || b.ordinal - a.ordinal,
  );
}

import {
  type Decision,
  type Holder,
  type RecordKnown,
  isFollowed,
  isUseless,
  nextStep,
} from '../../gate/index.ts';
import { paths } from '../../kubernetes/paths.ts';
import { keys } from '../../names.ts';
import type { Decide } from '../api/eviction.ts';
import type { ClusterSet } from '../cluster-set.ts';
import { type Context, type Report } from '../context.ts';
import { carryOut } from './acts.ts';
import { changeRecordFrom, readRecord } from '../disruption/index.ts';
import { thawAll } from '../disruption/leftovers.ts';
import { isLeaving } from '../farewell/request.ts';
import type { Pod } from '../objects.ts';
import { decider } from './decide.ts';
import { EvidenceSource, type Periods } from './evidence-source.ts';
import { type Moment, at, judged, percentOf } from './judgement.ts';
import type { GateKafka } from './kafka-reader.ts';
import { type Mirrored, mirrorOf, restsAt } from './mirror.ts';
import { type NodePod, knownNodes, missingPods, nodeIdsOf, nodePods, servingIds } from './nodes.ts';
import { policyOf } from './policy.ts';
import { Readiness } from './readiness.ts';
import { rollPod, rollPolicy, snapshotOf } from './snapshot.ts';
import { RecordTtl } from './names.ts';
import { PreferredLeaders } from './preferred-leaders.ts';
import { holdsOf } from './holds.ts';
import { tellStep } from './step-events.ts';
import { disruptedFinding, disruptionStatus, rollFinding, waitingText } from './told.ts';

export interface GateOptions {
  readonly context: Context;
  /** A client of its own: what others ask must not hold up what a verdict waits for. */
  readonly kafka: GateKafka;
  /** This process, as the disruption record names it. */
  readonly by: string;
  /** Another pass of the duty `disruption`, or `budget`, is due. */
  readonly wake: (duty: 'disruption' | 'budget') => void;
  readonly periods?: Periods;
  /** Why a set's template must not be rolled out, where it must not. */
  readonly blocked?: (set: ClusterSet) => string | undefined;
  /** Left out: as the cluster's DNS tells. */
  readonly recordTtl?: Pick<RecordTtl, 'look' | 'ms'>;
}

/** The disruption gate of one cluster, for one term of the sidecar's lease. */
export interface Gate {
  /** What it reads of Kafka, for whoever only looks. */
  readonly evidence: EvidenceSource;
  readonly decide: Decide;
  /** One pass of the duty `disruption`. */
  reconcile(): Promise<Report>;
  /** What the disruption budget should say. */
  budget(): Pick<Mirrored, 'maxUnavailable' | 'why'>;
  /** Something has changed that Kafka should be asked about. */
  look(): void;
  /** Reads Kafka until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

const periodsMs = {
  afterwards: 120_000,
  idle: 30_000,
  busy: 1_000,
  hurry: 10_000,
  slowly: 5_000,
  longAfter: 300_000,
};
/** A pass takes so many steps at most; the next goes on. */
const stepsPerPass = 8;

export function gateOf(options: GateOptions): Gate {
  const { context, kafka, by, wake } = options;
  const nowMs = () => context.now().getTime();
  const memory = {
    ids: new Map<string, number>(),
    seen: new Set<number>(),
    readiness: new Readiness(),
    mirrored: undefined as Mirrored | undefined,
    /** What the budget was last told to say. */
    said: '',
    /** A disruption was under way at this time. */
    disruptedAtMs: -Infinity,
  };
  const source = new EvidenceSource({
    kafka,
    nowMs,
    nodes: () => servingIds(context.world().sets, memory.ids),
    onRead: () => {
      learn();
      tellBudget();
      wake('disruption');
    },
    log: context.log,
    ...(options.periods === undefined ? {} : { periods: options.periods }),
  });
  const recordTtl = options.recordTtl ?? new RecordTtl({ nowMs: () => performance.now() });
  const leaders = new PreferredLeaders({ context, kafka, nowMs });
  const pods = (): NodePod[] => nodePods(context.world(), context.cluster, memory.ids);

  /** Ids and nodes, from what Kafka says; what was once seen stays known. */
  function learn(): void {
    const { latest } = source;
    if (latest === undefined) return;
    const { brokers, kafka: evidence } = latest;
    context.metrics.gateEvidence.readAtMs = latest.atMs;
    for (const [pod, id] of nodeIdsOf(context.world().sets, brokers)) memory.ids.set(pod, id);
    for (const { id } of brokers) memory.seen.add(id);
    for (const { id, lastFetchMs } of [
      ...(evidence.quorum?.voters ?? []),
      ...(evidence.quorum?.observers ?? []),
    ])
      if (lastFetchMs >= 0) memory.seen.add(id);
    for (const id of evidence.named) memory.seen.add(id);
  }

  const momentOf = (record: RecordKnown, seen: readonly NodePod[]): Moment => ({
    pods: seen,
    missingPods: missingPods(context.world()),
    record,
    catchingUp: source.catchingUp,
  });

  const budget = () =>
    restsAt(memory.mirrored, { nowMs: nowMs(), problem: source.problem, silent: source.silent });

  function tellBudget(): void {
    const { maxUnavailable, why } = budget();
    const said = `${maxUnavailable} ${why}`;
    if (said !== memory.said) wake('budget');
    memory.said = said;
  }

  function mirror(record: RecordKnown): void {
    const { latest } = source;
    if (latest !== undefined)
      memory.mirrored = mirrorOf(
        at(latest.prepared, momentOf(record, pods())),
        latest.seenAtMs,
        policyOf(context.world().sets),
      );
    tellBudget();
  }

  /** One decision on the record as it is. */
  async function decisionOn(known: RecordKnown): Promise<Decision> {
    if (!known.known) return { do: 'wait', waiting: { for: 'record', problem: known.problem } };
    const { holder } = known.record;
    const expired = holder?.state === 'reserved' && nowMs() > holder.expiresMs;
    const podsReadAtMs = nowMs();
    // An informer may be behind: that a pod has not begun to end is asked of the API server itself.
    const seen = expired
      ? nodePods({ ...context.world(), pods: await livePods(context) }, context.cluster, memory.ids)
      : pods();
    memory.readiness.note(seen, nowMs());
    return nextStep(
      snapshotOf({
        nowMs: nowMs(),
        by,
        sets: context.world().sets,
        pods: seen,
        podsReadAtMs: expired ? podsReadAtMs : 0,
        ...memory,
        record: known,
        gathered: source.latest,
        moment: momentOf(known, seen),
        recordTtlMs: recordTtl.ms,
        blocked: options.blocked ?? (() => undefined),
      }),
    );
  }

  const live = async () => {
    const world = { ...context.world(), pods: await livePods(context) };
    return { pods: nodePods(world, context.cluster, memory.ids), missingPods: missingPods(world) };
  };

  /** Judged once more before a pod is deleted; one that was never of use may go whatever else is. */
  async function mayStillGo(uid: string, known: RecordKnown): Promise<boolean> {
    const { latest } = source;
    const holder = known.known ? known.record.holder : undefined;
    const [pings, now] = await Promise.all([source.ping(), live()]);
    const pod = now.pods.find((one) => one.uid === uid);
    if (pod === undefined || pod.terminating) return false;
    if (isUseless(rollPod(pod, latest?.kafka, memory.readiness.firstMs(pod.uid)))) return true;
    if (latest === undefined) return false;
    const prepared = at(latest.prepared, { ...momentOf(known, now.pods), ...now, pings });
    const policy = rollPolicy(context.world().sets);
    const leaseId = holder === undefined ? {} : { leaseId: holder.id };
    return judged(prepared, { pod, nowMs: nowMs(), policy, ...leaseId }).kind !== 'deny';
  }

  /** Steps until one has to wait. Returns the record as it is then, and what is waited for. */
  async function goOn(first: RecordKnown): Promise<GoneOn> {
    let known = first;
    for (let left = stepsPerPass; ; left--) {
      const decision = await decisionOn(known);
      if (decision?.do === 'write' && known.known && left > 0) {
        const { record } = decision;
        const stored = await changeRecordFrom(context, known.record, () => ({ ok: true, record }));
        if (!stored.ok) return { known, decision: undefined };
        await tellStep(context, known.record, decision.record);
        await tellLeaders(known.record.holder, decision.record.holder);
        known = { known: true, record: decision.record };
        continue;
      }
      await elect(decision);
      if (decision?.do === 'delete' || decision?.do === 'keep' || decision?.do === 'partition') {
        const record = known;
        const act = { context, mayStillGo: (uid: string) => mayStillGo(uid, record) };
        return { known, decision, problem: await carryOut(act, decision) };
      }
      return { known, decision };
    }
  }

  async function elect(decision: Decision | undefined): Promise<void> {
    if (decision?.do === 'elect') await leaders.elect(source.latest?.kafka, decision.broker);
  }

  async function tellLeaders(from: Holder | undefined, to: Holder | undefined): Promise<void> {
    if (from?.state !== 'held' || from.step !== 'leaders' || to !== undefined) return;
    await leaders.ended(source.latest?.kafka, from.broker ?? -1, from.set);
  }

  async function reconcile(): Promise<Report> {
    if (context.world().sets.length === 0) return { conditions: [] };
    // From a farewell on, rolls are Kubernetes' own: nobody would go on with what is begun now.
    if (isLeaving(context.world().kafkaCluster, context.now())) {
      await thawAll(context);
      mirror((await readRecord(context)).known);
      return { conditions: [], facts: { holds: [] }, againInMs: periodsMs.slowly };
    }
    const { known: first } = await readRecord(context);
    const { known, decision, problem } = await goOn(first);
    mirror(known);
    const holder = known.known ? known.record.holder : undefined;
    context.metrics.disruptionHeld.reset();
    if (holder !== undefined) context.metrics.disruptionHeld.set({ kind: holder.kind }, 1);
    if (holder !== undefined) recordTtl.look(source.latest?.brokers[0]?.host);
    const againInMs = watch(holder, decision);
    const waitingFor = waitingText(decision) ?? rebalancing(context, holder);
    const status = known.known ? disruptionStatus(known.record, waitingFor) : undefined;
    const { sets, kafkaCluster } = context.world();
    const nodes = knownNodes(sets, memory.ids, memory.seen);
    const holds = holdsOf(sets, nodes, kafkaCluster?.status?.holds ?? [], decision);
    return {
      conditions: [disruptedFinding(known, waitingFor), rollFinding(holder, decision, problem)],
      facts: { holds, ...(status === undefined ? {} : { disruption: status }) },
      againInMs,
    };
  }

  /** The budget is to open as soon as in-sync replicas have been stable again, not half a minute later. */
  const opensSoon = (): boolean =>
    nowMs() - memory.disruptedAtMs < periodsMs.afterwards && memory.mirrored?.maxUnavailable === 0;

  /** Kafka is read quickly while one of our disruptions is under way, or is to begin. Returns when to look at it again. */
  function watch(holder: Holder | undefined, decision: Decision | undefined): number {
    const own = holder !== undefined && isFollowed(holder);
    const waits = holder === undefined && decision !== undefined && decision.do !== 'rest';
    if (own) memory.disruptedAtMs = nowMs();
    source.pace(own || waits || opensSoon() ? periodsMs.slowly : Infinity);
    if (!own && !waits) return periodsMs.idle;
    if (waits && decision.do === 'wait' && decision.waiting.for === 'preflight') return periodsMs.slowly;
    if (own && nowMs() - holder.sinceMs > periodsMs.longAfter) return periodsMs.slowly;
    source.hurry(periodsMs.hurry);
    return periodsMs.busy;
  }

  return {
    evidence: source,
    decide: decider({
      context,
      by,
      source,
      pods,
      livePods: live,
      onReserved: () => wake('disruption'),
    }),
    reconcile,
    budget,
    look: () => source.look(),
    run: (signal) => source.run(signal),
  };
}

interface GoneOn {
  readonly known: RecordKnown;
  readonly decision: Decision | undefined;
  /** Why the last step could not be carried out. */
  readonly problem?: string | undefined;
}

function rebalancing(context: Context, holder: Holder | undefined): string | undefined {
  if (holder?.kind !== 'rebalance') return undefined;
  const percent = percentOf(context.world().rebalances?.find(({ metadata }) => metadata.name === holder.id));
  return percent === undefined ? 'its moves' : `its moves (${percent}%)`;
}

const livePods = ({ kube, namespace, cluster }: Context): Promise<Pod[]> =>
  kube.list<Pod>(paths.pods(namespace), { labelSelector: `${keys.node}=${cluster}` });

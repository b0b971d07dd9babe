import { limitsOf } from '../../gate/index.ts';
import { keys } from '../../names.ts';
import type { Context } from '../context.ts';
import { recordInTime } from '../disruption/index.ts';
import type { EvidenceSource } from '../gate/evidence-source.ts';
import { at } from '../gate/judgement.ts';
import { missingPods, nodeIdsOf, nodePods } from '../gate/nodes.ts';
import { inTime } from '../../in-time.ts';
import { policyOf } from '../gate/policy.ts';
import { type Stop, type StopAnswer, mayStop } from './may-stop.ts';

/** What of the gate's reading is needed: the gate's own where there is one, else one that reads while it is asked. */
export type StopEvidence = Pick<EvidenceSource, 'catchingUp' | 'fresh' | 'hurry' | 'latest' | 'ping'>;

export interface Stops {
  /** The answer for the pod of that name and UID; undefined where the cluster has no such pod. */
  answer(pod: string, uid: string): Promise<StopAnswer | undefined>;
}

/** A hook gives an answer two seconds. */
const patienceMs = { answer: 1_700, read: 1_000, record: 800 };
/** One judgement serves whoever asks again within this. */
const keptMs = 400;
/** Who was told to wait and has not asked again for this long does not wait any more. */
const silentMs = 4_000;

interface Asked {
  readonly sinceMs: number;
  lastMs: number;
  waits: boolean;
  /** What it was last told to wait for that was known. */
  held?: string;
  answer: Promise<StopAnswer>;
}

/**
 * Answers the preStop hooks of the cluster's pods, for one term of the sidecar's lease. It only looks: the record is read,
 * never written, so that anybody may ask, and a question that is repeated costs one judgement in 0.4 s at most.
 */
export function stopsOf(context: Context, source: StopEvidence): Stops {
  const asked = new Map<string, Asked>();
  const nowMs = () => context.now().getTime();

  function waiting(): string[] {
    for (const [uid, { lastMs }] of asked) if (nowMs() - lastMs > silentMs) asked.delete(uid);
    return [...asked].filter(([, { waits }]) => waits).map(([uid]) => uid);
  }

  async function look(uid: string, { sinceMs, held }: Pick<Asked, 'sinceMs' | 'held'>): Promise<StopAnswer> {
    source.hurry();
    const freshMs = limitsOf(source.latest?.kafka.settings.values() ?? []).freshMs;
    const [gathered, record] = await Promise.all([
      source.fresh(0.75 * freshMs, patienceMs.read),
      recordInTime(context, patienceMs.record),
    ]);
    const world = context.world();
    const ids = nodeIdsOf(world.sets, source.latest?.brokers ?? []);
    const pods = nodePods(world, context.cluster, ids);
    const pod = pods.find((one) => one.uid === uid);
    const object = world.pods.find(({ metadata }) => metadata.uid === uid);
    if (pod === undefined || object === undefined) return { answer: 'stop', why: 'the pod is gone' };
    const { deletionTimestamp, annotations } = object.metadata;
    const stop = (): Stop => ({
      pod: { ...pod, override: annotations?.[keys.allowEviction] === uid },
      nowMs: nowMs(),
      policy: policyOf(world.sets),
      askedSinceMs: sinceMs,
      ...(held === undefined ? {} : { held }),
      ...(deletionTimestamp === undefined ? {} : { killedAtMs: Date.parse(String(deletionTimestamp)) }),
      wanted: world.sets.some(({ name, replicas }) => name === pod.set && replicas > 0),
      waiting: waiting(),
    });
    const evidence =
      gathered &&
      at(gathered.prepared, {
        pods,
        missingPods: missingPods(world),
        record,
        catchingUp: source.catchingUp,
      });
    const first = mayStop(evidence, stop());
    if (evidence === undefined || first.answer === 'wait') return first;
    // What was read may be two seconds old: a process that has stopped since then shows at once.
    const pings = await source.ping();
    return mayStop({ ...evidence, evidence: { ...evidence.evidence, pings } }, stop());
  }

  function judged(pod: string, uid: string, before: Asked | undefined): Asked {
    const kept = before ?? { sinceMs: nowMs() };
    const answer = inTime(
      look(uid, kept).catch((error: unknown): StopAnswer => {
        context.log.warn({ event: 'stop-not-judged', pod, err: error }, 'the pod is let go');
        return { answer: 'stop', why: 'it could not be judged' };
      }),
      patienceMs.answer,
      (): StopAnswer => ({ answer: 'wait', why: 'the cluster is being looked at' }),
    );
    const next: Asked = { ...kept, lastMs: nowMs(), waits: before?.waits ?? false, answer };
    void answer.then(({ answer: said, why, known = false }) => {
      if (known) next.held = why;
      if (before === undefined || next.waits !== (said === 'wait'))
        context.log.info({ event: 'stop-judged', pod, answer: said }, why);
      if (said === 'wait' && !next.waits) context.metrics.stopsHeld.inc();
      next.waits = said === 'wait';
    });
    return next;
  }

  return {
    async answer(pod, uid) {
      const known = context
        .world()
        .pods.some(
          ({ metadata: { name, uid: own, labels } }) =>
            name === pod && own === uid && labels?.[keys.node] === context.cluster,
        );
      if (!known) return undefined;
      waiting();
      let current = asked.get(uid);
      if (current === undefined || nowMs() - current.lastMs > keptMs) {
        current = judged(pod, uid, current);
        asked.set(uid, current);
      }
      return current.answer;
    },
  };
}

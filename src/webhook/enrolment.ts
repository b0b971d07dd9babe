import { harden, isHardened } from '../hardening/index.ts';
import type { Mode, StatefulSet } from '../hardening/model.ts';
import type { Kube } from '../kubernetes/client.ts';
import { recordEvent } from '../kubernetes/events.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { KubeObject, Log } from '../kubernetes/object.ts';
import { keys } from '../names.ts';
import { openNamespaces } from './clusters.ts';
import type { WebhookMetrics } from './metrics.ts';
import { changesOf } from './wakeups.ts';

/** A Kafka StatefulSet of an enrolled namespace that is not hardened, and why. */
export interface Unhardened {
  set: StatefulSet;
  /** The rule that stands in the way; `adoption` where nothing does but that it ran before. */
  rule: string;
  /** For its owner: what is so, and what to do. */
  message: string;
}

const resyncMs = 60_000;
/** Events hold 1,024 bytes. */
const maxReasonLength = 600;

/** What adoption would change, as a command to copy. */
const planOf = (namespace: string, name: string): string =>
  `kafka-warden adopt --plan statefulset/${name} -n ${namespace}`;

const modeOf = (set: StatefulSet, mode: Mode): string => set.metadata?.annotations?.[keys.mode] ?? mode;

/** The set as one that asks for no mode of its own. */
function withoutMode(set: StatefulSet): StatefulSet {
  const { [keys.mode]: _mode, ...annotations } = set.metadata?.annotations ?? {};
  return { ...set, metadata: { ...set.metadata, annotations } };
}

/** Judges a set as if it were written anew: only a set without any other obstacle is one for adoption. */
function reasonOf(set: StatefulSet, namespace: string, mode: Mode): Pick<Unhardened, 'rule' | 'message'> {
  const { decision, findings } = harden(withoutMode(set), { namespace, mode: 'harden' });
  const obstacles = findings.filter(({ action }) => action !== 'fixed');
  const [first] = obstacles;
  if (decision !== 'hardened' && first !== undefined) {
    const { rule, message, remedy } = first;
    const more = obstacles.length > 1 ? ` (and ${obstacles.length - 1} more)` : '';
    return { rule, message: `[${rule}] ${message}${more}. ${remedy}`.slice(0, maxReasonLength) };
  }
  if (modeOf(set, mode) === 'audit')
    return { rule: 'mode', message: 'Its mode is audit: what is unsafe is only reported.' };
  return { rule: 'adoption', message: 'It was running before kafka-warden cared for its namespace.' };
}

/**
 * The report on one set; undefined where it is no Kafka, has opted out, is hardened, or is on its way out. `mode` is what is done
 * about unsafe values where the set itself does not say.
 */
export function reportOn(set: StatefulSet, mode: Mode): Unhardened | undefined {
  const { namespace = '', name = '', deletionTimestamp } = set.metadata ?? {};
  if (deletionTimestamp || isHardened(set) || !set.spec) return undefined;
  if (harden(set, { namespace, mode, old: set }).decision === 'ignored') return undefined;
  const { rule, message } = reasonOf(set, namespace, mode);
  const plan = planOf(namespace, name);
  return {
    set,
    rule,
    message: `Kafka in StatefulSet ${name} is not hardened, and is not touched. ${message} What adoption would change: ${plan}`,
  };
}

export interface EnrolmentOptions {
  /** What is done about unsafe values where a workload does not say. */
  mode: Mode;
  metrics: WebhookMetrics;
  log: Log;
  signal: AbortSignal;
}

/**
 * The Lease holder's report on what enrolment leaves alone: an Event on each unhardened Kafka set, written once as long as the
 * reason stays the same, and a metric for as long as it is so. Nothing else is written. Runs until the signal aborts.
 */
export async function reportUnhardened(
  kube: Kube,
  sources: { namespaces: Informer<KubeObject>; sets: Informer<StatefulSet> },
  { mode, metrics, log, signal }: EnrolmentOptions,
): Promise<void> {
  let told = new Map<string, string>();
  /** A set is judged once as long as it stays as it is; informers keep the object until it changes. */
  const judgements = new WeakMap<StatefulSet, Unhardened[]>();

  /** One set on which the core fails hides no other. */
  function judge(set: StatefulSet): Unhardened[] {
    try {
      const report = reportOn(set, mode);
      return report ? [report] : [];
    } catch (error) {
      const { namespace, name } = set.metadata ?? {};
      log.error({ namespace, name, err: error }, 'a StatefulSet could not be judged');
      return [];
    }
  }

  function judged(set: StatefulSet): Unhardened[] {
    const judgement = judgements.get(set) ?? judge(set);
    judgements.set(set, judgement);
    return judgement;
  }

  function unhardened(): Unhardened[] {
    const open = openNamespaces(sources.namespaces.list());
    return sources.sets
      .list()
      .filter(({ metadata }) => open.has(metadata?.namespace))
      .flatMap(judged);
  }

  async function tell({ set, message }: Unhardened): Promise<boolean> {
    const result = await recordEvent(kube, {
      regarding: { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: set.metadata ?? {} },
      type: 'Warning',
      reason: 'NotHardened',
      message,
      action: 'ReportEnrolment',
      reporter: 'webhook',
    });
    const { namespace, name } = set.metadata ?? {};
    if (result === 'recorded') log.info({ namespace, name }, 'an unhardened Kafka StatefulSet was reported');
    return result !== 'failed';
  }

  const watched = [sources.namespaces, sources.sets];
  for await (const _ of changesOf(watched, { atLeastEveryMs: resyncMs, signal, settleMs: 200 })) {
    const reports = unhardened();
    metrics.unhardened.reset();
    for (const { set, rule } of reports) {
      const { namespace = '', name = '' } = set.metadata ?? {};
      metrics.unhardened.set({ namespace, statefulset: name, rule }, 1);
    }
    const next = new Map<string, string>();
    for (const report of reports) {
      if (signal.aborted) return;
      const uid = report.set.metadata?.uid ?? '';
      if (told.get(uid) === report.message || (await tell(report))) next.set(uid, report.message);
    }
    told = next;
  }
}

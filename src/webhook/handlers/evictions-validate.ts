import { group, keys, objectsOf } from '../../names.ts';
import type { EvictionAnswer, EvictionQuestion } from '../../sidecar/api/eviction.ts';
import type { EvictionGate } from '../eviction-gate.ts';
import { isMeantToBeEmpty, loop } from '../eviction-loops.ts';
import type { Answer } from '../response.ts';
import type { Review } from '../review.ts';
import { SidecarError } from '../sidecar-client.ts';
import type { Pod } from '../trimmed.ts';

interface Eviction {
  metadata?: { name?: string };
  deleteOptions?: { dryRun?: unknown };
}

/** What is asked: which pod of which cluster, by whom, and whether in earnest. */
interface Asked {
  namespace: string;
  name: string;
  cluster: string;
  pod: Pod;
  user: string;
  dryRun: boolean;
}

const pass = (decision: string): Answer => ({ allowed: true, audit: { decision } });

/** kubectl drain tries again for a 429, and for nothing else. It is told no time: whoever waits asks every five seconds. */
const denied = (decision: string, message: string, audit: Record<string, string> = {}): Answer => ({
  allowed: false,
  code: 429,
  reason: 'TooManyRequests',
  message,
  audit: { decision, ...audit },
});

/** A drain's dry run stands in the Eviction, that of any other client beside it. */
const isDryRun = ({ dryRun, object }: Review): boolean => {
  const { dryRun: stages } = (object as Eviction | undefined)?.deleteOptions ?? {};
  return dryRun || (Array.isArray(stages) && stages.length > 0);
};

const overrideOf = ({ namespace, name, pod }: Asked): string =>
  `To let this one pod go all the same: kubectl -n ${namespace} annotate pod ${name} ` +
  `${keys.allowEviction}=${pod.metadata?.uid ?? ''} (needs the verb use on evictionoverrides.${group})`;

/** Pods that no broker runs in; true only of what the API server itself says now. */
const hasNoBroker = (pod: Pod): string | undefined => {
  if (pod.metadata?.deletionTimestamp !== undefined) return 'ending';
  const { phase = '' } = pod.status ?? {};
  if (phase === 'Failed' || phase === 'Succeeded') return 'ended';
  return phase === 'Pending' ? 'never-started' : undefined;
};

function questionOf({ pod, dryRun, user, name }: Asked, gate: EvictionGate): EvictionQuestion {
  const { uid = '' } = pod.metadata ?? {};
  const nodeName = pod.spec?.nodeName;
  const node = nodeName === undefined ? undefined : gate.nodeOf(nodeName);
  const taints = (node?.spec?.taints ?? []).map(
    ({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`,
  );
  return {
    pod: name,
    podUid: uid,
    dryRun,
    user,
    ...(nodeName === undefined || node === undefined
      ? {}
      : { node: { name: nodeName, cordoned: node.spec?.unschedulable === true, taints } }),
  };
}

/** A person has named this very pod: it goes, and its sidecar is told, whether it answers or not. */
async function overridden(asked: Asked, gate: EvictionGate): Promise<Answer> {
  const { pod, name, user, dryRun } = asked;
  const question = { ...questionOf(asked, gate), override: pod.metadata?.uid ?? '' };
  await gate.ask(asked, question).catch(() => undefined);
  if (!dryRun) {
    gate.countOverride(asked);
    gate.tell(pod, {
      type: 'Warning',
      reason: 'EvictionOverridden',
      message: `Eviction of ${name} by ${user}: let through by the annotation ${keys.allowEviction}, whatever the gate would have said.`,
    });
  }
  return {
    allowed: true,
    warnings: [`kafka-warden lets ${name} go because its annotation ${keys.allowEviction} says so`],
    audit: { decision: 'overridden' },
  };
}

function looping(asked: Asked, gate: EvictionGate): Answer | undefined {
  const { namespace, name, pod, dryRun } = asked;
  const node = pod.spec?.nodeName ?? '';
  if (isMeantToBeEmpty(gate.nodeOf(node)) || gate.recentEvictions(namespace, name) < loop.evictions)
    return undefined;
  const message =
    `${name} was evicted ${loop.evictions} times within ${loop.withinMs / 60_000} minutes from nodes that are neither cordoned nor tainted: ` +
    'something evicts it in a loop, for example a descheduler.';
  if (!dryRun) gate.tell(pod, { type: 'Warning', reason: 'EvictionLoop', message });
  return denied(
    'looping',
    `${message} Find out what does, and exempt pods labelled ${keys.node}; cordon ${node} if it is to be emptied. ${overrideOf(asked)}.`,
  );
}

/** Nobody but the sidecar knows whether replicas are in sync: while it cannot be asked, no broker goes. */
function unanswered(asked: Asked, error: SidecarError): Answer {
  const { namespace, name, cluster } = asked;
  const { warden } = objectsOf(cluster);
  return denied(
    error.code,
    `${name} cannot go yet: the sidecar of Kafka cluster ${cluster} ${error.message}, and nobody else knows whether replicas are in sync; ` +
      `the disruption budget counts pods that are ready. It is Deployment ${warden}: kubectl -n ${namespace} describe deployment ${warden}. ` +
      `Where it comes back, the same drain will pass. ${overrideOf(asked)}.`,
  );
}

function answerOf(answer: EvictionAnswer): Answer {
  // The reason is the sidecar's word: for the audit log, and no label of a metric.
  if (answer.verdict === 'deny') return denied('denied', answer.message, { reason: answer.reason });
  const { verdict, note } = answer;
  return {
    allowed: true,
    ...(note === undefined ? {} : { warnings: [note] }),
    audit: { decision: verdict === 'allow' ? 'allowed' : 'passed' },
  };
}

async function judge(asked: Asked, gate: EvictionGate): Promise<Answer> {
  const { namespace, cluster, pod } = asked;
  if (!gate.hasSidecar(namespace, cluster)) return pass('no-sidecar');
  const override = pod.metadata?.annotations?.[keys.allowEviction];
  if (override !== undefined && override === pod.metadata?.uid) return overridden(asked, gate);
  const loops = looping(asked, gate);
  if (loops) return loops;
  try {
    return answerOf(await gate.ask(asked, questionOf(asked, gate)));
  } catch (error) {
    if (!(error instanceof SidecarError)) throw error;
    return unanswered(asked, error);
  }
}

/** What lets a pod pass without an answer is believed only of the pod that is there now, not of the one before it. */
async function asItIsNow(known: Pod, { namespace, name }: Named, gate: EvictionGate): Promise<Pod> {
  const mayPass =
    hasNoBroker(known) !== undefined || known.metadata?.annotations?.[keys.allowEviction] !== undefined;
  return mayPass ? ((await gate.readPod(namespace, name)) ?? known) : known;
}

interface Named {
  namespace: string;
  name: string;
}

/** The pod where it is a broker's or controller's; undefined for any other, and for none. Rejects where nobody knows. */
async function brokerOf(named: Named, gate: EvictionGate): Promise<Pod | undefined> {
  const known = await gate.podOf(named.namespace, named.name);
  if (!known?.metadata?.labels?.[keys.node]) return undefined;
  return asItIsNow(known, named, gate);
}

function unread({ namespace, name }: Named, cause: unknown): Answer {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return denied(
    'pod-unread',
    `${namespace}/${name} may be a Kafka broker, and kafka-warden could not read it: ${reason}. The same drain will pass when the API server answers again.`,
  );
}

/**
 * "May this pod go?", asked of the sidecar of its cluster. Evictions carry no labels, so that every eviction of an enrolled
 * namespace comes here: pods that are no brokers or controllers pass at once. Changes nothing by itself: a reservation is
 * the sidecar's, and only where the eviction is meant.
 */
export async function validateEviction(
  review: Review,
  gate: EvictionGate,
  isOfHardenedSet: (namespace: string, pod: string) => boolean,
): Promise<Answer> {
  const { object, namespace } = review;
  if (review.kind !== 'Eviction' || !object) return { allowed: true };
  if (gate.namespaceEnds(namespace)) return pass('namespace-ends');
  const name = review.name || ((object as Eviction).metadata?.name ?? '');
  let pod: Pod | undefined;
  try {
    pod = await brokerOf({ namespace, name }, gate);
  } catch (cause) {
    return isOfHardenedSet(namespace, name) ? unread({ namespace, name }, cause) : pass('unknown');
  }
  const cluster = pod?.metadata?.labels?.[keys.node];
  if (!pod || !cluster) return pass('no-broker');
  const without = hasNoBroker(pod);
  if (without) return pass(without);
  return judge({ namespace, name, cluster, pod, user: review.username, dryRun: isDryRun(review) }, gate);
}

import {
  type Policy,
  type RecordKnown,
  type RollPod,
  type RollSnapshot,
  type SetFacts,
  defaultRollOptions,
  judge,
  leaderClock,
  limitsOf,
} from '../../gate/index.ts';
import { isCaughtUp } from '../../gate/quorum.ts';
import { keys } from '../../names.ts';
import type { ClusterSet } from '../cluster-set.ts';
import { policyOf } from './policy.ts';
import type { Gathered } from './evidence-source.ts';
import type { Moment } from './judgement.ts';
import { at, unread } from './judgement.ts';
import type { KafkaEvidence } from './kafka-reader.ts';
import { namesKeptMs } from './names.ts';
import { type NodeIds, type NodePod, knownNodes } from './nodes.ts';
import type { Readiness } from './readiness.ts';
import { syncFacts } from './sync.ts';

export interface SnapshotSources {
  readonly nowMs: number;
  readonly by: string;
  readonly sets: readonly ClusterSet[];
  readonly pods: readonly NodePod[];
  readonly podsReadAtMs: number;
  readonly ids: NodeIds;
  /** Nodes that Kafka has ever been seen to know. */
  readonly seen: ReadonlySet<number>;
  readonly readiness: Readiness;
  readonly record: RecordKnown;
  readonly gathered: Gathered | undefined;
  readonly moment: Moment;
  /** How long the cluster's DNS may keep a record. */
  readonly recordTtlMs: number;
  /** Why a set's template must not be rolled out. */
  readonly blocked: (set: ClusterSet) => string | undefined;
}

/** What a step is decided on. */
export function snapshotOf(sources: SnapshotSources): RollSnapshot {
  const { nowMs, by, sets, pods, podsReadAtMs, ids, seen, readiness, record, gathered, moment } = sources;
  const active = activeController(gathered?.kafka);
  const rollPods = pods.map((pod) => rollPod(pod, gathered?.kafka, readiness.firstMs(pod.uid)));
  const known = knownNodes(sets, ids, seen);
  const kafka = gathered?.kafka;
  const prepared = at(gathered?.prepared ?? unread, moment);
  return {
    nowMs,
    by,
    sets: sets.map((set) => setFacts(set, sources.blocked(set))),
    pods: rollPods,
    podsReadAtMs,
    known,
    record,
    ...(active === undefined ? {} : { activeController: active }),
    sync: kafka === undefined ? new Map() : syncFacts(kafka, nodesOf(known, pods)),
    evidenceAtMs: gathered?.atMs ?? 0,
    ask: (pod, leaseId) =>
      judge(prepared, {
        pod,
        nowMs,
        policy: rollPolicy(sets),
        ...(leaseId === undefined ? {} : { leaseId }),
      }),
    options: { ...defaultRollOptions, namesKeptMs: namesKeptMs(pods, sources.recordTtlMs) },
  };
}

/** Whatever Kafka knows, and whatever runs: a pod that was scaled away runs on for a while. */
function nodesOf(known: RollSnapshot['known'], pods: readonly NodePod[]) {
  const nodes = new Map([...known.values()].map(({ nodeId }) => [nodeId, { nodeId, broker: true }]));
  for (const { nodeId, broker } of pods) if (nodeId !== undefined) nodes.set(nodeId, { nodeId, broker });
  return [...nodes.values()];
}

/**
 * How often a pod was evicted is no reason to leave it at an old template, and neither is a quorum that can never spare a
 * voter: somebody has asked for the roll, and knows the size of the cluster.
 */
export function rollPolicy(sets: readonly ClusterSet[]): Policy {
  const policy = policyOf(sets);
  return { ...policy, lastVoter: 'goes', loop: { ...policy.loop, times: Infinity } };
}

function setFacts(
  { name, object, replicas, firstOrdinal }: ClusterSet,
  blocked: string | undefined,
): SetFacts {
  const { updateRevision = '', observedGeneration = -1 } = object.status ?? {};
  const { type, rollingUpdate } = object.spec?.updateStrategy ?? {};
  const asked = object.metadata.annotations?.[keys.rollOnDelete] === 'true';
  return {
    name,
    updateRevision,
    observed: updateRevision !== '' && observedGeneration >= (object.metadata.generation ?? 0),
    // Whoever asks for OnDelete deletes the pods that are to be replaced, unless the sidecar is told to.
    partition: type === 'OnDelete' && !asked ? Infinity : (rollingUpdate?.partition ?? 0),
    holdable: type !== 'OnDelete',
    replicas,
    firstOrdinal,
    ...(blocked === undefined ? {} : { blocked }),
  };
}

/** The quorum's leader; in ZooKeeper mode the broker that every view names. */
function activeController(kafka: KafkaEvidence | undefined): number | undefined {
  if (kafka === undefined) return undefined;
  const named =
    kafka.mode === 'kraft' ? [kafka.quorum?.leaderId] : kafka.views.map(({ controllerId }) => controllerId);
  const [id] = named;
  return id !== undefined && id >= 0 && named.every((other) => other === id) ? id : undefined;
}

/** `readyAtMs`: when the pod was seen ready for the first time. */
export function rollPod(
  pod: NodePod,
  kafka: KafkaEvidence | undefined,
  readyAtMs: number | undefined,
): RollPod {
  const { wasReady, runs, looksUp: _own, ...facts } = pod;
  const everReady = wasReady || readyAtMs !== undefined;
  return { ...facts, everReady, serving: runs ? servingOf(pod, kafka, readyAtMs) : 'no' };
}

/**
 * `no` by two views that show it fenced, where the quorum does not count on it either. Views from before it was first ready
 * show a broker that starts, which is fenced until then.
 */
function servingOf(
  { nodeId, broker }: NodePod,
  kafka: KafkaEvidence | undefined,
  readyAtMs = -Infinity,
): RollPod['serving'] {
  if (kafka === undefined || nodeId === undefined) return 'unknown';
  const views = kafka.views.filter((view) => view.readAtMs > readyAtMs);
  const fenced = views.filter(({ fencedSinceMs }) => fencedSinceMs.has(nodeId)).length;
  if (broker && fenced < 2) return views.length === 0 ? 'unknown' : 'yes';
  const { quorum, settings } = kafka;
  const clockMs = quorum && leaderClock(quorum);
  const voter = quorum?.voters.find(({ id }) => id === nodeId);
  if (voter === undefined) return broker ? 'no' : 'unknown';
  if (clockMs === undefined) return 'unknown';
  return isCaughtUp(voter, clockMs, limitsOf(settings.values()).freshMs) ? 'yes' : 'no';
}

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
  /** UIDs of pods that were seen ready. */
  readonly everReady: ReadonlySet<string>;
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
  const { nowMs, by, sets, pods, podsReadAtMs, ids, seen, everReady, record, gathered, moment } = sources;
  const active = activeController(gathered?.kafka);
  const rollPods = pods.map((pod) => rollPod(pod, gathered?.kafka, everReady));
  const known = knownNodes(sets, ids, seen);
  const kafka = gathered?.kafka;
  const broker = new Map(pods.map(({ nodeId, broker: serves }) => [nodeId, serves]));
  const nodes = [...known.values()].map(({ nodeId }) => ({ nodeId, broker: broker.get(nodeId) ?? true }));
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
    sync: kafka === undefined ? new Map() : syncFacts(kafka, nodes),
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

export function rollPod(
  pod: NodePod,
  kafka: KafkaEvidence | undefined,
  everReadyUids: ReadonlySet<string>,
): RollPod {
  const { wasReady, runs, looksUp: _own, ...facts } = pod;
  const everReady = wasReady || everReadyUids.has(pod.uid);
  return { ...facts, everReady, serving: servingOf(pod, runs, kafka) };
}

/** `no` by two views that show it fenced, where the quorum does not count on it either. */
function servingOf(
  { nodeId, broker }: NodePod,
  runs: boolean,
  kafka: KafkaEvidence | undefined,
): RollPod['serving'] {
  if (!runs) return 'no';
  if (kafka === undefined || nodeId === undefined) return 'unknown';
  const fenced = kafka.views.filter(({ fencedSinceMs }) => fencedSinceMs.has(nodeId)).length;
  if (broker && fenced < 2) return kafka.views.length === 0 ? 'unknown' : 'yes';
  const { quorum, settings } = kafka;
  const clockMs = quorum && leaderClock(quorum);
  const voter = quorum?.voters.find(({ id }) => id === nodeId);
  if (voter === undefined) return broker ? 'no' : 'unknown';
  if (clockMs === undefined) return 'unknown';
  return isCaughtUp(voter, clockMs, limitsOf(settings.values()).freshMs) ? 'yes' : 'no';
}

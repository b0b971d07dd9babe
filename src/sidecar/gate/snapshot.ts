import {
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
import type { ClusterSet } from '../cluster-set.ts';
import type { Gathered } from './evidence-source.ts';
import type { Moment } from './judgement.ts';
import { at, unread } from './judgement.ts';
import type { KafkaEvidence } from './kafka-reader.ts';
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
}

/**
 * What the way back of a node is decided on. Rolls are not carried out here: sets are told as not observed, so that no pod
 * counts as outdated, and nothing is deleted or held at a revision.
 */
export function snapshotOf(sources: SnapshotSources): RollSnapshot {
  const { nowMs, by, sets, pods, podsReadAtMs, ids, seen, everReady, record, gathered, moment } = sources;
  const rollPods = pods.map((pod) => rollPod(pod, gathered?.kafka, everReady));
  const known = knownNodes(sets, ids, seen);
  const kafka = gathered?.kafka;
  const broker = new Map(pods.map(({ nodeId, broker: serves }) => [nodeId, serves]));
  const nodes = [...known.values()].map(({ nodeId }) => ({ nodeId, broker: broker.get(nodeId) ?? true }));
  const prepared = at(gathered?.prepared ?? unread, moment);
  return {
    nowMs,
    by,
    sets: sets.map(setFacts),
    pods: rollPods,
    podsReadAtMs,
    known,
    record,
    sync: kafka === undefined ? new Map() : syncFacts(kafka, nodes),
    evidenceAtMs: gathered?.atMs ?? 0,
    ask: (pod, leaseId) => judge(prepared, { pod, nowMs, ...(leaseId === undefined ? {} : { leaseId }) }),
    options: defaultRollOptions,
  };
}

const setFacts = ({ name, object, replicas, firstOrdinal }: ClusterSet): SetFacts => ({
  name,
  updateRevision: object.status?.updateRevision ?? '',
  observed: false,
  partition: object.spec?.updateStrategy?.rollingUpdate?.partition ?? 0,
  replicas,
  firstOrdinal,
});

function rollPod(
  pod: NodePod,
  kafka: KafkaEvidence | undefined,
  everReadyUids: ReadonlySet<string>,
): RollPod {
  const { wasReady, runs, ...facts } = pod;
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

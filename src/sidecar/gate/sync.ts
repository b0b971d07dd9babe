import type { KafkaEvidence } from './kafka-reader.ts';
import { limitsOf, leaderClock } from '../../gate/evidence.ts';
import { isCaughtUp } from '../../gate/quorum.ts';
import type { SyncFacts } from '../../gate/roll-model.ts';
import type { TopicPartition } from '../../kafka/index.ts';
import type { ReplicaColumns } from './standing.ts';

/** A replica that is not in sync, with the broker that it copies from. */
export interface Lagging extends TopicPartition {
  readonly broker: number;
  readonly leader: number;
}

/** Replicas that the first view shows out of sync. */
export const laggingIn = ({ topics, lagging }: Pick<KafkaEvidence, 'topics' | 'lagging'>): Lagging[] =>
  Array.from(lagging.partition, (_, i) => ({
    ...at(topics, lagging, i),
    broker: lagging.broker[i] ?? -1,
    leader: lagging.leader[i] ?? -1,
  }));

/** Partitions whose first replica is this broker, in sync, and not their leader, as the first view shows them. */
export function leadersToRestore(
  { topics, unled }: Pick<KafkaEvidence, 'topics' | 'unled'>,
  broker: number,
): TopicPartition[] {
  const found: TopicPartition[] = [];
  unled.broker.forEach((preferred, i) => {
    if (preferred === broker) found.push(at(topics, unled, i));
  });
  return found;
}

const at = (topics: readonly string[], { topic, partition }: ReplicaColumns, i: number): TopicPartition => ({
  topic: topics[topic[i] ?? -1] ?? '',
  partition: partition[i] ?? -1,
});

/** How far each node is back: in sync by every view, and, where it votes or follows the quorum, caught up there. */
export function syncFacts(evidence: KafkaEvidence, nodes: readonly Node[]): Map<number, SyncFacts> {
  const times = [...evidence.views.map(({ readAtMs }) => readAtMs), evidence.quorum?.readAtMs ?? Infinity];
  const readAtMs = Math.min(...times);
  if (readAtMs === Infinity) return new Map();
  return new Map(nodes.map((node) => [node.nodeId, { readAtMs, ...backOf(evidence, node) }]));
}

interface Node {
  readonly nodeId: number;
  readonly broker: boolean;
}

function backOf(evidence: KafkaEvidence, { nodeId, broker }: Node) {
  const followed = evidence.mode === 'zookeeper' || followsQuorum(evidence, nodeId);
  if (!broker) return { inSync: followed, leadersBack: true };
  const { views } = evidence;
  const serves = views.length > 0 && views.every(({ fencedSinceMs }) => !fencedSinceMs.has(nodeId));
  const inSync = followed && serves && views.every(({ standing }) => !standing.behind.has(nodeId));
  return {
    inSync,
    leadersBack: views.every(({ standing }) => !standing.notLeading.has(nodeId)),
  };
}

function followsQuorum({ quorum, settings }: KafkaEvidence, nodeId: number): boolean {
  const clockMs = quorum && leaderClock(quorum);
  if (quorum === undefined || clockMs === undefined) return false;
  const member = [...quorum.voters, ...quorum.observers].find(({ id }) => id === nodeId);
  return member !== undefined && isCaughtUp(member, clockMs, limitsOf(settings.values()).freshMs);
}

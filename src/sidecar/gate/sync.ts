import type { KafkaEvidence } from './kafka-reader.ts';
import { limitsOf, leaderClock } from '../../gate/evidence.ts';
import type { PartitionTable } from '../../gate/partitions.ts';
import { listAt, names, rowsOf } from '../../gate/partitions.ts';
import { isCaughtUp } from '../../gate/quorum.ts';
import type { SyncFacts } from '../../gate/roll-model.ts';
import type { TopicPartition } from '../../kafka/index.ts';

/** A replica that is not in sync, with the broker that it copies from. */
export interface Lagging extends TopicPartition {
  readonly broker: number;
  readonly leader: number;
}

/** Replicas that the first view shows out of sync. */
export function laggingIn({ views }: Pick<KafkaEvidence, 'views'>): Lagging[] {
  const table = views[0]?.partitions;
  if (table === undefined) return [];
  const found: Lagging[] = [];
  if (standingOf(table).behind.size === 0) return [];
  table.topics.forEach((topic, index) => {
    for (const row of rowsOfTopic(table, index)) {
      const leader = table.leader[row] ?? -1;
      const partition = table.partition[row] ?? -1;
      if (sizeAt(table.isr, row) >= sizeAt(table.replicas, row)) continue;
      for (const broker of listAt(table.replicas, row))
        if (!names(table.isr, row, broker)) found.push({ topic, partition, broker, leader });
    }
  });
  return found;
}

/** Partitions whose first replica is this broker, in sync, and not their leader. */
export function leadersToRestore({ views }: Pick<KafkaEvidence, 'views'>, broker: number): TopicPartition[] {
  const table = views[0]?.partitions;
  if (table === undefined) return [];
  return table.topics.flatMap((topic, index) =>
    rowsOfTopic(table, index)
      .filter((row) => prefers(table, row, broker) && table.leader[row] !== broker)
      .filter((row) => names(table.isr, row, broker))
      .map((row) => ({ topic, partition: table.partition[row] ?? -1 })),
  );
}

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
  const inSync =
    followed && serves && views.every(({ partitions }) => !standingOf(partitions).behind.has(nodeId));
  return {
    inSync,
    leadersBack: views.every(({ partitions }) => !standingOf(partitions).notLeading.has(nodeId)),
  };
}

function followsQuorum({ quorum, settings }: KafkaEvidence, nodeId: number): boolean {
  const clockMs = quorum && leaderClock(quorum);
  if (quorum === undefined || clockMs === undefined) return false;
  const member = [...quorum.voters, ...quorum.observers].find(({ id }) => id === nodeId);
  return member !== undefined && isCaughtUp(member, clockMs, limitsOf(settings.values()).freshMs);
}

/** Brokers with a replica that is not in sync, and those that do not lead wherever they are preferred. */
export interface Standing {
  readonly behind: ReadonlySet<number>;
  readonly notLeading: ReadonlySet<number>;
}

const standings = new WeakMap<PartitionTable, Standing>();

/** For whoever asks of this table later on. */
export const keepStanding = (table: PartitionTable, standing: Standing): void =>
  void standings.set(table, standing);

function standingOf(table: PartitionTable): Standing {
  const found = standings.get(table) ?? findStanding(table);
  keepStanding(table, found);
  return found;
}

/** In one sweep for all brokers. */
export function findStanding(table: PartitionTable): Standing {
  const { replicas, isr, leader } = table;
  const [behind, notLeading] = [new Set<number>(), new Set<number>()];
  for (let row = 0; row < rowsOf(table); row++) {
    const [from, to] = [replicas.first[row] ?? 0, replicas.first[row + 1] ?? 0];
    const preferred = replicas.items[from] ?? -1;
    if (to > from && leader[row] !== preferred) notLeading.add(preferred);
    for (let i = from; i < to; i++) {
      const broker = replicas.items[i] ?? -1;
      if (!names(isr, row, broker)) behind.add(broker);
    }
  }
  return { behind, notLeading };
}

const prefers = ({ replicas: { first, items } }: PartitionTable, row: number, broker: number): boolean =>
  items[first[row] ?? 0] === broker && (first[row + 1] ?? 0) > (first[row] ?? 0);

const sizeAt = ({ first }: PartitionTable['isr'], row: number): number =>
  (first[row + 1] ?? 0) - (first[row] ?? 0);

function rowsOfTopic({ topicFirst }: PartitionTable, index: number): number[] {
  const from = topicFirst[index] ?? 0;
  return Array.from({ length: (topicFirst[index + 1] ?? from) - from }, (_, offset) => from + offset);
}

import type { PartitionTable } from '../../gate/partitions.ts';
import { names, rowsOf } from '../../gate/partitions.ts';

/** Brokers with a replica that is not in sync, and those that do not lead wherever they are preferred. */
export interface Standing {
  readonly behind: ReadonlySet<number>;
  readonly notLeading: ReadonlySet<number>;
}

/** Replicas as columns, the same place in each: there may be tens of thousands when a broker is away. */
export interface ReplicaColumns {
  /** Index into the topics. */
  readonly topic: Int32Array;
  readonly partition: Int32Array;
  readonly broker: Int32Array;
}

/** What is out of order, as the first view shows it. */
export interface Troubles {
  /** Replicas that are not in sync, with the brokers that they copy from. */
  readonly lagging: ReplicaColumns & { readonly leader: Int32Array };
  /** First replicas that are in sync, and do not lead. */
  readonly unled: ReplicaColumns;
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

/** `topics`: sorted, with all of the table's. */
export function findTroubles(table: PartitionTable | undefined, topics: readonly string[]): Troubles {
  const lagging = { topic: [], partition: [], broker: [], leader: [] } as Lists<'leader' | Column>;
  const unled = { topic: [], partition: [], broker: [] } as Lists<Column>;
  let topic = -1;
  for (let t = 0; table !== undefined && t < table.topics.length; t++) {
    do topic++;
    while (topic < topics.length && topics[topic] !== table.topics[t]);
    for (let row = table.topicFirst[t] ?? 0; row < (table.topicFirst[t + 1] ?? 0); row++)
      look(table, { row, topic }, { lagging, unled });
  }
  return {
    lagging: { ...columns(lagging), leader: Int32Array.from(lagging.leader) },
    unled: columns(unled),
  };
}

type Column = 'topic' | 'partition' | 'broker';
type Lists<K extends string> = Record<K, number[]>;

function look(
  table: PartitionTable,
  { row, topic }: { readonly row: number; readonly topic: number },
  { lagging, unled }: { readonly lagging: Lists<'leader' | Column>; readonly unled: Lists<Column> },
): void {
  const { replicas, isr } = table;
  const [partition, leader] = [table.partition[row] ?? -1, table.leader[row] ?? -1];
  const [from, to] = [replicas.first[row] ?? 0, replicas.first[row + 1] ?? 0];
  for (let i = from; i < to; i++) {
    const broker = replicas.items[i] ?? -1;
    if (names(isr, row, broker)) {
      if (i === from && leader !== broker) put(unled, { topic, partition, broker });
    } else {
      put(lagging, { topic, partition, broker, leader });
    }
  }
}

function put<K extends string>(lists: Lists<K>, values: Record<K, number>): void {
  for (const key in values) lists[key].push(values[key]);
}

const columns = ({ topic, partition, broker }: Lists<Column>): ReplicaColumns => ({
  topic: Int32Array.from(topic),
  partition: Int32Array.from(partition),
  broker: Int32Array.from(broker),
});

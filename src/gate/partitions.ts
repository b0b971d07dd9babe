/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */

/** One partition as a broker's metadata shows it. Brokers are node ids. */
export interface PartitionFacts {
  readonly topic: string;
  readonly partition: number;
  /** -1 while the partition has no leader. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Eligible leader replicas (KIP-966), left out where the answer does not tell them: only DescribeTopicPartitions does. */
  readonly elr?: readonly number[];
}

/** Short lists of brokers, one for each row: row `i` is `items` from `first[i]` up to `first[i + 1]`. */
export interface BrokerLists {
  readonly first: Uint32Array;
  readonly items: Int32Array;
}

/** Partitions in flat arrays, sorted by topic (code units) and number: 100,000 of them are a few MB and no object each. */
export interface PartitionTable {
  readonly topics: readonly string[];
  /** Topic `t` owns rows `topicFirst[t]` up to `topicFirst[t + 1]`. */
  readonly topicFirst: Uint32Array;
  /** The partition's number, by row. */
  readonly partition: Int32Array;
  readonly leader: Int32Array;
  /** In the order of the assignment: the first is the preferred leader. */
  readonly replicas: BrokerLists;
  /** Ascending, as their order means nothing. */
  readonly isr: BrokerLists;
  /** Ascending; left out unless every partition told them. */
  readonly elr?: BrokerLists;
}

export const rowsOf = (table: PartitionTable): number => table.partition.length;
export const lengthAt = ({ first }: BrokerLists, row: number): number => first[row + 1]! - first[row]!;
export const listAt = ({ first, items }: BrokerLists, row: number): number[] => [
  ...items.subarray(first[row], first[row + 1]),
];

/** Whether the list of a row names a broker. */
export function names({ first, items }: BrokerLists, row: number, broker: number): boolean {
  for (let i = first[row]!; i < first[row + 1]!; i++) if (items[i] === broker) return true;
  return false;
}

/** Whether two rows name the same brokers in the same order. */
export function sameLists(a: BrokerLists, i: number, b: BrokerLists, j: number): boolean {
  const [from, to, other] = [a.first[i]!, a.first[i + 1]!, b.first[j]!];
  if (to - from !== b.first[j + 1]! - other) return false;
  for (let k = 0; k < to - from; k++) if (a.items[from + k] !== b.items[other + k]) return false;
  return true;
}

/** Whether two rows show the same: leader, ISR, replicas and, where both tell them, eligible leaders. */
export function sameRows(a: PartitionTable, i: number, b: PartitionTable, j: number): boolean {
  if (a.leader[i] !== b.leader[j]) return false;
  if (!sameLists(a.isr, i, b.isr, j) || !sameLists(a.replicas, i, b.replicas, j)) return false;
  return a.elr === undefined || b.elr === undefined || sameLists(a.elr, i, b.elr, j);
}

/**
 * The table of a metadata answer.
 * @throws RangeError when a partition appears twice: such an answer cannot be judged
 */
export function tableOf(facts: Iterable<PartitionFacts>): PartitionTable {
  const sorted = [...facts].sort(
    (a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) || a.partition - b.partition,
  );
  const topics: string[] = [];
  const topicFirst: number[] = [];
  const partition = new Int32Array(sorted.length);
  const leader = new Int32Array(sorted.length);
  sorted.forEach((fact, row) => {
    if (fact.topic !== topics.at(-1)) {
      topics.push(fact.topic);
      topicFirst.push(row);
    } else if (fact.partition === partition[row - 1]) {
      throw new RangeError(
        `${fact.topic}-${fact.partition} appears twice in one answer. Read the metadata again`,
      );
    }
    partition[row] = fact.partition;
    leader[row] = fact.leader;
  });
  const isr = listsOf(sorted.map((fact) => ascending(fact.isr)));
  const elr = sorted.every((fact) => fact.elr !== undefined)
    ? { elr: listsOf(sorted.map((fact) => ascending(fact.elr ?? []))) }
    : {};
  return {
    topics,
    topicFirst: Uint32Array.from([...topicFirst, sorted.length]),
    partition,
    leader,
    replicas: listsOf(sorted.map((fact) => fact.replicas)),
    isr,
    ...elr,
  };
}

const ascending = (brokers: readonly number[]): number[] => [...brokers].sort((a, b) => a - b);

function listsOf(lists: readonly (readonly number[])[]): BrokerLists {
  const first = new Uint32Array(lists.length + 1);
  lists.forEach((list, row) => (first[row + 1] = first[row]! + list.length));
  const items = new Int32Array(first[lists.length]!);
  lists.forEach((list, row) => items.set(list, first[row]));
  return { first, items };
}

/** The partitions of several tables side by side. */
export interface Joined {
  readonly topics: readonly string[];
  /** Index into `topics`, by joined row. */
  readonly topicOf: Uint32Array;
  readonly partition: Int32Array;
  /** For each table: its row of each joined row, -1 where it does not have the partition. */
  readonly rows: readonly Int32Array[];
}

/** A union in one sweep, as all tables are sorted alike. */
export function join(tables: readonly PartitionTable[]): Joined {
  const topics = [...new Set(tables.flatMap((table) => table.topics))].sort((a, b) => (a < b ? -1 : 1));
  const capacity = tables.reduce((sum, table) => sum + rowsOf(table), 0);
  const topicOf = new Uint32Array(capacity);
  const partition = new Int32Array(capacity);
  const rows = tables.map(() => new Int32Array(capacity));
  const nextTopic = tables.map(() => 0);
  const at = tables.map(() => 0);
  let count = 0;
  topics.forEach((topic, t) => {
    const ends = tables.map((table, v) =>
      table.topics[nextTopic[v]!] === topic ? table.topicFirst[++nextTopic[v]!]! : at[v]!,
    );
    if (sameNumbers(tables, at, ends)) {
      const { partition: numbers } = tables[0]!;
      for (let left = ends[0]! - at[0]!; left > 0; left--) {
        topicOf[count] = t;
        partition[count] = numbers[at[0]!]!;
        for (let v = 0; v < tables.length; v++) rows[v]![count] = at[v]!++;
        count++;
      }
      return;
    }
    for (let least = leastOf(tables, at, ends); least !== Infinity; least = leastOf(tables, at, ends)) {
      topicOf[count] = t;
      partition[count] = least;
      for (let v = 0; v < tables.length; v++) {
        const here = at[v]! < ends[v]! && tables[v]!.partition[at[v]!] === least;
        rows[v]![count] = here ? at[v]!++ : -1;
      }
      count++;
    }
  });
  return {
    topics,
    topicOf: topicOf.slice(0, count),
    partition: partition.slice(0, count),
    rows: rows.map((array) => array.slice(0, count)),
  };
}

/** Whether all tables tell of the same partitions of a topic: as good as always. */
function sameNumbers(
  tables: readonly PartitionTable[],
  at: readonly number[],
  ends: readonly number[],
): boolean {
  const [first, from, to] = [tables[0]?.partition, at[0] ?? 0, ends[0] ?? 0];
  for (let v = 1; v < tables.length; v++) {
    const other = tables[v]!.partition;
    const shift = at[v]! - from;
    if (ends[v]! - to !== shift) return false;
    for (let row = from; row < to; row++) if (first![row] !== other[row + shift]) return false;
  }
  return true;
}

function leastOf(tables: readonly PartitionTable[], at: readonly number[], ends: readonly number[]): number {
  let least = Infinity;
  for (let v = 0; v < tables.length; v++)
    if (at[v]! < ends[v]!) least = Math.min(least, tables[v]!.partition[at[v]!]!);
  return least;
}

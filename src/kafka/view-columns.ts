/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { AnswerBytes } from './answer-bytes.ts';

/** What one broker's metadata cache shows, as its answers came: to be read by `readView`, in whatever thread. */
export interface ViewBytes {
  /** The body of a Metadata answer (version 11 or 12, which look alike). */
  readonly metadata: Uint8Array;
  /** Bodies of DescribeTopicPartitions answers (version 0), which then tell of the partitions instead. */
  readonly pages?: readonly Uint8Array[];
}

/** Short lists of brokers, one for each partition: that of `i` is `items` from `first[i]` up to `first[i + 1]`. */
export interface BrokerColumn {
  readonly first: Uint32Array;
  readonly items: Int32Array;
}

/** Partitions by topic (code units) and number, an array for each thing that is told of them. */
export interface PartitionColumns {
  readonly topics: readonly string[];
  /** Topic `t` has the partitions from `topicFirst[t]` up to `topicFirst[t + 1]`. */
  readonly topicFirst: Uint32Array;
  readonly partition: Int32Array;
  /** -1 where there is none. */
  readonly leader: Int32Array;
  /** In the order of the assignment. */
  readonly replicas: BrokerColumn;
  /** Ascending. */
  readonly isr: BrokerColumn;
  /** Eligible leader replicas (KIP-966), ascending; left out where they were not asked for. */
  readonly elr?: BrokerColumn;
}

/** The cluster as one given broker shows it. */
export interface BrokerView {
  /** In ZooKeeper mode the controller; in KRaft mode some broker. */
  readonly controllerId: number;
  /** Brokers that it does not show as fenced. */
  readonly serving: readonly number[];
  readonly partitions: PartitionColumns;
}

/** UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE: a topic that is being made or deleted, with no partition known here. */
const absent = new Set([0, 3, 5]);

/** Where a topic's partitions stand in an answer, in the order in which they were told. */
interface TopicSpan {
  readonly name: string;
  readonly bytes: AnswerBytes;
  readonly offsets: readonly number[];
}

interface Sums {
  partitions: number;
  replicas: number;
  isr: number;
  elr: number;
}

/**
 * Reads a view. 100,000 partitions go from bytes to arrays without an object for each.
 * @throws RangeError where an answer ends early, refuses a topic, or tells of a partition twice: it cannot be judged
 */
export function readView({ metadata, pages }: ViewBytes): BrokerView {
  const sums: Sums = { partitions: 0, replicas: 0, isr: 0, elr: 0 };
  const bytes = new AnswerBytes(metadata);
  bytes.skip(4);
  const serving = readServing(bytes);
  bytes.skipString();
  const controllerId = bytes.int32();
  const topics = walkTopics(bytes, sums, false);
  if (pages === undefined) return { controllerId, serving, partitions: columnsOf(topics, sums, false) };
  const paged = pages.flatMap((page) => {
    const body = new AnswerBytes(page);
    body.skip(4);
    return walkTopics(body, sums, true);
  });
  return { controllerId, serving, partitions: columnsOf(paged, sums, true) };
}

/** Where a page of DescribeTopicPartitions says that the next one begins; undefined on the last. */
export function nextPage(page: Uint8Array): { topic: string; partition: number } | undefined {
  const bytes = new AnswerBytes(page);
  bytes.skip(4);
  walkTopics(bytes, { partitions: 0, replicas: 0, isr: 0, elr: 0 }, true);
  return bytes.int8() === 1 ? { topic: bytes.string(), partition: bytes.int32() } : undefined;
}

function readServing(bytes: AnswerBytes): number[] {
  const serving: number[] = [];
  for (let left = bytes.length(); left > 0; left--) {
    serving.push(bytes.int32());
    bytes.skipString();
    bytes.skip(4);
    bytes.skipString();
    bytes.skipTags();
  }
  return serving;
}

function walkTopics(bytes: AnswerBytes, sums: Sums, eligible: boolean): TopicSpan[] {
  const topics: TopicSpan[] = [];
  for (let left = bytes.length(); left > 0; left--) {
    const error = bytes.int16();
    const name = bytes.string();
    // Its id, and whether it is internal.
    bytes.skip(17);
    if (!absent.has(error))
      throw new RangeError(`${name} was refused with error ${error}. Read the metadata again`);
    const offsets: number[] = [];
    for (let more = bytes.length(); more > 0; more--) {
      offsets.push(bytes.at);
      walkPartition(bytes, sums, eligible);
    }
    sums.partitions += offsets.length;
    bytes.skip(4);
    bytes.skipTags();
    topics.push({ name, bytes, offsets });
  }
  return topics;
}

/** Error (which says no more than the leader -1), number, leader, epoch, replicas, ISR, [ELR, last known ELR,] offline ones. */
function walkPartition(bytes: AnswerBytes, sums: Sums, eligible: boolean): void {
  bytes.skip(14);
  sums.replicas += bytes.skipInt32s();
  sums.isr += bytes.skipInt32s();
  if (eligible) {
    sums.elr += bytes.skipInt32s();
    bytes.skipInt32s();
  }
  bytes.skipInt32s();
  bytes.skipTags();
}

function columnsOf(told: readonly TopicSpan[], sums: Sums, eligible: boolean): PartitionColumns {
  const spans = told.filter(({ offsets }) => offsets.length > 0);
  spans.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const topics: string[] = [];
  const topicFirst: number[] = [];
  const partition = new Int32Array(sums.partitions);
  const leader = new Int32Array(sums.partitions);
  const replicas = new Lists(sums.partitions, sums.replicas);
  const isr = new Lists(sums.partitions, sums.isr);
  const elr = eligible ? new Lists(sums.partitions, sums.elr) : undefined;
  let row = 0;
  for (let s = 0; s < spans.length;) {
    const { name } = spans[s]!;
    topics.push(name);
    topicFirst.push(row);
    const read = (bytes: AnswerBytes, offset: number): void => {
      bytes.at = offset + 2;
      partition[row] = bytes.int32();
      leader[row++] = bytes.int32();
      bytes.skip(4);
      replicas.read(bytes, false);
      isr.read(bytes, true);
      elr?.read(bytes, true);
    };
    const span = spans[s]!;
    if (spans[s + 1]?.name !== name && isInOrder(span)) {
      s++;
      for (const offset of span.offsets) read(span.bytes, offset);
      continue;
    }
    // A topic whose partitions do not fit into one page comes in several pieces.
    const places: Place[] = [];
    for (; s < spans.length && spans[s]!.name === name; s++) places.push(...placesOf(spans[s]!));
    for (const { bytes, offset } of inOrder(places, name)) read(bytes, offset);
  }
  return {
    topics,
    topicFirst: Uint32Array.from([...topicFirst, row]),
    ...{ partition, leader, replicas: replicas.column, isr: isr.column },
    ...(elr === undefined ? {} : { elr: elr.column }),
  };
}

interface Place {
  readonly bytes: AnswerBytes;
  readonly offset: number;
  readonly number: number;
}

/** As brokers tell them, as good as always; then nothing has to be made for each. */
function isInOrder({ bytes, offsets }: TopicSpan): boolean {
  let before = -Infinity;
  for (const offset of offsets) {
    bytes.at = offset + 2;
    const number = bytes.int32();
    if (number <= before) return false;
    before = number;
  }
  return true;
}

const placesOf = ({ bytes, offsets }: TopicSpan): Place[] =>
  offsets.map((offset) => {
    bytes.at = offset + 2;
    return { bytes, offset, number: bytes.int32() };
  });

function inOrder(places: Place[], topic: string): Place[] {
  places.sort((a, b) => a.number - b.number);
  for (let i = 1; i < places.length; i++)
    if (places[i]!.number === places[i - 1]!.number)
      throw new RangeError(
        `${topic}-${places[i]!.number} appears twice in one answer. Read the metadata again`,
      );
  return places;
}

/** Fills a column, one partition after the other. */
class Lists {
  readonly column: BrokerColumn;
  #rows = 0;

  constructor(rows: number, items: number) {
    this.column = { first: new Uint32Array(rows + 1), items: new Int32Array(items) };
  }

  read(bytes: AnswerBytes, ascending: boolean): void {
    const { first, items } = this.column;
    const from = first[this.#rows]!;
    const to = from + bytes.length();
    for (let i = from; i < to; i++) {
      const broker = bytes.int32();
      let at = i;
      for (; ascending && at > from && items[at - 1]! > broker; at--) items[at] = items[at - 1]!;
      items[at] = broker;
    }
    first[++this.#rows] = to;
  }
}

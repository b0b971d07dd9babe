import { type API, type Reader, Writer, createAPI } from '@platformatic/kafka';
import type { Ask } from './ask.ts';
import type { Address } from './connections.ts';
import { reasonOf } from './partitions.ts';
import { throwIfRefused } from './refused.ts';
import { type ApiVersions, apiVersions, supported } from './versions.ts';

/** A partition as one broker's metadata cache shows it. */
export interface ViewedPartition {
  readonly topic: string;
  readonly partition: number;
  /** -1 where there is none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Eligible leader replicas (KIP-966); left out where they were not asked for. */
  readonly elr?: readonly number[];
}

/** The cluster as one given broker shows it. */
export interface BrokerView {
  /** In ZooKeeper mode the controller; in KRaft mode some broker. */
  readonly controllerId: number;
  /** Brokers that it does not show as fenced. */
  readonly serving: readonly number[];
  readonly partitions: readonly ViewedPartition[];
}

export interface ViewOptions {
  /** Asks for eligible leader replicas too, by DescribeTopicPartitions (Kafka 3.7) in pages. */
  readonly eligibleLeaders?: boolean;
}

/** All topics, or none: brokers alone. */
type Metadata = API<[topics: 'all' | 'none'], BrokerView>;

/** Metadata versions 12 (Kafka 3.1) and 11; the library's own refuse an answer in which a partition has no leader. */
const metadata: Metadata[] = [12, 11].map((version) =>
  createAPI<[topics: 'all' | 'none'], BrokerView>(
    3,
    version,
    (topics: 'all' | 'none') =>
      Writer.create()
        .appendArray(topics === 'all' ? null : [], () => undefined)
        .appendBoolean(false)
        .appendBoolean(false)
        .appendTaggedFields(),
    (_correlationId, key, _version, reader) => readView(reader, { key, version }),
  ),
);

/** A topic that is being made or deleted, of which this broker knows no partition. */
const absent = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']);

function readView(reader: Reader, call: { key: number; version: number }): BrokerView {
  reader.readInt32();
  const serving = reader.readArray((broker) => {
    const id = broker.readInt32();
    broker.readString();
    broker.readInt32();
    broker.readNullableString();
    return id;
  });
  reader.readNullableString();
  const controllerId = reader.readInt32();
  const partitions: ViewedPartition[] = [];
  reader.readArray((one) => {
    const error = one.readInt16();
    const topic = one.readString();
    one.readUUID();
    one.readBoolean();
    one.readArray((entry) => void partitions.push(readPartition(entry, topic)));
    one.readInt32();
    if (error !== 0 && !absent.has(reasonOf(error))) throwIfRefused(call, error, topic);
  });
  return { controllerId, serving, partitions };
}

/** The error of a partition says no more than that it has no leader, which the leader -1 says too. */
function readPartition(reader: Reader, topic: string): ViewedPartition {
  reader.readInt16();
  const partition = reader.readInt32();
  const leader = reader.readInt32();
  reader.readInt32();
  const [replicas, isr] = [readIds(reader), readIds(reader)];
  readIds(reader);
  return { topic, partition, leader, replicas, isr };
}

const readIds = (reader: Reader): number[] => reader.readArray((one) => one.readInt32(), true, false);

interface Cursor {
  readonly topic: string;
  readonly partition: number;
}

interface Page {
  readonly partitions: readonly ViewedPartition[];
  readonly next: Cursor | undefined;
}

const partitionsPerPage = 2_000;

/** DescribeTopicPartitions version 0 (KIP-966); the library's own refuses an answer in which a partition has no leader. */
const describeTopicPartitions = createAPI<[from: Cursor | undefined], Page>(
  75,
  0,
  (from: Cursor | undefined) => {
    const writer = Writer.create()
      .appendArray([], () => undefined)
      .appendInt32(partitionsPerPage);
    if (from === undefined) writer.appendInt8(-1);
    else writer.appendInt8(1).appendString(from.topic).appendInt32(from.partition).appendTaggedFields();
    return writer.appendTaggedFields();
  },
  (_correlationId, key, version, reader) => {
    reader.readInt32();
    const partitions: ViewedPartition[] = [];
    reader.readArray((one) => {
      const error = one.readInt16();
      const topic = one.readNullableString() ?? '';
      one.readUUID();
      one.readBoolean();
      one.readArray((entry) => void partitions.push(readEligible(entry, topic)));
      one.readInt32();
      if (error !== 0 && !absent.has(reasonOf(error))) throwIfRefused({ key, version }, error, topic);
    });
    const more = reader.readInt8() === 1;
    const next = more ? { topic: reader.readString(), partition: reader.readInt32() } : undefined;
    if (more) reader.readTaggedFields();
    return { partitions, next };
  },
);

const readNullableIds = (reader: Reader): number[] =>
  reader.readNullableArray((one) => one.readInt32(), true, false) ?? [];

function readEligible(reader: Reader, topic: string): ViewedPartition {
  reader.readInt16();
  const partition = reader.readInt32();
  const leader = reader.readInt32();
  reader.readInt32();
  const [replicas, isr] = [readIds(reader), readIds(reader)];
  const elr = readNullableIds(reader);
  readNullableIds(reader);
  readIds(reader);
  return { topic, partition, leader, replicas, isr, elr };
}

/** What the broker at an address supports. */
const versionsAt = (ask: Ask, address: Address): Promise<ApiVersions> =>
  apiVersions({ any: (api, ...args) => ask.at(address, api, ...args) });

/**
 * Asks one given broker, and no other, what its metadata cache shows. With eligible leaders it takes several calls: a
 * change between two of them shows as a disagreement with another view.
 */
export async function viewOf(ask: Ask, address: Address, options: ViewOptions = {}): Promise<BrokerView> {
  const call = supported(await versionsAt(ask, address), metadata);
  if (options.eligibleLeaders !== true) return ask.at(address, call, 'all');
  const partitions: ViewedPartition[] = [];
  let from: Cursor | undefined;
  do {
    const page: Page = await ask.at(address, describeTopicPartitions, from);
    partitions.push(...page.partitions);
    from = page.next;
  } while (from !== undefined);
  // Brokers last: one that has been fenced meanwhile is told as such.
  return { ...(await ask.at(address, call, 'none')), partitions };
}

/** Whether the broker at an address answers ApiVersions, the least that it can be asked. */
export async function ping(ask: Ask, address: Address): Promise<void> {
  await versionsAt(ask, address);
}

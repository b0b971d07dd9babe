import type { PartitionFacts } from '../../gate/partitions.ts';
import type { ViewBytes } from '../view-columns.ts';

export interface ToldView {
  readonly controllerId: number;
  readonly serving: readonly number[];
  readonly partitions: readonly PartitionFacts[];
  /** Error codes of topics. */
  readonly errors?: Readonly<Record<string, number>>;
}

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}

export const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length + 1), bytes]);
};

const noText = varint(0);
export const list = <T>(items: readonly T[], write: (item: T) => Buffer): Buffer =>
  Buffer.concat([varint(items.length + 1), ...items.map(write)]);
const noTags = varint(0);
/** A tag that no version knows yet: readers pass over it. */
const strangeTag = Buffer.concat([varint(1), varint(300), varint(2), Buffer.from('??')]);
const ids = (brokers: readonly number[]): Buffer => list(brokers, int32);

function topicsOf(
  partitions: readonly PartitionFacts[],
  errors: ToldView['errors'],
  eligible: boolean,
): Buffer {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)];
  return list(topics, ([topic, own]) =>
    Buffer.concat([
      int16(errors?.[topic] ?? 0),
      text(topic),
      Buffer.alloc(17),
      list(own, (one) =>
        Buffer.concat([
          int16(one.leader < 0 ? 5 : 0),
          ...[one.partition, one.leader, 7].map(int32),
          ...[one.replicas, one.isr].map(ids),
          ...(eligible ? [one.elr === undefined ? noText : ids(one.elr), noText] : []),
          ids([]),
          noTags,
        ]),
      ),
      int32(0),
      strangeTag,
    ]),
  );
}

/** The body of a Metadata answer, as a broker writes it. */
export function metadataBytes({
  controllerId,
  serving,
  partitions,
  errors,
}: ToldView): Uint8Array<ArrayBuffer> {
  const brokers = list(serving, (id) =>
    Buffer.concat([
      int32(id),
      text(`kafka-${id}.kafka`),
      int32(9091),
      id % 2 ? noText : text('rack'),
      noTags,
    ]),
  );
  const head = [int32(0), brokers, text('cluster'), int32(controllerId)];
  return new Uint8Array(Buffer.concat([...head, topicsOf(partitions, errors, false), noTags]));
}

/** A page of DescribeTopicPartitions. */
export function pageBytes(
  partitions: readonly PartitionFacts[],
  next?: { readonly topic: string; readonly partition: number },
): Uint8Array<ArrayBuffer> {
  const cursor =
    next === undefined
      ? [Buffer.from([0xff])]
      : [Buffer.from([1]), text(next.topic), int32(next.partition), noTags];
  return new Uint8Array(Buffer.concat([int32(0), topicsOf(partitions, {}, true), ...cursor, noTags]));
}

export const viewBytes = (view: ToldView): ViewBytes => ({ metadata: metadataBytes(view) });

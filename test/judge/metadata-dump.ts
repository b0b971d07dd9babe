/**
 * Reads what Kafka's own decoder prints: `kafka-dump-log.sh --cluster-metadata-decoder --files …` of segments (`.log`) and snapshots
 * (`.checkpoint`) of `__cluster_metadata-0`. The tool that comes with a broker knows every record that this broker writes, so that no
 * schema is kept here. Its output is the same from 3.9 to 4.1.
 */
import type { LoggedRecord, MetadataLog, MetadataRecord, Snapshot } from './metadata-log.ts';

interface Payload {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** `ConfigResource.Type`. */
const topicResource = 2;
const brokerResource = 4;

const place = (data: Payload['data']) => ({
  topicId: String(data['topicId']),
  partition: Number(data['partitionId']),
});

/** Fields that are null or absent did not change (`PartitionChangeRecord`); a leader of -2 neither. */
function changed(data: Payload['data']) {
  const list = (name: string) => (Array.isArray(data[name]) ? { [name]: data[name].map(Number) } : {});
  const leader = data['leader'];
  return {
    ...list('replicas'),
    ...list('isr'),
    ...(typeof leader === 'number' && leader !== -2 ? { leader } : {}),
  };
}

function config(data: Payload['data']): MetadataRecord {
  const resource = data['resourceType'];
  if (data['name'] !== 'min.insync.replicas' || (resource !== topicResource && resource !== brokerResource))
    return { type: 'other' };
  const value = data['value'];
  return {
    type: 'min-isr',
    resource: resource === topicResource ? 'topic' : 'broker',
    name: String(data['resourceName']),
    value: value === null || value === undefined ? undefined : Number(value),
  };
}

const readers: Readonly<Record<string, (data: Payload['data']) => MetadataRecord>> = {
  TOPIC_RECORD: (data) => ({ type: 'topic', topic: String(data['name']), topicId: String(data['topicId']) }),
  REMOVE_TOPIC_RECORD: (data) => ({ type: 'remove-topic', topicId: String(data['topicId']) }),
  PARTITION_RECORD: (data) => ({
    type: 'partition',
    ...place(data),
    ...{ replicas: [], isr: [], leader: -1 },
    ...changed(data),
  }),
  PARTITION_CHANGE_RECORD: (data) => ({ type: 'partition-change', ...place(data), ...changed(data) }),
  CONFIG_RECORD: config,
  BEGIN_TRANSACTION_RECORD: () => ({ type: 'begin' }),
  END_TRANSACTION_RECORD: () => ({ type: 'end' }),
  ABORT_TRANSACTION_RECORD: () => ({ type: 'abort' }),
};

function recordOf(payload: string): MetadataRecord {
  const { type, data } = JSON.parse(payload) as Payload;
  return readers[type]?.(data) ?? { type: 'other' };
}

interface OpenSnapshot {
  endOffset: number;
  containedUntilMs: number;
  complete: boolean;
  records: MetadataRecord[];
}

/** A line that says that something could not be read. */
const unreadable = /^Error at \d+, skipping|isvalid: false/;
const recordLine = /^\| offset: (\d+) CreateTime: (\d+) (.*)$/;

/** Makes the records from the tool's output. Throws at a record that the tool could not decode. */
export function parseDump(text: string): MetadataLog {
  const records: LoggedRecord[] = [];
  const snapshots: OpenSnapshot[] = [];
  let snapshot: OpenSnapshot | undefined;
  for (const line of text.split('\n')) {
    if (unreadable.test(line))
      throw new Error(
        `The metadata log cannot be judged, because a record could not be decoded: ${line.slice(0, 200)}`,
      );
    const end = /^Snapshot end offset: (\d+)/.exec(line)?.[1];
    if (line.startsWith('Dumping ')) snapshot = undefined;
    else if (end !== undefined) {
      snapshot = { endOffset: Number(end), containedUntilMs: 0, complete: false, records: [] };
      snapshots.push(snapshot);
    }
    const [, offset, atMs, rest = ''] = recordLine.exec(line) ?? [];
    if (offset === undefined) continue;
    const payload = /payload: (\{.*\})$/.exec(rest)?.[1];
    const record: MetadataRecord = payload === undefined ? { type: 'other' } : recordOf(payload);
    if (snapshot === undefined) records.push({ offset: Number(offset), atMs: Number(atMs), record });
    else readSnapshotLine(snapshot, rest, record);
  }
  records.sort((a, b) => a.offset - b.offset);
  return { records, snapshots: snapshots.filter(({ complete }) => complete).map(frozen) };
}

function readSnapshotLine(snapshot: OpenSnapshot, rest: string, record: MetadataRecord): void {
  const contained = /SnapshotHeader \{.*"lastContainedLogTimestamp":(\d+)/.exec(rest)?.[1];
  if (contained !== undefined) snapshot.containedUntilMs = Number(contained);
  if (rest.includes('SnapshotFooter')) snapshot.complete = true;
  if (record.type !== 'other') snapshot.records.push(record);
}

const frozen = ({ endOffset, containedUntilMs, records }: OpenSnapshot): Snapshot => ({
  endOffset,
  containedUntilMs,
  records,
});

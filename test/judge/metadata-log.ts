/**
 * What a cluster's metadata log says about an interval: how long partitions were under their min.insync.replicas, and how long they had
 * no leader. Pure: `metadata-dump.ts` makes the records from the output of Kafka's own tool, `read-metadata-log.ts` fetches that.
 *
 * The log has every change of an ISR or a leader with the time at which the active controller wrote it, so nothing that was shorter than a
 * sampling interval is missed. It shows what the controller knew: a broker that dies without a word is in the ISRs until it is fenced.
 */
export type MetadataRecord =
  | { readonly type: 'topic'; readonly topic: string; readonly topicId: string }
  | { readonly type: 'remove-topic'; readonly topicId: string }
  | ({ readonly type: 'partition' } & Place & PartitionState)
  /** Fields that are absent did not change. */
  | ({ readonly type: 'partition-change' } & Place & Partial<PartitionState>)
  /** A dynamic value; `undefined` deletes it. `name` is the topic's, a broker's id, or '' for the cluster's default. */
  | {
      readonly type: 'min-isr';
      readonly resource: 'topic' | 'broker';
      readonly name: string;
      readonly value: number | undefined;
    }
  /** Bounds of a metadata transaction: what is between takes effect at its end, or never (KIP-868). */
  | { readonly type: 'begin' | 'end' | 'abort' }
  /** Anything else; it still tells that a controller was at work. */
  | { readonly type: 'other' };

interface Place {
  readonly topicId: string;
  readonly partition: number;
}

export interface PartitionState {
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** -1: none. */
  readonly leader: number;
}

export interface LoggedRecord {
  readonly offset: number;
  readonly atMs: number;
  readonly record: MetadataRecord;
}

export interface Snapshot {
  /** The first offset that is not in it. */
  readonly endOffset: number;
  /** When the last record in it was written. */
  readonly containedUntilMs: number;
  readonly records: readonly MetadataRecord[];
}

export interface MetadataLog {
  readonly snapshots: readonly Snapshot[];
  /** In the order of their offsets. */
  readonly records: readonly LoggedRecord[];
}

export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Question extends Interval {
  /** What brokers have in their static configuration; counts where no dynamic value does. Kafka's own default is 1. */
  readonly staticMinIsr: number;
  /** All topics where absent. */
  readonly includes?: (topic: string) => boolean;
}

/** One stretch in which a partition was under its minimum, or without a leader. */
export interface Dip extends Interval {
  readonly kind: 'under-min-isr' | 'offline';
  readonly topic: string;
  readonly partition: number;
  /** As it began. */
  readonly isr: readonly number[];
  readonly minIsr: number;
}

export interface MetadataVerdict {
  readonly underMinIsrPartitionSeconds: number;
  readonly offlinePartitionSeconds: number;
  /** The longest time in the interval without any record. An active controller writes one at least every 500 ms. */
  readonly longestSilenceMs: number;
  /** Partitions that existed at any moment of the interval. */
  readonly partitions: number;
  readonly dips: readonly Dip[];
}

interface Known extends PartitionState {
  readonly topic: string;
  readonly partition: number;
}

type Spell = Omit<Dip, 'toMs'>;

/** The state that records build up, and the dips that they opened and closed. */
class Replay {
  readonly #question: Question;
  readonly #topics = new Map<string, string>();
  readonly #partitions = new Map<string, Known>();
  readonly #minIsr = { topic: new Map<string, number>(), broker: new Map<string, number>() };
  readonly #open = new Map<string, Spell>();
  readonly #dips: Dip[] = [];
  readonly #seen = new Set<string>();

  constructor(question: Question) {
    this.#question = question;
  }

  apply(record: MetadataRecord, atMs: number): void {
    switch (record.type) {
      case 'topic':
        this.#topics.set(record.topicId, record.topic);
        return;
      case 'remove-topic':
        this.#remove(record.topicId, atMs);
        return;
      case 'partition':
      case 'partition-change':
        this.#change(record, atMs);
        return;
      case 'min-isr':
        if (record.value === undefined) this.#minIsr[record.resource].delete(record.name);
        else this.#minIsr[record.resource].set(record.name, record.value);
        for (const key of this.#partitions.keys()) this.#assess(key, atMs);
        return;
      default:
    }
  }

  #change(record: MetadataRecord & { type: 'partition' | 'partition-change' }, atMs: number): void {
    const key = `${record.topicId}/${record.partition}`;
    const before = this.#partitions.get(key);
    const topic = this.#topics.get(record.topicId);
    const { replicas = before?.replicas, isr = before?.isr, leader = before?.leader } = record;
    if (topic === undefined || replicas === undefined || isr === undefined || leader === undefined)
      throw new Error(
        `The metadata log changes partition ${key} before it makes it: the log or its snapshot is not whole.`,
      );
    this.#partitions.set(key, { topic, partition: record.partition, replicas, isr, leader });
    this.#assess(key, atMs);
  }

  #remove(topicId: string, atMs: number): void {
    const topic = this.#topics.get(topicId);
    this.#topics.delete(topicId);
    if (topic !== undefined) this.#minIsr.topic.delete(topic);
    for (const key of [...this.#partitions.keys()].filter((one) => one.startsWith(`${topicId}/`))) {
      this.#partitions.delete(key);
      this.#assess(key, atMs);
    }
  }

  /** As `Partition.effectiveMinIsr`: never more than there are replicas. The leader's broker decides among the brokers' values. */
  #effectiveMinIsr({ topic, replicas, leader }: Known): number {
    const { topic: topics, broker: brokers } = this.#minIsr;
    const wanted =
      topics.get(topic) ?? brokers.get(String(leader)) ?? brokers.get('') ?? this.#question.staticMinIsr;
    return Math.min(wanted, replicas.length);
  }

  #assess(key: string, atMs: number): void {
    const known = this.#partitions.get(key);
    if (known === undefined || !(this.#question.includes?.(known.topic) ?? true)) {
      this.#close(`under-min-isr ${key}`, atMs);
      this.#close(`offline ${key}`, atMs);
      // What went before the interval was not seen in it.
      if (atMs < this.#question.fromMs) this.#seen.delete(key);
      return;
    }
    this.#seen.add(key);
    const { topic, partition, isr, leader } = known;
    const minIsr = this.#effectiveMinIsr(known);
    const conditions = [
      ['under-min-isr', isr.length < minIsr],
      ['offline', leader < 0],
    ] as const;
    for (const [kind, holds] of conditions) {
      const spell = `${kind} ${key}`;
      if (!holds) this.#close(spell, atMs);
      else if (!this.#open.has(spell))
        this.#open.set(spell, { kind, topic, partition, isr, minIsr, fromMs: atMs });
    }
  }

  #close(spell: string, toMs: number): void {
    const open = this.#open.get(spell);
    if (open === undefined) return;
    this.#open.delete(spell);
    const { fromMs: from, toMs: to } = this.#question;
    const dip = { ...open, fromMs: Math.max(open.fromMs, from), toMs: Math.min(toMs, to) };
    if (dip.toMs > dip.fromMs) this.#dips.push(dip);
  }

  finish(): { dips: Dip[]; partitions: number } {
    for (const spell of [...this.#open.keys()]) this.#close(spell, this.#question.toMs);
    this.#dips.sort((a, b) => a.fromMs - b.fromMs || a.topic.localeCompare(b.topic));
    return { dips: this.#dips, partitions: this.#seen.size };
  }
}

/** Where the replay begins: an empty state, or the latest snapshot that is no younger than the interval. */
function start(log: MetadataLog, { fromMs }: Interval): Snapshot {
  const first = log.records[0]?.offset;
  if (first === 0) return { endOffset: 0, containedUntilMs: 0, records: [] };
  const usable = log.snapshots
    .filter(({ endOffset, containedUntilMs }) => endOffset >= (first ?? 0) && containedUntilMs <= fromMs)
    .sort((a, b) => b.endOffset - a.endOffset);
  if (usable[0] !== undefined) return usable[0];
  throw new Error(
    `The metadata log begins at offset ${first ?? 'none'} and no snapshot has the state of ${new Date(fromMs).toISOString()}: read it sooner after the interval, or from a node whose snapshots go back further.`,
  );
}

function covers(log: MetadataLog, { fromMs, toMs }: Interval): void {
  if (toMs < fromMs) throw new Error('The interval ends before it begins: give fromMs ≤ toMs.');
  const lastMs = log.records.at(-1)?.atMs ?? 0;
  if (lastMs < toMs)
    throw new Error(
      `The metadata log ends ${((toMs - lastMs) / 1000).toFixed(1)} s before the interval does: read it again, or from a node that keeps up.`,
    );
}

const seconds = (dips: readonly Dip[], kind: Dip['kind']): number =>
  dips.filter((dip) => dip.kind === kind).reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs), 0) / 1000;

/** Judges an interval. Throws where the log does not cover it: what is not known is never counted as healthy. */
export function judge(log: MetadataLog, question: Question): MetadataVerdict {
  covers(log, question);
  const { fromMs, toMs } = question;
  const snapshot = start(log, question);
  const replay = new Replay(question);
  for (const record of snapshot.records) replay.apply(record, snapshot.containedUntilMs);
  let pending: MetadataRecord[] | undefined;
  let clockMs = snapshot.containedUntilMs;
  let heardMs = fromMs;
  let longestSilenceMs = 0;
  for (const { offset, atMs, record } of log.records) {
    if (offset < snapshot.endOffset) continue;
    // Controllers that follow each other have clocks of their own; order comes from the offsets.
    clockMs = Math.max(clockMs, atMs);
    if (clockMs > fromMs) {
      longestSilenceMs = Math.max(longestSilenceMs, Math.min(clockMs, toMs) - heardMs);
      heardMs = Math.min(clockMs, toMs);
    }
    // The rest is not of the interval; a dip that is open then lasts to its end.
    if (clockMs > toMs) break;
    if (record.type === 'begin') pending = [];
    else if (record.type === 'abort') pending = undefined;
    else if (record.type === 'end') {
      for (const one of pending ?? []) replay.apply(one, clockMs);
      pending = undefined;
    } else if (pending !== undefined) pending.push(record);
    else replay.apply(record, clockMs);
  }
  const { dips, partitions } = replay.finish();
  return {
    underMinIsrPartitionSeconds: seconds(dips, 'under-min-isr'),
    offlinePartitionSeconds: seconds(dips, 'offline'),
    longestSilenceMs,
    partitions,
    dips,
  };
}

import type {
  Action,
  Copy,
  Journal,
  Limits,
  Notice,
  PartitionKey,
  PartitionState,
  Refusal,
  Relocation,
  Seen,
} from './model.ts';
import { type OngoingByKey, ongoingByKey } from './standing.ts';
import type { Prepared } from './steps.ts';

export interface Options {
  readonly prepared: Prepared;
  readonly limits: Limits;
}

/** What one look leads to, gathered by the steps of `next`; it lives as long as that call. */
export class Round {
  readonly seen: Seen;
  readonly limits: Limits;
  readonly prepared: Prepared;
  readonly ongoing: OngoingByKey;
  journal: Journal;
  readonly actions: Action[] = [];
  readonly waiting: Notice[] = [];
  readonly said: Notice[] = [];

  constructor(journal: Journal, seen: Seen, { prepared, limits }: Options) {
    this.journal = journal;
    this.seen = seen;
    this.prepared = prepared;
    this.limits = limits;
    this.ongoing = ongoingByKey(seen);
  }

  record(change: Partial<Journal>): void {
    this.journal = { ...this.journal, ...change };
  }

  copies(copies: readonly Copy[]): void {
    this.record({ copies });
  }

  relocations(relocations: readonly Relocation[]): void {
    this.record({ relocations });
  }

  refuse(move: number, refusal: Refusal): void {
    this.record({ refused: { ...this.journal.refused, [move]: refusal } });
  }

  wait(notice: Notice): void {
    if (!this.waiting.some(({ message }) => message === notice.message)) this.waiting.push(notice);
  }

  say(notice: Notice): void {
    this.said.push(notice);
  }

  move(index: number): { readonly key: string; readonly topic: string; readonly partition: number } {
    const move = this.prepared.plan.moves[index];
    const key = this.prepared.keys[index];
    if (move === undefined || key === undefined) throw new RangeError(`The plan has no move ${index}`);
    return { key, topic: move.topic, partition: move.partition };
  }

  /** The partition, if it has been looked at just now. */
  fresh(key: PartitionKey): PartitionState | undefined {
    const state = this.seen.partitions.get(key);
    if (state === undefined || this.seen.nowMs - state.seenAtMs > this.limits.freshMs) return undefined;
    return state;
  }
}

import type { TopicPartition } from '../../kafka/index.ts';
import { type Context, tellSet } from '../context.ts';
import type { GateKafka, KafkaEvidence } from './kafka-reader.ts';
import { leadersToRestore } from './sync.ts';

interface Options {
  readonly context: Pick<Context, 'kube' | 'log' | 'world'>;
  readonly kafka: Pick<GateKafka, 'electPreferredLeaders'>;
  readonly nowMs: () => number;
}

/** Between elections that are tried again. */
const pauseMs = { first: 1_000, longest: 15_000 };
const named = 10;

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** Preferred leaders of a broker that has come back: elected at growing pauses, and told of where they are given up. */
export class PreferredLeaders {
  readonly #options: Options;
  #broker: number | undefined;
  #tried = 0;
  #notBeforeMs = -Infinity;
  /** Kafka's reasons, of the last time. */
  readonly #refused = new Map<string, string>();

  constructor(options: Options) {
    this.#options = options;
  }

  async elect(evidence: Pick<KafkaEvidence, 'topics' | 'unled'> | undefined, broker: number): Promise<void> {
    if (evidence === undefined) return;
    const { context, kafka, nowMs } = this.#options;
    if (broker !== this.#broker) this.#begin(broker);
    const waitMs = this.#notBeforeMs - nowMs();
    // Longer than any pause: the clock was set back.
    if (waitMs > 0 && waitMs <= pauseMs.longest) return;
    const partitions = leadersToRestore(evidence, broker);
    if (partitions.length === 0) return;
    this.#refused.clear();
    try {
      for (const { error, ...at } of await kafka.electPreferredLeaders(partitions))
        if (error !== undefined) this.#refused.set(keyOf(at), error.reason);
      const counts = { partitions: partitions.length, refused: this.#refused.size };
      context.log.info(
        { event: 'leaders-elected', broker, ...counts },
        'preferred leaders are elected again',
      );
    } catch (error) {
      context.log.warn({ event: 'leaders-not-elected', broker, err: error }, 'tried again after a pause');
    }
    this.#notBeforeMs = nowMs() + Math.min(pauseMs.longest, pauseMs.first * 2 ** this.#tried);
    this.#tried += 1;
  }

  /** The broker's return has ended; partitions that it should lead and does not are told of, as an event on its set. */
  async ended(
    evidence: Pick<KafkaEvidence, 'topics' | 'unled'> | undefined,
    broker: number,
    setName?: string,
  ): Promise<void> {
    const left = evidence === undefined ? [] : leadersToRestore(evidence, broker);
    const { context } = this.#options;
    if (left.length > 0) {
      const message = this.#noteOf(left, broker);
      context.log.warn({ event: 'leaders-elsewhere', broker, partitions: left.length }, message);
      const set = context.world().sets.find(({ name }) => name === setName);
      const event = { type: 'Warning', reason: 'LeadersElsewhere', message, action: 'ElectLeaders' } as const;
      if (set !== undefined) await tellSet(context, set, event);
    }
    this.#begin(undefined);
  }

  #begin(broker: number | undefined): void {
    this.#broker = broker;
    this.#tried = 0;
    this.#notBeforeMs = -Infinity;
    this.#refused.clear();
  }

  #noteOf(left: readonly TopicPartition[], broker: number): string {
    const examples = left.slice(0, named).map((at) => {
      const reason = this.#refused.get(keyOf(at));
      return reason === undefined ? keyOf(at) : `${keyOf(at)} (${reason})`;
    });
    const more = left.length > named ? ` and ${left.length - named} more` : '';
    return `Broker ${broker} is back and in sync, and could not be elected leader of ${examples.join(', ')}${more}. Kafka elects it by itself when it can (auto.leader.rebalance.enable); nothing waits for it any more.`;
  }
}

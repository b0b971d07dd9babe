import type { BrokerSettings, MinIsr } from '../../gate/evidence.ts';
import type { KafkaAdmin, MetadataMode } from '../../kafka/index.ts';

export type ConfigKafka = Pick<KafkaAdmin, 'describeManyConfigs'>;

const minIsrKey = 'min.insync.replicas';
const lagKey = 'replica.lag.time.max.ms';
const sessionKeys: Readonly<Record<MetadataMode, string>> = {
  kraft: 'broker.session.timeout.ms',
  zookeeper: 'zookeeper.session.timeout.ms',
};

/** Read again after this: a verdict takes configuration that is a minute old at most. */
const againAfterMs = 20_000;

export interface Asked {
  readonly topics: readonly string[];
  readonly brokers: readonly number[];
  readonly mode: MetadataMode;
  readonly nowMs: () => number;
}

/**
 * min.insync.replicas of topics and brokers and the brokers' own times, read every 20 s and whenever a topic or broker is
 * there that was not. What a broker that is away was last set to is kept: it comes back with it.
 */
export class Configs {
  readonly #kafka: ConfigKafka;
  readonly #defaults = new Map<number, number>();
  readonly #settings = new Map<number, BrokerSettings>();
  #byTopic = new Map<string, number | null>();
  #readAtMs = -Infinity;

  constructor(kafka: ConfigKafka) {
    this.#kafka = kafka;
  }

  get minIsr(): MinIsr | undefined {
    if (this.#readAtMs === -Infinity) return undefined;
    return { readAtMs: this.#readAtMs, byTopic: this.#byTopic, defaults: new Map(this.#defaults) };
  }

  get settings(): ReadonlyMap<number, BrokerSettings> {
    return new Map(this.#settings);
  }

  /** A call that fails leaves what is known, which then grows too old to be used. */
  async refresh(asked: Asked): Promise<void> {
    const { topics, brokers, nowMs } = asked;
    const news =
      topics.some((topic) => !this.#byTopic.has(topic)) || brokers.some((id) => !this.#settings.has(id));
    const atMs = nowMs();
    if (!news && atMs - this.#readAtMs < againAfterMs && atMs >= this.#readAtMs) return;
    const read = Promise.allSettled(brokers.map((id) => this.#readBroker(id, asked.mode)));
    const byTopic = await this.#readTopics(topics).catch(() => undefined);
    const outcomes = await read;
    if (byTopic === undefined || outcomes.some(({ status }) => status === 'rejected')) return;
    this.#byTopic = byTopic;
    this.#readAtMs = atMs;
  }

  async #readTopics(topics: readonly string[]): Promise<Map<string, number | null>> {
    const resources = topics.map((name) => ({ type: 'topic', name }) as const);
    const answers = await this.#kafka.describeManyConfigs(resources, [minIsrKey]);
    return new Map(
      answers.flatMap(({ resource, configs }): [string, number | null][] => {
        const own = configs.find(({ name }) => name === minIsrKey);
        if (own?.value === undefined) return [];
        return [[resource.name, own.source === 'topic' ? Number(own.value) : null]];
      }),
    );
  }

  async #readBroker(id: number, mode: MetadataMode): Promise<void> {
    const wanted = [minIsrKey, lagKey, sessionKeys[mode]];
    const resources = [{ type: 'broker', name: String(id) } as const];
    const [answer] = await this.#kafka.describeManyConfigs(resources, wanted);
    const valueOf = (key: string): number =>
      Number(answer?.configs.find(({ name }) => name === key)?.value ?? NaN);
    const [min, lag, session] = wanted.map(valueOf);
    if (min !== undefined && !Number.isNaN(min)) this.#defaults.set(id, min);
    if (lag !== undefined && session !== undefined && !Number.isNaN(lag + session))
      this.#settings.set(id, { replicaLagTimeMaxMs: lag, sessionTimeoutMs: session });
  }
}

import {
  type Aligned,
  type Evidence,
  type FencedSince,
  type IsrHistory,
  type MetadataView,
  type Ping,
  type QuorumEvidence,
  followFenced,
} from '../../gate/index.ts';
import type {
  BrokerFacts,
  KafkaAdmin,
  MetadataMode,
  Quorum,
  QuorumReplica,
  ViewBytes,
} from '../../kafka/index.ts';
import { inTime } from '../../in-time.ts';
import type { DigestedView } from './digest.ts';
import type { Digester } from './digester.ts';
import { Configs } from './min-isr.ts';
import { keepStanding } from './sync.ts';

/** What the gate asks of Kafka. */
export type GateKafka = Pick<
  KafkaAdmin,
  | 'apiVersions'
  | 'describeCluster'
  | 'describeLogDirs'
  | 'describeManyConfigs'
  | 'describeQuorum'
  | 'electPreferredLeaders'
  | 'ping'
  | 'viewOf'
>;

/** What Kafka itself says; the rest of the evidence is Kubernetes' and the record's. */
export type KafkaEvidence = Omit<Evidence, 'pods' | 'missingPods' | 'record' | 'catchingUp'>;

export interface KafkaRead {
  readonly evidence: KafkaEvidence;
  /** The views and the history of the evidence, prepared. */
  readonly aligned: Aligned;
  /** When the first question was asked. */
  readonly atMs: number;
  /** The last view was there. */
  readonly seenAtMs: number;
  readonly tookMs: number;
  /** Fenced ones too, where the cluster tells of them. */
  readonly brokers: readonly BrokerFacts[];
}

const pingMs = 500;
/** A candidate needs two views of others, so three serve every candidate. */
const viewers = 3;
/** A view that has not read what the quorum had committed a moment before is asked again. */
const tries = 3;

/**
 * Asks Kafka in the order that makes the answers mean something (`kafka-semantics` A3): the quorum first, then the metadata
 * of brokers that answer. Keeps from one read to the next since when ISRs are as they are, and brokers fenced.
 */
export class KafkaReader {
  readonly #kafka: GateKafka;
  readonly #nowMs: () => number;
  readonly #configs: Configs;
  readonly #digester: Pick<Digester, 'digest'>;
  #history: IsrHistory | undefined;
  readonly #fenced = new Map<number, { since: FencedSince; lastReadAtMs: number }>();

  constructor(kafka: GateKafka, nowMs: () => number, digester: Pick<Digester, 'digest'>) {
    this.#kafka = kafka;
    this.#digester = digester;
    this.#nowMs = nowMs;
    this.#configs = new Configs(kafka);
  }

  /** `nodes`: ids that should serve. Throws a `KafkaError` where no broker can be asked at all. */
  async read(nodes: readonly number[]): Promise<KafkaRead> {
    const atMs = this.#nowMs();
    const { mode, features } = await this.#kafka.apiVersions();
    const { brokers } = await this.#kafka.describeCluster();
    const pinging = this.ping(brokers);
    const eligibleLeaders = (features.get('eligible.leader.replicas.version') ?? 0) > 0;
    let quorum = await this.#quorum(mode);
    const pings = await pinging;
    const asked = brokers
      .filter(({ id, fenced }) => fenced !== true && pings.get(id)?.tookMs !== undefined)
      .sort((a, b) => a.id - b.id)
      .slice(0, viewers);
    let answers = await this.#answers(asked, eligibleLeaders);
    for (let left = tries - 1; left > 0 && isBehind(answers, quorum); left--) {
      quorum = await this.#quorum(mode);
      answers = await this.#answers(asked, eligibleLeaders);
    }
    const seenAtMs = this.#nowMs();
    const digest = await this.#digester.digest({
      views: answers,
      ...(this.#history === undefined ? {} : { history: this.#history }),
    });
    this.#history = digest.history;
    const views = digest.views.flatMap((view, index) => {
      const answer = answers[index];
      return view === undefined || answer === undefined
        ? []
        : [this.#viewOf(view, answer, { quorum, nodes })];
    });
    await this.#configs.refresh({
      topics: digest.joined.topics,
      brokers: asked.length === 0 ? [] : answering(brokers, pings),
      mode,
      nowMs: this.#nowMs,
    });
    const { minIsr, settings } = this.#configs;
    const evidence: KafkaEvidence = {
      mode,
      ...(quorum === undefined ? {} : { quorum: quorumEvidence(quorum) }),
      views,
      pings,
      ...(minIsr === undefined ? {} : { minIsr }),
      settings,
      ...(this.#history === undefined ? {} : { history: this.#history }),
    };
    return {
      evidence,
      aligned: digest,
      atMs,
      seenAtMs: Math.max(seenAtMs, minIsr?.readAtMs ?? 0),
      tookMs: this.#nowMs() - atMs,
      brokers,
    };
  }

  async #quorum(mode: MetadataMode): Promise<ReadQuorum | undefined> {
    if (mode === 'zookeeper') return undefined;
    const readAtMs = this.#nowMs();
    const quorum = await this.#kafka.describeQuorum().catch(() => undefined);
    return quorum === undefined ? undefined : { ...quorum, readAtMs };
  }

  /** Asks each broker whether it answers, half a second at most. */
  async ping(brokers: readonly BrokerFacts[]): Promise<Map<number, Ping>> {
    const all = brokers.map(async (broker): Promise<[number, Ping]> => {
      const sentAtMs = this.#nowMs();
      const answered = await within(this.#kafka.ping(broker), pingMs);
      return [broker.id, { sentAtMs, ...(answered ? { tookMs: this.#nowMs() - sentAtMs } : {}) }];
    });
    return new Map(await Promise.all(all));
  }

  /** A broker that does not tell its view has none; the others' count. */
  async #answers(asked: readonly BrokerFacts[], eligibleLeaders: boolean): Promise<Answer[]> {
    const answers = await Promise.all(
      asked.map(async (broker): Promise<Answer | undefined> => {
        const readAtMs = this.#nowMs();
        const bytes = await this.#kafka.viewOf(broker, { eligibleLeaders }).catch(() => undefined);
        return bytes === undefined ? undefined : { broker: broker.id, readAtMs, bytes };
      }),
    );
    return answers.filter((answer) => answer !== undefined);
  }

  #viewOf(
    { controllerId, serving, partitions, standing }: DigestedView,
    { broker, readAtMs }: Answer,
    { quorum, nodes }: { quorum: ReadQuorum | undefined; nodes: readonly number[] },
  ): MetadataView {
    keepStanding(partitions, standing);
    const metadataOffset = offsetOf(quorum, broker);
    const answer = { serving: new Set(serving), readAtMs };
    const since = followFenced(this.#fenced.get(broker), nodes, answer);
    this.#fenced.set(broker, { since, lastReadAtMs: readAtMs });
    return {
      broker,
      readAtMs,
      ...(metadataOffset === undefined ? {} : { metadataOffset }),
      controllerId,
      partitions,
      fencedSinceMs: since,
    };
  }
}

interface ReadQuorum extends Quorum {
  readonly readAtMs: number;
}

interface Answer {
  readonly broker: number;
  readonly readAtMs: number;
  readonly bytes: ViewBytes;
}

const offsetOf = (quorum: ReadQuorum | undefined, broker: number): bigint | undefined =>
  [...(quorum?.voters ?? []), ...(quorum?.observers ?? [])].find(({ id }) => id === broker)?.logEndOffset;

const isBehind = (answers: readonly Answer[], quorum: ReadQuorum | undefined): boolean =>
  quorum !== undefined &&
  answers.some(({ broker }) => (offsetOf(quorum, broker) ?? -1n) < quorum.highWatermark);

const answering = (brokers: readonly BrokerFacts[], pings: ReadonlyMap<number, Ping>): number[] =>
  brokers.map(({ id }) => id).filter((id) => pings.get(id)?.tookMs !== undefined);

const member = ({ id, lastFetchMs, lastCaughtUpMs }: QuorumReplica) => ({ id, lastFetchMs, lastCaughtUpMs });

const quorumEvidence = (quorum: ReadQuorum): QuorumEvidence => ({
  readAtMs: quorum.readAtMs,
  leaderId: quorum.leaderId,
  highWatermark: quorum.highWatermark,
  voters: quorum.voters.map(member),
  observers: quorum.observers.map(member),
});

/** Whether it came about in time. */
const within = (work: Promise<unknown>, timeoutMs: number): Promise<boolean> =>
  inTime(
    work.then(
      () => true,
      () => false,
    ),
    timeoutMs,
    () => false,
  );

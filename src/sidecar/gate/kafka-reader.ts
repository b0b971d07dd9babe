import {
  type FencedSince,
  type Grounds,
  type Ping,
  type Prepared,
  type QuorumEvidence,
  type ViewHead,
  emptyRecord,
  followFenced,
  limitsOf,
  minIsrByTopic,
  prepareScanned,
} from '../../gate/index.ts';
import type { BrokerFacts, KafkaAdmin, MetadataMode, Quorum, QuorumReplica } from '../../kafka/index.ts';
import { inTime } from '../../in-time.ts';
import type { Digest, DigestedView } from './digest.ts';
import type { Digester, ViewKafka } from './digester.ts';
import { Configs } from './min-isr.ts';
import type { Standing } from './standing.ts';

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
> &
  ViewKafka;

/** What Kafka itself says; the rest of the evidence is Kubernetes' and the record's. */
export interface KafkaEvidence
  extends
    Omit<Grounds, 'views' | 'pods' | 'missingPods' | 'record' | 'catchingUp'>,
    Pick<Digest, 'topics' | 'lagging' | 'unled'> {
  readonly views: readonly (ViewHead & { readonly standing: Standing })[];
  /** Brokers that any view connects with a partition. */
  readonly named: readonly number[];
}

export interface KafkaRead {
  readonly evidence: KafkaEvidence;
  /** The same, to be judged when pods and record are put in. */
  readonly prepared: Prepared;
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
  readonly #digester: Digester;
  readonly #fenced = new Map<number, { since: FencedSince; lastReadAtMs: number }>();

  constructor(kafka: GateKafka, nowMs: () => number, digester: Digester) {
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
    const { readAtMs } = answers;
    const digest = await this.#digester.digest(readAtMs);
    const views = digest.views.map((view) => this.#viewOf(view, { readAtMs, quorum, nodes }));
    const { topics, lagging, unled, brokers: named } = digest;
    await this.#configs.refresh({
      topics,
      brokers: asked.length === 0 ? [] : answering(brokers, pings),
      mode,
      nowMs: this.#nowMs,
    });
    const { minIsr, settings } = this.#configs;
    const scans = await this.#digester.scan({
      mins: minIsrByTopic(topics, minIsr),
      stableMs: limitsOf(settings.values()).stableMs,
      allStable: mode === 'zookeeper',
    });
    const evidence: KafkaEvidence = {
      mode,
      ...(quorum === undefined ? {} : { quorum: quorumEvidence(quorum) }),
      ...{ views, pings, settings, topics, lagging, unled, named },
      ...(minIsr === undefined ? {} : { minIsr }),
    };
    return {
      evidence,
      prepared: prepareScanned({ ...evidence, ...unasked }, scans),
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
  async #answers(asked: readonly BrokerFacts[], eligibleLeaders: boolean): Promise<Answers> {
    const readAtMs = this.#nowMs();
    const brokers = await this.#digester.fetch(this.#kafka, { brokers: asked, eligibleLeaders });
    return { readAtMs, brokers };
  }

  #viewOf(
    { broker, controllerId, serving, standing }: DigestedView,
    seen: { readAtMs: number; quorum: ReadQuorum | undefined; nodes: readonly number[] },
  ): KafkaEvidence['views'][number] {
    const { readAtMs, quorum, nodes } = seen;
    const metadataOffset = offsetOf(quorum, broker);
    const answer = { serving: new Set(serving), readAtMs };
    const since = followFenced(this.#fenced.get(broker), nodes, answer);
    this.#fenced.set(broker, { since, lastReadAtMs: readAtMs });
    return {
      broker,
      readAtMs,
      ...(metadataOffset === undefined ? {} : { metadataOffset }),
      ...{ controllerId, standing },
      fencedSinceMs: since,
    };
  }
}

interface ReadQuorum extends Quorum {
  readonly readAtMs: number;
}

/** Who has answered; what they said is with the digester. */
interface Answers {
  readonly readAtMs: number;
  readonly brokers: readonly number[];
}

/** What only a question tells. */
const unasked = {
  ...{ pods: [], missingPods: [], catchingUp: [] },
  record: { known: true, record: emptyRecord },
} as const;

const offsetOf = (quorum: ReadQuorum | undefined, broker: number): bigint | undefined =>
  [...(quorum?.voters ?? []), ...(quorum?.observers ?? [])].find(({ id }) => id === broker)?.logEndOffset;

const isBehind = ({ brokers }: Answers, quorum: ReadQuorum | undefined): boolean =>
  quorum !== undefined && brokers.some((broker) => (offsetOf(quorum, broker) ?? -1n) < quorum.highWatermark);

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

import {
  type Evidence,
  type FencedSince,
  type IsrHistory,
  type MetadataView,
  type Ping,
  type QuorumEvidence,
  follow,
  followFenced,
  tableOf,
} from '../../gate/index.ts';
import type { BrokerFacts, KafkaAdmin, MetadataMode, Quorum, QuorumReplica } from '../../kafka/index.ts';
import { Configs } from './min-isr.ts';

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
  #history: IsrHistory | undefined;
  readonly #fenced = new Map<number, { since: FencedSince; lastReadAtMs: number }>();

  constructor(kafka: GateKafka, nowMs: () => number) {
    this.#kafka = kafka;
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
    let views = await this.#views(asked, { quorum, eligibleLeaders, nodes });
    for (let left = tries - 1; left > 0 && isBehind(views, quorum); left--) {
      quorum = await this.#quorum(mode);
      views = await this.#views(asked, { quorum, eligibleLeaders, nodes });
    }
    this.#follow(views);
    const seenAtMs = this.#nowMs();
    await this.#configs.refresh({
      topics: [...new Set(views.flatMap(({ partitions }) => partitions.topics))],
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
    return { evidence, atMs, seenAtMs, tookMs: this.#nowMs() - atMs, brokers };
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
  async #views(asked: readonly BrokerFacts[], context: ViewContext): Promise<MetadataView[]> {
    const views = await Promise.all(asked.map((broker) => this.#view(broker, context)));
    return views.filter((view) => view !== undefined);
  }

  async #view(broker: BrokerFacts, { quorum, eligibleLeaders, nodes }: ViewContext) {
    const readAtMs = this.#nowMs();
    const view = await this.#kafka
      .viewOf(broker, { eligibleLeaders })
      // A partition that stands twice in pages of a moment ago cannot be judged: no view then.
      .then((answer) => ({ ...answer, partitions: tableOf(answer.partitions) }))
      .catch(() => undefined);
    if (view === undefined) return undefined;
    const members = [...(quorum?.voters ?? []), ...(quorum?.observers ?? [])];
    const metadataOffset = members.find(({ id }) => id === broker.id)?.logEndOffset;
    const before = this.#fenced.get(broker.id);
    const answer = { serving: new Set(view.serving), readAtMs };
    const since = followFenced(before, nodes, answer);
    this.#fenced.set(broker.id, { since, lastReadAtMs: readAtMs });
    return {
      broker: broker.id,
      readAtMs,
      ...(metadataOffset === undefined ? {} : { metadataOffset }),
      controllerId: view.controllerId,
      partitions: view.partitions,
      fencedSinceMs: since,
    } satisfies MetadataView;
  }

  /** A clock that was put back would hold the history for ever: it begins anew then. */
  #follow(views: readonly MetadataView[]): void {
    const [first] = views;
    if (first === undefined) return;
    const usable = this.#history !== undefined && first.readAtMs >= this.#history.lastReadAtMs;
    this.#history = follow(usable ? this.#history : undefined, first.partitions, first.readAtMs);
  }
}

interface ReadQuorum extends Quorum {
  readonly readAtMs: number;
}

interface ViewContext {
  readonly quorum: ReadQuorum | undefined;
  readonly eligibleLeaders: boolean;
  readonly nodes: readonly number[];
}

const isBehind = (views: readonly MetadataView[], quorum: ReadQuorum | undefined): boolean =>
  quorum !== undefined && views.some(({ metadataOffset }) => (metadataOffset ?? -1n) < quorum.highWatermark);

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
async function within(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

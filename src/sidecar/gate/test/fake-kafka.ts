import type { ConfigResource, EffectiveConfig, PartitionOutcome } from '../../../kafka/index.ts';
import { viewBytes } from '../../../kafka/test/view-bytes.ts';
import type { GateKafka } from '../kafka-reader.ts';

export interface FakePartition {
  readonly topic: string;
  readonly partition: number;
  leader: number;
  readonly replicas: readonly number[];
  isr: number[];
}

/** A cluster of combined nodes that answers at once, and whatever of it a test takes away. */
export class FakeKafka implements GateKafka {
  partitions: FakePartition[] = [0, 1, 2].map((id) => ({
    ...{ topic: 'orders', partition: id, leader: id },
    replicas: [id, (id + 1) % 3, (id + 2) % 3],
    isr: [0, 1, 2],
  }));
  /** Answers nothing, and fetches nothing. */
  readonly silent = new Set<number>();
  readonly fenced = new Set<number>();
  /** Broker → how far it is behind in the metadata. */
  readonly behind = new Map<number, bigint>();
  readonly elected: number[] = [];
  /** Kafka's reason for electing nobody. */
  electionRefused: string | undefined;
  away = false;
  mode: 'kraft' | 'zookeeper' = 'kraft';
  minIsr: Record<string, string> = { orders: '2' };
  settingsAsked = 0;
  reads = 0;
  apiVersions: GateKafka['apiVersions'] = async () => {
    this.reads++;
    if (this.away) throw new Error('No broker answered');
    return { newest: new Map(), features: new Map(), mode: this.mode };
  };

  describeCluster: GateKafka['describeCluster'] = async () => ({
    clusterId: 'c',
    controllerId: 0,
    brokers: [0, 1, 2].map((id) => ({
      ...{ id, host: `kafka-${id}.kafka.shop.svc`, port: 9091, rack: undefined },
      fenced: this.fenced.has(id),
    })),
  });

  describeQuorum: GateKafka['describeQuorum'] = async () => {
    const at = 5_000_000;
    const leaderId = [0, 1, 2].find((id) => !this.silent.has(id)) ?? 0;
    const voters = [0, 1, 2].map((id) => {
      const fetchMs = this.silent.has(id) ? at - 10_000 : at;
      const logEndOffset = 100n - (this.behind.get(id) ?? 0n);
      return { id, logEndOffset, lastFetchMs: fetchMs, lastCaughtUpMs: fetchMs };
    });
    return { leaderId, leaderEpoch: 1, highWatermark: 100n, voters, observers: [] };
  };

  ping: GateKafka['ping'] = async ({ host }) => {
    if (this.silent.has(idOf(host))) throw new Error('no answer');
  };

  viewOf: GateKafka['viewOf'] = async () =>
    viewBytes({
      controllerId: 0,
      serving: [0, 1, 2].filter((id) => !this.fenced.has(id)),
      partitions: this.partitions,
    });

  describeManyConfigs: GateKafka['describeManyConfigs'] = async (resources) => {
    this.settingsAsked++;
    return resources.map((resource) => ({ resource, configs: this.#configsOf(resource) }));
  };

  #configsOf({ type, name }: ConfigResource): EffectiveConfig[] {
    const one = (key: string, value: string, source: EffectiveConfig['source']): EffectiveConfig => ({
      ...{ name: key, value, source, synonyms: [] },
    });
    if (type === 'topic') {
      const own = this.minIsr[name];
      return [one('min.insync.replicas', own ?? '1', own === undefined ? 'default' : 'topic')];
    }
    return [
      one('min.insync.replicas', '1', 'static'),
      one('replica.lag.time.max.ms', '30000', 'static'),
      one('broker.session.timeout.ms', '9000', 'default'),
      one('zookeeper.session.timeout.ms', '18000', 'default'),
    ];
  }

  describeLogDirs: GateKafka['describeLogDirs'] = async (broker) => [
    {
      path: '/data',
      replicas: this.partitions.map(({ topic, partition, isr }) => ({
        ...{ topic, partition, future: false },
        sizeBytes: isr.includes(broker) ? 3_000_000 : 1_000_000,
      })),
    },
  ];

  electPreferredLeaders: GateKafka['electPreferredLeaders'] = async (wanted): Promise<PartitionOutcome[]> => {
    for (const { topic, partition } of wanted) {
      const found = this.partitions.find((one) => one.topic === topic && one.partition === partition);
      if (found !== undefined && this.electionRefused === undefined) found.leader = found.replicas[0] ?? -1;
      this.elected.push(partition);
    }
    const reason = this.electionRefused;
    return wanted.map((one) => ({
      ...one,
      ...(reason === undefined ? {} : { error: { reason, message: '' } }),
    }));
  };

  /** A broker is gone: fenced, out of all ISRs, leading nothing. */
  lose(id: number): void {
    this.silent.add(id);
    this.fenced.add(id);
    for (const partition of this.partitions) {
      partition.isr = partition.isr.filter((one) => one !== id);
      if (partition.leader === id) partition.leader = partition.isr[0] ?? -1;
    }
  }

  /** It is back, and copies. */
  find(id: number): void {
    this.silent.delete(id);
    this.fenced.delete(id);
  }

  catchUp(id: number): void {
    for (const partition of this.partitions)
      if (partition.replicas.includes(id) && !partition.isr.includes(id)) partition.isr.push(id);
  }
}

const idOf = (host: string): number => Number(/-(\d+)\./.exec(host)?.[1]);

import type { LogDir, OngoingReassignment, Partition, Topic } from '../../kafka/index.ts';
import type { BrokerSample, ClusterSample } from '../sample.ts';

export const GB = 1e9;

/** A directory of 1,000 GB with replicas in it, named `TOPIC-PARTITION`. */
export function dirOf(sizes: Readonly<Record<string, number>>, more: Partial<LogDir> = {}): LogDir {
  const replicas = Object.entries(sizes).map(([key, sizeBytes]) => {
    const dash = key.lastIndexOf('-');
    return {
      topic: key.slice(0, dash),
      partition: Number(key.slice(dash + 1)),
      sizeBytes,
      future: false,
    };
  });
  const used = replicas.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { path: '/data', totalBytes: 1_000 * GB, usableBytes: 1_000 * GB - used, replicas, ...more };
}

export const brokerOf = (id: number, dirs: readonly LogDir[] = [dirOf({})]): BrokerSample => ({
  id,
  rack: `rack-${id % 3}`,
  dirs,
});

/** A broker that did not tell of its directories. */
export const silentBroker = (id: number): BrokerSample => ({ ...brokerOf(id), dirs: undefined });

/** One topic from the replicas of its partitions, each led by its first. */
export const topicOf = (
  name: string,
  replicas: readonly (readonly number[])[],
  more: Partial<Partition> = {},
): Topic => ({
  name,
  internal: false,
  partitions: replicas.map((list, index) => ({
    index,
    leader: list[0] ?? -1,
    replicas: list,
    isr: list,
    offline: [],
    ...more,
  })),
});

export interface SampleParts {
  readonly atMs?: number;
  readonly brokers?: readonly BrokerSample[];
  readonly topics?: readonly Topic[];
  readonly reassignments?: readonly OngoingReassignment[];
  readonly latest?: Readonly<Record<string, number>>;
  readonly bytesPerOffset?: Readonly<Record<string, number>>;
  readonly committed?: ClusterSample['committed'];
  readonly problems?: readonly string[];
}

export const sampleOf = (parts: SampleParts = {}): ClusterSample => ({
  takenAtMs: parts.atMs ?? 0,
  brokers: parts.brokers ?? [0, 1, 2].map((id) => brokerOf(id)),
  topics: parts.topics ?? [],
  reassignments: parts.reassignments ?? [],
  latest: new Map(Object.entries(parts.latest ?? {}).map(([key, value]) => [key, BigInt(value)])),
  bytesPerOffset: new Map(Object.entries(parts.bytesPerOffset ?? {})),
  committed: parts.committed,
  problems: parts.problems ?? [],
});

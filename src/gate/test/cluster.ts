import type { Evidence, PodFacts } from '../evidence.ts';
import type { PartitionFacts } from '../partitions.ts';
import { tableOf } from '../partitions.ts';
import { emptyRecord } from '../record.ts';

export const nowMs = 1_000_000_000;

/** A cluster with everything in order, which a test then spoils. Node ids are 0, 1, 2 …; the first three vote. */
export interface Sketch {
  readonly brokers: number;
  readonly partitions: readonly PartitionFacts[];
  /** By topic. */
  readonly min: Readonly<Record<string, number>>;
}

export const pod = (nodeId: number, facts: Partial<PodFacts> = {}): PodFacts => ({
  name: `kafka-${nodeId}`,
  uid: `uid-${nodeId}`,
  member: true,
  nodeId,
  broker: true,
  controller: nodeId < 3,
  phase: 'Running',
  terminating: false,
  ready: true,
  everStarted: true,
  node: { cordoned: true, tainted: false, gone: false },
  override: false,
  ...facts,
});

export const partition = (
  topic: string,
  number: number,
  replicas: readonly number[],
  isr: readonly number[] = replicas,
): PartitionFacts => ({ topic, partition: number, replicas, isr, leader: isr[0] ?? -1 });

export function evidenceOf(sketch: Sketch, facts: Partial<Evidence> = {}): Evidence {
  const ids = Array.from({ length: sketch.brokers }, (_, id) => id);
  const member = (id: number) => ({ id, lastFetchMs: 5000, lastCaughtUpMs: 5000 });
  const table = tableOf(sketch.partitions);
  return {
    mode: 'kraft',
    quorum: {
      readAtMs: nowMs - 900,
      leaderId: 0,
      highWatermark: 100n,
      voters: ids.slice(0, 3).map(member),
      observers: ids.slice(3).map(member),
    },
    views: ids.map((broker) => ({
      broker,
      readAtMs: nowMs - 500,
      metadataOffset: 100n,
      controllerId: 0,
      partitions: table,
      fencedSinceMs: new Map(),
    })),
    pings: new Map(ids.map((id) => [id, { sentAtMs: nowMs - 300, tookMs: 5 }])),
    minIsr: {
      readAtMs: nowMs - 10_000,
      byTopic: new Map(Object.entries(sketch.min)),
      defaults: new Map(ids.map((id) => [id, 1])),
    },
    settings: new Map(ids.map((id) => [id, { replicaLagTimeMaxMs: 30_000, sessionTimeoutMs: 9_000 }])),
    history: {
      table,
      sinceMs: new Float64Array(table.partition.length).fill(nowMs - 600_000),
      lastReadAtMs: nowMs - 500,
    },
    pods: ids.map((id) => pod(id)),
    missingPods: [],
    record: { known: true, record: emptyRecord },
    catchingUp: [],
    ...facts,
  };
}

/** Three brokers, two partitions on all of them, minimum 2. */
export const three: Sketch = {
  brokers: 3,
  partitions: [partition('orders', 0, [0, 1, 2]), partition('orders', 1, [1, 2, 0])],
  min: { orders: 2 },
};

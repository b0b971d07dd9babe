/** Times of the pure verdict from prepared evidence, beside a plain scan of the same arrays in the same run. */
import { randomOf } from '../../src/balance/random.ts';
import {
  align,
  budgetOf,
  emptyRecord,
  follow,
  judge,
  minIsrByTopic,
  prepare,
  scan,
  scannable,
  tableOf,
} from '../../src/gate/index.ts';
import type { Evidence, PartitionFacts, PartitionTable, Prepared } from '../../src/gate/index.ts';
import { nowMs, pod as podOf } from '../../src/gate/test/cluster.ts';

/** Replication factor 3, twenty partitions a topic; each view reads its own answer, as a sidecar would. */
export function factsOf(brokers: number, partitions: number): PartitionFacts[] {
  const random = randomOf(1);
  return Array.from({ length: partitions }, (_, i) => {
    const first = random.below(brokers);
    const step = 1 + random.below(Math.max(1, Math.floor((brokers - 1) / 2)));
    const replicas = [first, (first + step) % brokers, (first + 2 * step) % brokers];
    return {
      topic: `topic-${Math.floor(i / 20)}`,
      partition: i % 20,
      leader: first,
      replicas,
      isr: replicas,
    };
  });
}

function evidenceOf(brokers: number, tables: readonly PartitionTable[]): Evidence {
  const ids = Array.from({ length: brokers }, (_, id) => id);
  const member = (id: number) => ({ id, lastFetchMs: 5000, lastCaughtUpMs: 5000 });
  const history = tables.reduce<ReturnType<typeof follow> | undefined>(
    (so, table, i) => follow(so, table, nowMs - 60_000 + 20_000 * i),
    undefined,
  );
  return {
    mode: 'kraft',
    quorum: {
      readAtMs: nowMs - 900,
      leaderId: 0,
      highWatermark: 100n,
      voters: ids.slice(0, 3).map(member),
      observers: ids.slice(3).map(member),
    },
    views: tables.map((partitions, broker) => ({
      broker,
      readAtMs: nowMs - 500,
      metadataOffset: 100n,
      partitions,
      fencedSinceMs: new Map(),
    })),
    pings: new Map(ids.map((id) => [id, { sentAtMs: nowMs - 300, tookMs: 5 }])),
    minIsr: {
      readAtMs: nowMs,
      byTopic: new Map(tables[0]?.topics.map((topic) => [topic, null])),
      defaults: new Map(ids.map((id) => [id, 2])),
    },
    settings: new Map(ids.map((id) => [id, { replicaLagTimeMaxMs: 30_000, sessionTimeoutMs: 9_000 }])),
    ...(history === undefined ? {} : { history }),
    pods: ids.map((id) => podOf(id)),
    missingPods: [],
    record: { known: true, record: emptyRecord },
    catchingUp: [],
  };
}

/** The least that any verdict has to read: every in-sync list of the views, once. */
function plainScan({ views }: Evidence): number {
  let sum = 0;
  for (const { partitions } of views) {
    const { first, items } = partitions.isr;
    for (let row = 0; row + 1 < first.length; row++)
      for (let i = first[row] ?? 0; i < (first[row + 1] ?? 0); i++) sum += items[i] ?? 0;
  }
  return sum;
}

interface Times {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of processor time, which a busy machine does not stretch by waiting. */
  readonly cpuP99Ms: number;
}

function measure(runs: number, once: (run: number) => unknown): Times {
  for (let run = 0; run < 20; run++) once(run);
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let run = 0; run < runs; run++) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    once(run);
    wall.push(performance.now() - start);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
  }
  const at = (times: readonly number[], share: number): number =>
    times.toSorted((a, b) => a - b)[Math.min(runs - 1, Math.floor(share * runs))] ?? 0;
  return { p50Ms: at(wall, 0.5), p99Ms: at(wall, 0.99), cpuP99Ms: at(cpu, 0.99) };
}

const memoryMiB = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
};

export function rowOf(brokers: number, partitions: number, runs: number) {
  const before = memoryMiB();
  const tables = [0, 1, 2].map(() => tableOf(factsOf(brokers, partitions)));
  const evidence = evidenceOf(brokers, tables);
  const tablesMiB = memoryMiB() - before;
  const aligned = align(evidence);
  const read = scannable(evidence, aligned, minIsrByTopic(aligned.joined.topics, evidence.minIsr));
  const preparedMiB = memoryMiB() - before - tablesMiB;
  // The first verdict on a read; what it finds of the partitions is kept for the others.
  const anew = (): Prepared => ({ evidence, scanOf: (broker) => scan(read, broker) });
  const ask = (run: number) => judge(anew(), { pod: podOf(run % brokers), nowMs });
  if (ask(0).kind !== 'allow')
    throw new Error('the prepared cluster does not allow: the figures would mean nothing');
  const verdict = measure(runs, ask);
  const plain = measure(runs, () => plainScan(evidence));
  return {
    brokers,
    partitions,
    verdict,
    plain,
    ratio: verdict.p50Ms / plain.p50Ms,
    prepare: measure(Math.min(10, runs), () => prepare(evidence)),
    budget: measure(Math.min(10, runs), () => budgetOf(anew(), nowMs)),
    tablesMiB,
    preparedMiB,
    residentMiB: process.memoryUsage().rss / 2 ** 20,
  };
}

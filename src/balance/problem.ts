/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { BrokerModel, ClusterModel, PartitionModel } from './model.ts';
import { topicLimits } from './topics.ts';

/** The five resources, in the order of every per-broker array of width `RESOURCES.length`. */
export const RESOURCES = ['disk', 'networkIn', 'replicas', 'networkOut', 'leaders'] as const;
export type Resource = (typeof RESOURCES)[number];
export const WIDTH = RESOURCES.length;
export const DISK = 0;
export const IN = 1;
export const REPLICAS = 2;
export const OUT = 3;
export const LEADERS = 4;

/** What a replica may do: go anywhere it is allowed, stay, or it has to leave its broker. */
export const FREE = 0;
export const PINNED = 1;
export const LEAVES = 2;

/**
 * What may move: `balance` everything; `add-brokers` replicas onto new brokers only; `remove-brokers` only what has
 * to leave its broker; `leaders` leadership only; `light` everything, but only upper limits count.
 */
export type Mode = 'balance' | 'add-brokers' | 'remove-brokers' | 'leaders' | 'light';

export const DEFAULT_TOLERANCE = 0.08;

export interface ProblemOptions {
  /** Half width of the band around the capacity-weighted average; DEFAULT_TOLERANCE when absent. */
  readonly tolerance?: number;
  readonly mode?: Mode;
  /** Topics of which nothing moves, leadership included. */
  readonly excludedTopics?: readonly string[];
  /** Broker ids that take neither replicas nor leadership; what they hold may leave. */
  readonly excludedBrokers?: readonly number[];
  /** Share of each log directory, where a broker has several, that no copy may take; 0 when absent. */
  readonly diskReserve?: number;
}

/**
 * The model in flat arrays. Amounts of resource k are in units of the mean load of a serving broker, so a load of
 * 1 is the average and one unit of disk moved costs 1. Partitions are ordered by the larger of their disk and
 * bytes in, descending; replicas of partition p are `first[p]` to `first[p + 1]`.
 */
export interface Problem {
  readonly model: ClusterModel;
  readonly tolerance: number;
  readonly mode: Mode;
  readonly diskReserve: number;
  readonly brokers: number;
  readonly partitions: number;
  /** Rack index of each broker; brokers without a rack share one. */
  readonly rack: Int32Array;
  /** Racks with a serving broker: what a partition's spread is measured against. */
  readonly servingRacks: number;
  /** Rack indices in use by any broker. */
  readonly racks: number;
  readonly serving: Uint8Array;
  /** May take replicas. */
  readonly receives: Uint8Array;
  /** May take leadership. */
  readonly leads: Uint8Array;
  /** Index in the model of each partition: here the largest come first. */
  readonly origin: Int32Array;
  readonly first: Int32Array;
  /** Partition of each replica. */
  readonly partitionOf: Int32Array;
  /** Broker of each replica at the start. */
  readonly home: Int32Array;
  /** FREE, PINNED or LEAVES of each replica. */
  readonly duty: Uint8Array;
  /** 1 where the leadership of a partition is not to change, unless its leader leaves. */
  readonly leaderPinned: Uint8Array;
  /** Broker that leads each partition at the start, or -1. */
  readonly startLeader: Int32Array;
  readonly topic: Int32Array;
  readonly topics: number;
  /** Where the row of a partition's topic begins in `topicMost`, or -1: too small a topic to pile up. */
  readonly roomAt: Int32Array;
  /** The most replicas of a topic on each broker that a move may bring about (README, "The spread of topics"). */
  readonly topicMost: Int16Array;
  /** Per partition: disk and bytes in of one replica, bytes out of the leader, in units of the mean. */
  readonly amount: Float64Array;
  /** Per resource: the mean load of a serving broker in the model's unit; 0 where nobody has any. */
  readonly unit: Float64Array;
  /** Per broker and resource: the limits (band and capacity together), and the capacity alone. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly capacity: Float64Array;
  /** Per broker and resource: its load when the cluster is evenly used; 0 on draining brokers. */
  readonly share: Float64Array;
}

/** Widens a band a little, so that a load that is exactly on its edge counts as within whatever the order of summing. */
const ROUNDING = 5e-10;

function indexOf<T>(values: readonly T[]): Map<T, number> {
  const index = new Map<T, number>();
  for (const value of values) if (!index.has(value)) index.set(value, index.size);
  return index;
}

function capacityOf(broker: BrokerModel, k: number): number {
  switch (RESOURCES[k]) {
    case 'disk':
      return broker.capacity.disk;
    case 'networkIn':
      return broker.capacity.networkIn;
    case 'networkOut':
      return broker.capacity.networkOut;
    default:
      return 1;
  }
}

interface Limits {
  unit: Float64Array;
  lower: Float64Array;
  upper: Float64Array;
  capacity: Float64Array;
  share: Float64Array;
}

function totals(partitions: readonly PartitionModel[]): Float64Array {
  const total = new Float64Array(WIDTH);
  for (const p of partitions) {
    const factor = p.replicas.length;
    total[DISK]! += p.size * factor;
    total[IN]! += p.bytesIn * factor;
    total[REPLICAS]! += factor;
    if (p.leader < 0) continue;
    total[OUT]! += p.bytesOut;
    total[LEADERS]! += 1;
  }
  return total;
}

function limitsOf(model: ClusterModel, tolerance: number, light: boolean): Limits {
  const serving = model.brokers.filter((b) => b.state !== 'draining');
  const unit = totals(model.partitions).map((sum) => sum / serving.length);
  const size = model.brokers.length * WIDTH;
  const lower = new Float64Array(size).fill(-Infinity);
  const upper = new Float64Array(size).fill(Infinity);
  const capacity = new Float64Array(size).fill(Infinity);
  const shares = new Float64Array(size);
  for (let k = 0; k < WIDTH; k++) {
    if (unit[k]! <= 0) continue;
    const mean = serving.reduce((sum, b) => sum + capacityOf(b, k), 0) / serving.length;
    model.brokers.forEach((broker, b) => {
      if (broker.state === 'draining') return;
      const at = b * WIDTH + k;
      const share = capacityOf(broker, k) / mean;
      shares[at] = share;
      if (k !== REPLICAS && k !== LEADERS) capacity[at] = capacityOf(broker, k) / unit[k]!;
      upper[at] = Math.min(share * (1 + tolerance) + ROUNDING, capacity[at]!);
      if (!light) lower[at] = Math.min(share * (1 - tolerance) - ROUNDING, upper[at]);
    });
  }
  return { unit, lower, upper, capacity, share: shares };
}

function largestFirst(partitions: readonly PartitionModel[], per: Float64Array): Int32Array {
  const key = Float64Array.from(partitions, (p) => Math.max(p.size * per[DISK]!, p.bytesIn * per[IN]!));
  return Int32Array.from(partitions, (_, i) => i).sort((a, b) => key[b]! - key[a]! || a - b);
}

function dutyOf(mode: Mode, excluded: boolean, mustLeave: boolean): number {
  if (excluded || mode === 'leaders') return PINNED;
  if (mustLeave) return LEAVES;
  return mode === 'remove-brokers' ? PINNED : FREE;
}

/**
 * States a model as an optimisation problem: the sets, amounts and limits of the README beside this file.
 * A model is taken as valid (`parseModel`).
 */
export function problemOf(model: ClusterModel, options: ProblemOptions = {}): Problem {
  const { tolerance = DEFAULT_TOLERANCE, mode = 'balance', diskReserve = 0 } = options;
  const excludedTopics = new Set(options.excludedTopics);
  const excludedBrokers = new Set(options.excludedBrokers);
  const brokers = model.brokers.length;
  const partitions = model.partitions.length;
  const indexOfBroker = indexOf(model.brokers.map((b) => b.id));
  const broker = (id: number): number => indexOfBroker.get(id) ?? -1;
  const indexOfRack = indexOf(model.brokers.map((b) => b.rack));
  const indexOfTopic = indexOf(model.partitions.map((p) => p.topic));
  const rack = Int32Array.from(model.brokers, (b) => indexOfRack.get(b.rack) ?? 0);
  const serving = Uint8Array.from(model.brokers, (b) => Number(b.state !== 'draining'));
  const leads = Uint8Array.from(model.brokers, (b, i) => Number(serving[i] && !excludedBrokers.has(b.id)));
  const receives = leads.map((open, b) =>
    mode === 'add-brokers' && model.brokers[b]!.state !== 'new' ? 0 : open,
  );
  const limits = limitsOf(model, tolerance, mode === 'light');
  const per = limits.unit.map((unit) => (unit > 0 ? 1 / unit : 0));
  const origin = largestFirst(model.partitions, per);
  const ordered = Array.from(origin, (i) => model.partitions[i]!);
  const first = new Int32Array(partitions + 1);
  ordered.forEach((p, i) => (first[i + 1] = first[i]! + p.replicas.length));
  const replicas = first[partitions]!;
  const problem = {
    model,
    tolerance,
    mode,
    diskReserve,
    brokers,
    partitions,
    rack,
    servingRacks: new Set(rack.filter((_, b) => serving[b])).size,
    racks: indexOfRack.size,
    serving,
    receives,
    leads,
    origin,
    first,
    partitionOf: new Int32Array(replicas),
    home: new Int32Array(replicas),
    duty: new Uint8Array(replicas),
    leaderPinned: new Uint8Array(partitions),
    startLeader: Int32Array.from(ordered, (p) => broker(p.leader)),
    topic: Int32Array.from(ordered, (p) => indexOfTopic.get(p.topic) ?? 0),
    topics: indexOfTopic.size,
    amount: new Float64Array(partitions * 3),
    ...limits,
  };
  ordered.forEach((p, i) => {
    problem.amount[3 * i] = p.size * per[DISK]!;
    problem.amount[3 * i + 1] = p.bytesIn * per[IN]!;
    problem.amount[3 * i + 2] = p.leader < 0 ? 0 : p.bytesOut * per[OUT]!;
    // Without a leader there is nothing to copy from: Kafka could not carry out such a move.
    const excluded = excludedTopics.has(p.topic) || p.leader < 0;
    p.replicas.forEach((id, j) => {
      const b = broker(id);
      const mustLeave = !serving[b] || p.offline?.includes(id) === true;
      problem.partitionOf[first[i]! + j] = i;
      problem.home[first[i]! + j] = b;
      problem.duty[first[i]! + j] = dutyOf(mode, excluded, mustLeave);
    });
    const duties = problem.duty.subarray(first[i], first[i + 1]);
    problem.leaderPinned[i] = Number(excluded || (mode === 'remove-brokers' && !duties.includes(LEAVES)));
  });
  return { ...problem, ...topicLimits(problem) };
}

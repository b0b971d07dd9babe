/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import { DISK, IN, LEADERS, LEAVES, OUT, PINNED, REPLICAS, RESOURCES, WIDTH } from './problem.ts';
import type { Problem, Resource } from './problem.ts';
import { perReplica, racksNeeded, startState } from './state.ts';

/** A goal that no plan can reach, and why. `proof` is a sketch that a reader can check by hand. */
export interface Obstacle {
  readonly kind: 'capacity' | 'hot-partition' | 'rack' | 'whole-numbers' | 'fixed-load' | 'cannot-leave';
  readonly resource?: Resource;
  readonly broker?: number;
  readonly rack?: string;
  readonly partition?: string;
  readonly proof: string;
  readonly remedy: string;
}

const percent = (x: number): string => `${(100 * x).toFixed(1)}%`;
const servingOf = (problem: Problem): number[] =>
  Array.from({ length: problem.brokers }, (_, b) => b).filter((b) => problem.serving[b]);
const nameOf = (problem: Problem, p: number): string => {
  const { topic, partition } = problem.model.partitions[problem.origin[p]!]!;
  return `${topic}-${partition}`;
};

/** More load than all brokers together can carry. */
function overCapacity(problem: Problem): Obstacle[] {
  const brokers = servingOf(problem);
  return [DISK, IN, OUT].flatMap((k) => {
    const room = brokers.reduce((sum, b) => sum + problem.capacity[b * WIDTH + k]!, 0);
    if (problem.unit[k]! <= 0 || room >= brokers.length) return [];
    return [
      {
        kind: 'capacity' as const,
        resource: RESOURCES[k]!,
        proof: `all replicas together need ${percent(brokers.length / room)} of the ${RESOURCES[k]} capacity of the ${brokers.length} serving brokers`,
        remedy: 'Add brokers or capacity, or shorten retention',
      },
    ];
  });
}

/** A partition that is larger than the upper limit of every broker: whoever holds it is above. */
function hotPartitions(problem: Problem): Obstacle[] {
  const found: Obstacle[] = [];
  [DISK, IN, OUT].forEach((k, column) => {
    const highest = servingOf(problem).reduce((max, b) => Math.max(max, problem.upper[b * WIDTH + k]!), 0);
    if (problem.unit[k]! <= 0) return;
    for (let p = 0; p < problem.partitions && found.length < 20; p++) {
      const amount = problem.amount[3 * p + column]!;
      if (amount <= highest) continue;
      found.push({
        kind: 'hot-partition',
        resource: RESOURCES[k]!,
        partition: nameOf(problem, p),
        proof: `one replica alone is ${percent(amount)} of the average broker's ${RESOURCES[k]}, and the highest limit of any broker is ${percent(highest)}: each broker that serves it is above its limit`,
        remedy: 'Give the topic more partitions, so that its load can be divided',
      });
    }
  });
  return found;
}

/** How many replicas of a partition of n replicas must, and may, lie in one rack. */
function perRack(problem: Problem, n: number, brokersInRack: number): { least: number; most: number } {
  const racks = problem.servingRacks;
  if (n < racks) return { least: 0, most: 1 };
  return { least: 1, most: Math.min(n - racks + 1, brokersInRack) };
}

function rackObstacle(problem: Problem, rack: number, members: number[]): Obstacle[] {
  const { amount, first, upper, lower, model } = problem;
  const name = model.brokers[members[0]!]!.rack ?? 'none';
  const unit = perReplica(problem);
  return [DISK, IN, REPLICAS].flatMap((k): Obstacle[] => {
    if (problem.unit[k]! <= 0) return [];
    let least = 0;
    let most = 0;
    for (let p = 0; p < problem.partitions; p++) {
      const counts = perRack(problem, first[p + 1]! - first[p]!, members.length);
      const size = k === REPLICAS ? unit : amount[3 * p + k]!;
      least += counts.least * size;
      most += counts.most * size;
    }
    const room = members.reduce((sum, b) => sum + upper[b * WIDTH + k]!, 0);
    const floor = members.reduce((sum, b) => sum + Math.max(0, lower[b * WIDTH + k]!), 0);
    const common = { kind: 'rack' as const, resource: RESOURCES[k]!, rack: name };
    const remedy = 'Give the racks an equal number of brokers, or accept a wider tolerance';
    if (least > room * (1 + 1e-9))
      return [
        {
          ...common,
          proof: `rack ${name} must hold a replica of every partition with at least ${problem.servingRacks} replicas, which is ${percent(least / members.length)} of the average on each of its ${members.length} brokers; their limits allow ${percent(room / members.length)}`,
          remedy,
        },
      ];
    if (most < floor * (1 - 1e-9))
      return [
        {
          ...common,
          proof: `rack ${name} may hold replicas worth at most ${percent(most / members.length)} of the average on each of its ${members.length} brokers; their lower limits ask for ${percent(floor / members.length)}`,
          remedy,
        },
      ];
    return [];
  });
}

function racks(problem: Problem): Obstacle[] {
  if (problem.servingRacks < 2) return [];
  const members = Map.groupBy(servingOf(problem), (b) => problem.rack[b]!);
  return [...members].flatMap(([rack, brokers]) => rackObstacle(problem, rack, brokers));
}

/** Replicas and leaders are whole: a narrow band may hold no whole number. */
function wholeNumbers(problem: Problem): Obstacle[] {
  return [REPLICAS, LEADERS].flatMap((k): Obstacle[] => {
    const unit = problem.unit[k]!;
    const b = servingOf(problem)[0]!;
    const low = problem.lower[b * WIDTH + k]! * unit;
    const high = problem.upper[b * WIDTH + k]! * unit;
    if (unit <= 0 || Math.ceil(low - 1e-6) <= Math.floor(high + 1e-6)) return [];
    return [
      {
        kind: 'whole-numbers',
        resource: RESOURCES[k]!,
        proof: `the band of ${RESOURCES[k]} goes from ${low.toFixed(2)} to ${high.toFixed(2)} on each broker, and no whole number lies in it`,
        remedy: 'Accept a wider tolerance, or create more partitions',
      },
    ];
  });
}

/** Brokers whose unmovable part alone is above the limit, or that are below it and take nothing. */
function fixedLoads(problem: Problem): Obstacle[] {
  const fixed = new Float64Array(problem.brokers * WIDTH);
  const start = startState(problem, 0, 0).load;
  for (let p = 0; p < problem.partitions; p++)
    for (let r = problem.first[p]!; r < problem.first[p + 1]!; r++) {
      if (problem.duty[r] !== PINNED) continue;
      const base = problem.home[r]! * WIDTH;
      fixed[base + DISK]! += problem.amount[3 * p]!;
      fixed[base + IN]! += problem.amount[3 * p + 1]!;
      fixed[base + REPLICAS]! += perReplica(problem);
    }
  return servingOf(problem).flatMap((b) =>
    [DISK, IN, REPLICAS].flatMap((k): Obstacle[] => {
      const i = b * WIDTH + k;
      const broker = problem.model.brokers[b]!.id;
      const common = { kind: 'fixed-load' as const, resource: RESOURCES[k]!, broker };
      if (fixed[i]! > problem.upper[i]! + 1e-9)
        return [
          {
            ...common,
            proof: `what may not move on broker ${broker} is ${percent(fixed[i]!)} of the average broker's ${RESOURCES[k]}; its limit is ${percent(problem.upper[i]!)}`,
            remedy: 'Exclude fewer topics, or choose mode balance',
          },
        ];
      if (!problem.receives[b] && start[i]! < problem.lower[i]! - 1e-9)
        return [
          {
            ...common,
            proof: `broker ${broker} holds ${percent(start[i]!)} of the average broker's ${RESOURCES[k]}, below its limit of ${percent(problem.lower[i]!)}, and takes no replicas`,
            remedy: 'Exclude fewer brokers, or choose mode balance',
          },
        ];
      return [];
    }),
  );
}

/** Replicas that should leave a broker and have nowhere to go, or may not move. */
function cannotLeave(problem: Problem): Obstacle[] {
  const { model, first, home, duty, receives } = problem;
  const receivers = receives.reduce((sum, one) => sum + one, 0);
  const found: Obstacle[] = [];
  for (let p = 0; p < problem.partitions && found.length < 20; p++)
    for (let r = first[p]!; r < first[p + 1]!; r++) {
      const b = home[r]!;
      const broker = model.brokers[b]!.id;
      const pinned = duty[r] === PINNED && !problem.serving[b];
      const nowhere =
        duty[r] === LEAVES && receivers < first[p + 1]! - first[p]! && racksNeeded(problem, p) > 0;
      if (!pinned && !nowhere) continue;
      found.push({
        kind: 'cannot-leave',
        broker,
        partition: nameOf(problem, p),
        proof: pinned
          ? `${nameOf(problem, p)} has to leave broker ${broker}, but its topic is excluded, it has no leader to copy from, or the mode moves no replicas`
          : `${nameOf(problem, p)} has ${first[p + 1]! - first[p]!} replicas, and only ${receivers} brokers take any`,
        remedy: pinned
          ? 'Include the topic, wait for the partition to come back, or choose another mode'
          : 'Add brokers, or lower the replication factor of the topic',
      });
    }
  return found;
}

/**
 * Names goals that cannot be met whatever the plan, each with a proof sketch. An empty answer does not promise that
 * all can be met: together, goals may still exclude each other.
 */
export function obstaclesOf(problem: Problem): Obstacle[] {
  return [
    ...overCapacity(problem),
    ...hotPartitions(problem),
    ...racks(problem),
    ...wholeNumbers(problem),
    ...fixedLoads(problem),
    ...cannotLeave(problem),
  ];
}

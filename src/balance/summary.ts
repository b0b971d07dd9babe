/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { Bounds } from './bounds.ts';
import type { Refusal } from './directories.ts';
import type { Obstacle } from './infeasible.ts';
import { DISK, RESOURCES, WIDTH } from './problem.ts';
import type { Problem, Resource } from './problem.ts';
import { crowded, leadersChanged, movedAmount, outside, startState, stranded } from './state.ts';
import type { State } from './state.ts';
import { worstPile } from './topics.ts';
import type { TopicPile } from './topics.ts';
import type { Within } from './within.ts';

export interface BrokerLoad {
  readonly id: number;
  /** Utilisation relative to the cluster's average: 1 is the average, 1.1 ten per cent above it. */
  readonly before: Record<Resource, number>;
  readonly after: Record<Resource, number>;
  /** Data copied onto and off this broker, in MB. */
  readonly inMB: number;
  readonly outMB: number;
}

/** What a plan does and how good it is. Data in MB, shares of all data from 0 to 1. */
export interface Summary {
  readonly mode: string;
  readonly tolerance: number;
  readonly totalMB: number;
  readonly movedMB: number;
  readonly movedShare: number;
  /** Least data that any plan within all limits moves, from the disk alone and from all resources and racks. */
  readonly diskBoundShare: number;
  readonly boundShare: number;
  /**
   * movedShare / boundShare; absent when nothing has to move, and when the plan leaves a broker outside: the bound speaks of
   * plans that leave none.
   */
  readonly ratio?: number;
  readonly replicaMoves: number;
  readonly leaderChanges: number;
  /** Partitions that only change their order of replicas. */
  readonly reorderings: number;
  readonly partitionsChanged: number;
  readonly outsideBefore: Record<Resource, number>;
  readonly outsideAfter: Record<Resource, number>;
  /** Partitions on too few racks, and replicas left where they must not stay. */
  readonly crowded: number;
  readonly stranded: number;
  readonly obstacles: readonly Obstacle[];
  /** Where most replicas of one topic lie on one broker beyond an even spread; absent without partitions. */
  readonly topicPileBefore?: TopicPile;
  readonly topicPileAfter?: TopicPile;
  /** Moves left out because no log directory of the broker has room for them. */
  readonly refused: readonly Refusal[];
  /**
   * What is moved between the log directories of brokers in the end, none of it over the network, and the directories outside
   * the band before and after that; absent where no broker has several.
   */
  readonly directories?: Omit<Within, 'directory'>;
  /** False where nothing was planned, every broker and log directory being within the trigger. */
  readonly due: boolean;
  readonly brokers: readonly BrokerLoad[];
  /** Proposals the search made. */
  readonly steps: number;
}

const named = (values: readonly number[]): Record<Resource, number> =>
  Object.fromEntries(RESOURCES.map((name, k) => [name, values[k]!])) as Record<Resource, number>;

function utilisation(problem: Problem, load: Float64Array, b: number): Record<Resource, number> {
  const values = RESOURCES.map((_, k) => {
    const i = b * WIDTH + k;
    const share = problem.share[i]!;
    return share > 0 ? load[i]! / share : load[i]!;
  });
  return named(values);
}

interface Traffic {
  into: Float64Array;
  out: Float64Array;
}

/** Copies are charged to the replicas that go, as sources, one for one with those that come. */
function trafficOf({ problem, at }: State): Traffic {
  const into = new Float64Array(problem.brokers);
  const out = new Float64Array(problem.brokers);
  for (let p = 0; p < problem.partitions; p++) {
    const from = problem.first[p]!;
    const to = problem.first[p + 1]!;
    const before = problem.home.subarray(from, to);
    const after = at.subarray(from, to);
    const size = problem.amount[3 * p]!;
    for (const b of after) if (!before.includes(b)) into[b]! += size;
    for (const b of before) if (!after.includes(b)) out[b]! += size;
  }
  return { into, out };
}

function counts({ problem, at, leader }: State): { changed: number; reordered: number } {
  let changed = 0;
  let reordered = 0;
  for (let p = 0; p < problem.partitions; p++) {
    const before = problem.home.subarray(problem.first[p], problem.first[p + 1]);
    const after = at.subarray(problem.first[p], problem.first[p + 1]);
    const moved = after.some((b) => !before.includes(b));
    const led = leader[p] !== problem.startLeader[p];
    if (moved || led) changed++;
    if (!moved && led) reordered++;
  }
  return { changed, reordered };
}

function crowdedCount(state: State): number {
  let count = 0;
  for (let p = 0; p < state.problem.partitions; p++) if (crowded(state, p)) count++;
  return count;
}

/** Summarises an assignment, with its bounds and the goals found to be out of reach. */
export function summaryOf(
  state: State,
  bounds: Bounds,
  found: Pick<Summary, 'obstacles' | 'steps' | 'refused' | 'due' | 'directories'>,
): Summary {
  const { problem } = state;
  const start = startState(problem, 0, 0);
  const unit = problem.unit[DISK]!;
  const total = problem.serving.reduce((sum, one) => sum + one, 0);
  const moved = movedAmount(state);
  const left = outside(state);
  const isWithin = left.every((brokers) => brokers === 0);
  const traffic = trafficOf(state);
  const { changed, reordered } = counts(state);
  const pileBefore = worstPile(problem, problem.home);
  const pileAfter = worstPile(problem, state.at);
  return {
    mode: problem.mode,
    tolerance: problem.tolerance,
    totalMB: total * unit,
    movedMB: moved.disk * unit,
    movedShare: moved.disk / total,
    diskBoundShare: bounds.disk / total,
    boundShare: bounds.all / total,
    ...(bounds.all > 0 && moved.disk > 0 && isWithin ? { ratio: moved.disk / bounds.all } : {}),
    replicaMoves: moved.replicas,
    leaderChanges: leadersChanged(state),
    reorderings: reordered,
    partitionsChanged: changed,
    outsideBefore: named(outside(start)),
    outsideAfter: named(left),
    crowded: crowdedCount(state),
    stranded: stranded(state),
    obstacles: found.obstacles,
    ...(pileBefore && { topicPileBefore: pileBefore }),
    ...(pileAfter && { topicPileAfter: pileAfter }),
    refused: found.refused,
    ...(found.directories && { directories: found.directories }),
    due: found.due,
    brokers: problem.model.brokers.map((broker, b) => ({
      id: broker.id,
      before: utilisation(problem, start.load, b),
      after: utilisation(problem, state.load, b),
      inMB: traffic.into[b]! * unit,
      outMB: traffic.out[b]! * unit,
    })),
    steps: found.steps,
  };
}

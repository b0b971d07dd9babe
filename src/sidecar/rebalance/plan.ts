import { type ClusterModel, type Mode, type Reassignment, bytesPerMB } from '../../balance/index.ts';
import type { ExecutionSettings } from './settings.ts';

/** One partition's change: `from` is the assignment that the plan was made for, `to` the planned one. */
export interface PlannedMove {
  readonly topic: string;
  readonly partition: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Of one replica. */
  readonly sizeBytes: number;
}

/** Everything that is approved with a plan and carried out: its hash is taken over all of this. */
export interface RebalancePlan {
  readonly schema: 1;
  readonly cluster: string;
  /** `given` for a plan from elsewhere. */
  readonly mode: Mode | 'given';
  readonly execution: ExecutionSettings;
  readonly moves: readonly PlannedMove[];
}

const keyOf = (topic: string, partition: number): string => `${topic}\n${partition}`;

export interface MovesFound {
  readonly moves: readonly PlannedMove[];
  /** What of the reassignment the cluster does not have or cannot do, each with the reason. */
  readonly problems: readonly string[];
}

/**
 * The moves of a reassignment, each with where the partition is now. What is there already is left out. A change of
 * the replication factor is a problem: balancing never makes one.
 */
export function movesOf(model: ClusterModel, { partitions }: Pick<Reassignment, 'partitions'>): MovesFound {
  const known = new Map(model.partitions.map((one) => [keyOf(one.topic, one.partition), one]));
  const brokers = new Set(model.brokers.map(({ id }) => id));
  const moves: PlannedMove[] = [];
  const problems: string[] = [];
  for (const { topic, partition, replicas } of partitions) {
    const now = known.get(keyOf(topic, partition));
    const unknown = replicas.filter((id) => !brokers.has(id));
    if (now === undefined) problems.push(`${topic}-${partition}: the cluster has no such partition`);
    else if (unknown.length > 0)
      problems.push(`${topic}-${partition}: the cluster has no broker ${unknown.join(', ')}`);
    else if (now.replicas.length !== replicas.length)
      problems.push(
        `${topic}-${partition}: ${replicas.length} replicas instead of ${now.replicas.length} would change the replication factor`,
      );
    else if (replicas.some((id, i) => id !== now.replicas[i])) {
      const sizeBytes = Math.round(now.size * bytesPerMB);
      moves.push({ topic, partition, from: now.replicas, to: replicas, sizeBytes });
    }
  }
  return { moves, problems };
}

export const addedBy = ({ from, to }: Pick<PlannedMove, 'from' | 'to'>): number[] =>
  to.filter((id) => !from.includes(id));

/** What a list of moves amounts to. */
export function totalsOf(moves: readonly PlannedMove[]) {
  let bytesToMove = 0;
  let replicaMoves = 0;
  let leaderChanges = 0;
  for (const move of moves) {
    const copies = addedBy(move).length;
    bytesToMove += copies * move.sizeBytes;
    replicaMoves += copies;
    if (move.from[0] !== move.to[0]) leaderChanges += 1;
  }
  return { bytesToMove, replicaMoves, leaderChanges };
}

import { type ClusterModel, type Mode, type Reassignment, bytesPerMB } from '../../balance/index.ts';
import { anyDirectory, relocatedOn } from '../../execution/index.ts';
import { Directories, type DirectoriesByBroker } from './directories.ts';
import type { ExecutionSettings } from './settings.ts';

/** One partition's change: `from` is the assignment that the plan was made for, `to` the planned one. */
export interface PlannedMove {
  readonly topic: string;
  readonly partition: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** Of one replica. */
  readonly sizeBytes: number;
  /**
   * Log directory of each replica of `to`, `any` where the broker chooses or the replica stays in its own; absent: any for
   * all. One that stays on its broker is copied there.
   */
  readonly toDirs?: readonly string[];
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
 * The moves of a reassignment, each with where the partition is now. What is there already is left out, in its log directory
 * too. A change of the replication factor is a problem: balancing never makes one.
 */
export function movesOf(
  model: ClusterModel,
  { partitions }: Pick<Reassignment, 'partitions'>,
  dirs: DirectoriesByBroker = new Map(),
): MovesFound {
  const directories = new Directories(dirs);
  const known = new Map(model.partitions.map((one) => [keyOf(one.topic, one.partition), one]));
  const brokers = new Set(model.brokers.map(({ id }) => id));
  const moves: PlannedMove[] = [];
  const problems: string[] = [];
  for (const entry of partitions) {
    const { topic, partition, replicas } = entry;
    const now = known.get(keyOf(topic, partition));
    const unknown = replicas.filter((id) => !brokers.has(id));
    if (now === undefined) problems.push(`${topic}-${partition}: the cluster has no such partition`);
    else if (unknown.length > 0)
      problems.push(`${topic}-${partition}: the cluster has no broker ${unknown.join(', ')}`);
    else if (now.replicas.length !== replicas.length)
      problems.push(
        `${topic}-${partition}: ${replicas.length} replicas instead of ${now.replicas.length} would change the replication factor`,
      );
    else {
      const { toDirs, problem } = directoriesOf(entry, now.replicas, directories);
      const isMoved = toDirs !== undefined || replicas.some((id, i) => id !== now.replicas[i]);
      const sizeBytes = Math.round(now.size * bytesPerMB);
      const move = { topic, partition, from: now.replicas, to: replicas, sizeBytes };
      if (problem !== undefined) problems.push(`${topic}-${partition}: ${problem}`);
      else if (isMoved) moves.push(toDirs === undefined ? move : { ...move, toDirs });
    }
  }
  return { moves, problems };
}

function directoriesOf(
  { topic, partition, replicas, log_dirs: named }: Reassignment['partitions'][number],
  now: readonly number[],
  directories: Directories,
): { readonly toDirs?: readonly string[]; readonly problem?: string } {
  if (named === undefined) return {};
  const toDirs: string[] = [];
  for (const [index, broker] of replicas.entries()) {
    const path = named[index] ?? anyDirectory;
    const planned = directories.planned({ topic, partition, broker, stays: now.includes(broker), path });
    if ('problem' in planned) return planned;
    toDirs.push(planned.path);
  }
  return toDirs.every((path) => path === anyDirectory) ? {} : { toDirs };
}

export const addedBy = ({ from, to }: Pick<PlannedMove, 'from' | 'to'>): number[] =>
  to.filter((id) => !from.includes(id));

/** What a list of moves amounts to. */
export function totalsOf(moves: readonly PlannedMove[]) {
  let bytesToMove = 0;
  let replicaMoves = 0;
  let leaderChanges = 0;
  let relocations = 0;
  let bytesWithinBrokers = 0;
  for (const move of moves) {
    const copies = addedBy(move).length;
    bytesToMove += copies * move.sizeBytes;
    replicaMoves += copies;
    if (move.from[0] !== move.to[0]) leaderChanges += 1;
    const within = relocatedOn(move).length;
    relocations += within;
    bytesWithinBrokers += within * move.sizeBytes;
  }
  return { bytesToMove, replicaMoves, leaderChanges, relocations, bytesWithinBrokers };
}

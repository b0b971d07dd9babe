/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays, indices in range by construction */
import type { Problem } from './problem.ts';
import { wasOn } from './state.ts';

/** Kafka's own format, which `kafka-reassign-partitions --execute` takes; the first replica is to lead. */
export interface Reassignment {
  readonly version: 1;
  readonly partitions: {
    readonly topic: string;
    readonly partition: number;
    readonly replicas: readonly number[];
    /** Log directory of each replica, "any" where the broker may choose or the replica stays; absent: any for all. */
    readonly log_dirs?: readonly string[];
  }[];
}

type Lists = Pick<Reassignment['partitions'][number], 'replicas' | 'log_dirs'>;

/** Where everything goes: broker index of each replica, and of each partition's leader. */
export interface Assignment {
  readonly at: Int32Array;
  readonly leader: Int32Array;
}

/**
 * The changed partitions of an assignment, in the order of the model. The leader comes first, then the replicas
 * that stay in their order, then the new ones. Where only directories change, the list stays as it is.
 */
export function reassignmentOf(
  problem: Problem,
  { at, leader }: Assignment,
  directory: ReadonlyMap<number, string> = new Map(),
): Reassignment {
  const { model, first, home, origin } = problem;
  const changed: ({ origin: number } & Lists)[] = [];
  for (let p = 0; p < problem.partitions; p++) {
    const now = at.subarray(first[p], first[p + 1]);
    const moved = now.some((b) => !wasOn(problem, p, b));
    if (!moved && leader[p] === problem.startLeader[p]) {
      const relocated = now.some((_, i) => directory.has(first[p]! + i));
      if (relocated) changed.push({ origin: origin[p]!, ...inPlace(problem, p, now, directory) });
      continue;
    }
    const kept = home.subarray(first[p], first[p + 1]).filter((b) => now.includes(b));
    const added = now.filter((b) => !wasOn(problem, p, b));
    const rest = [...kept, ...added].filter((b) => b !== leader[p]);
    const order = leader[p]! < 0 ? rest : [leader[p]!, ...rest];
    const directories = order.map((b) => directory.get(first[p]! + now.indexOf(b)) ?? 'any');
    changed.push({
      origin: origin[p]!,
      replicas: order.map((b) => model.brokers[b]!.id),
      ...(directories.some((path) => path !== 'any') && { log_dirs: directories }),
    });
  }
  changed.sort((a, b) => a.origin - b.origin);
  return {
    version: 1,
    partitions: changed.map(({ origin: i, ...change }) => {
      const { topic, partition } = model.partitions[i]!;
      return { topic, partition, ...change };
    }),
  };
}

/** A partition of which replicas change their directories and nothing else. */
function inPlace(
  { model, origin, first }: Problem,
  p: number,
  now: Int32Array,
  directory: ReadonlyMap<number, string>,
): Lists {
  const { replicas } = model.partitions[origin[p]!]!;
  const paths = new Map<number, string>();
  now.forEach((b, i) => paths.set(model.brokers[b]!.id, directory.get(first[p]! + i) ?? 'any'));
  return { replicas, log_dirs: replicas.map((id) => paths.get(id) ?? 'any') };
}

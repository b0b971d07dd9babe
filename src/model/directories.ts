import { type LogDirectory, type PartitionModel, bytesPerMB } from '../balance/index.ts';
import type { LogDir, TopicPartition } from '../kafka/index.ts';
import { bytesOf } from './capacities.ts';
import type { BrokerSample } from './sample.ts';

/** In the place of a directory: the broker has one only, or it is not known where the replica lies. */
const any = 'any';

/** The log directories of those brokers that have several, and what lies in which. */
export interface Directories {
  readonly of: ReadonlyMap<number, readonly LogDirectory[]>;
  /** Brokers with several directories that do not tell what they can hold: each counts as one disk. */
  readonly unknown: readonly number[];
  /** For `PartitionModel.dirs`; undefined where no broker of the partition has several. */
  placesOf(partition: TopicPartition & Pick<PartitionModel, 'replicas'>): readonly string[] | undefined;
}

/** As brokers told of them. A replica that is being copied to another directory still lies in its own. */
export function directoriesOf(brokers: readonly BrokerSample[]): Directories {
  const several = brokers.filter(({ dirs = [] }) => dirs.length > 1);
  const of = new Map<number, readonly LogDirectory[]>();
  const lies = new Map<number, ReadonlyMap<string, string>>();
  for (const { id, dirs = [] } of several) {
    const known = sized(dirs);
    if (known === undefined) continue;
    of.set(id, known);
    lies.set(id, pathsOf(dirs));
  }
  return {
    of,
    unknown: several.flatMap(({ id }) => (of.has(id) ? [] : [id])),
    placesOf: ({ replicas, ...at }) =>
      replicas.some((id) => of.has(id))
        ? replicas.map((id) => lies.get(id)?.get(keyOf(at)) ?? any)
        : undefined,
  };
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}\n${partition}`;

/** By path: answers come in any order. */
function sized(dirs: readonly LogDir[]): readonly LogDirectory[] | undefined {
  const found = dirs.flatMap((dir): LogDirectory[] => {
    if (dir.error !== undefined) return [{ path: dir.path, capacity: 0, offline: true }];
    const bytes = bytesOf(dir);
    return bytes === undefined ? [] : [{ path: dir.path, capacity: bytes / bytesPerMB }];
  });
  if (found.length < dirs.length) return undefined;
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const pathsOf = (dirs: readonly LogDir[]): ReadonlyMap<string, string> =>
  new Map(
    dirs.flatMap(({ path, replicas }) =>
      replicas.flatMap((one) => (one.future ? [] : [[keyOf(one), path] as const])),
    ),
  );

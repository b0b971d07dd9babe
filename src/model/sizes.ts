import { partitionKey } from '../kafka/index.ts';
import type { ClusterSample } from './sample.ts';

/**
 * The size of one replica of each partition, in bytes: the largest of those that brokers tell of.
 *
 * Replicas of a partition differ, since each broker compacts and deletes by itself, and one that is being copied is
 * small. The largest is what a copy may come to need, so a destination that has room for it never overflows. Copies that
 * move between two directories of a broker are left out: the replica itself counts. Where only such a copy is known, or
 * none, the partition is not in the map.
 */
export function sizesOf({ brokers }: Pick<ClusterSample, 'brokers'>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { dirs = [] } of brokers) {
    for (const replica of dirs.flatMap((dir) => dir.replicas)) {
      if (replica.future) continue;
      const key = partitionKey(replica);
      sizes.set(key, Math.max(sizes.get(key) ?? 0, replica.sizeBytes));
    }
  }
  return sizes;
}

import { layoutOf } from '../hardening/index.ts';
import type { StatefulSet } from '../hardening/model.ts';

/** By which images are told the id that their disks are formatted with. */
const variables: readonly string[] = ['CLUSTER_ID', 'KAFKA_CLUSTER_ID', 'KAFKA_KRAFT_CLUSTER_ID'];

const idsIn = (set: StatefulSet): Map<string, string> =>
  new Map(
    (set.spec?.template.spec?.containers ?? []).flatMap(({ name: container, env = [] }) =>
      env.flatMap(({ name, value }) =>
        variables.includes(name) && value ? [[`${container ?? ''} ${name}`, value] as const] : [],
      ),
    ),
  );

/**
 * Why a hardened set may not be given another cluster id: its disks are formatted with the one that it has, and the launcher
 * keeps to that, so that the manifest would say what is not so. Undefined where it is given none, or the same as before.
 */
export function changedClusterId(set: StatefulSet, old: StatefulSet): string | undefined {
  const id = layoutOf(old)?.clusterId;
  if (id === undefined) return undefined;
  const before = idsIn(old);
  const changed = [...idsIn(set)].find(([key, value]) => value !== id && value !== before.get(key));
  if (changed === undefined) return undefined;
  const [key, value] = changed;
  return `${key.split(' ')[1]} asks for the cluster id ${value}, and the disks of this cluster are formatted with ${id}, which stays. Remove the variable or set it to ${id}; another cluster is another StatefulSet, with claims of its own`;
}

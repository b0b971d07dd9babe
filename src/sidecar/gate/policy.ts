import { type Policy, defaultPolicy } from '../../gate/index.ts';
import { keys } from '../../names.ts';
import type { ClusterSet } from '../cluster-set.ts';

const strictest = ['block', 'warn', 'ignore'] as const;

/** As the StatefulSets' annotations say; where they differ, the strictest. A value that is none counts as the usual one. */
export function policyOf(sets: readonly ClusterSet[]): Policy {
  const said = sets.map(({ object }) => {
    const value = object.metadata.annotations?.[keys.rfAtMin];
    return strictest.find((one) => one === value) ?? defaultPolicy.rfAtMin;
  });
  return { ...defaultPolicy, rfAtMin: strictest.find((one) => said.includes(one)) ?? defaultPolicy.rfAtMin };
}

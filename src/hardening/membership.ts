import type { Facts } from './draft.ts';

/**
 * How a start uses what the sidecar knows of the whole cluster: `need` waits for the quorum's voters, `use` takes what is there,
 * `none` has no use for it.
 */
export type FactsUse = 'none' | 'use' | 'need';

export function factsUseOf({ layout, role, pin }: Pick<Facts, 'layout' | 'role' | 'pin'>): FactsUse {
  if (pin.generation < 3) return 'none';
  if (role === 'broker' || layout.voterIds !== undefined) return 'need';
  return role === 'controller' || role === 'zookeeper' ? 'use' : 'none';
}

/** True for a set whose cluster may have others. */
export const sharesFacts = (facts: Pick<Facts, 'layout' | 'role' | 'pin'>): boolean =>
  factsUseOf(facts) !== 'none';

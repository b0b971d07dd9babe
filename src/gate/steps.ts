/** What may disrupt a cluster. A loss is one that nobody asked for: it was noticed. */
export const kinds = ['eviction', 'roll', 'scale-in', 'rebalance', 'loss'] as const;
export type Kind = (typeof kinds)[number];

/** `checking` has changed nothing yet; from `deleting` (or `going`, `away`) on a node counts as down until the release. */
export const steps = [
  'going',
  'away',
  'checking',
  'deleting',
  'starting',
  'syncing',
  'leaders',
  'moving',
  'clearing',
  'unregistering',
  'executing',
  'paused',
  'restoring',
] as const;
export type Step = (typeof steps)[number];

interface StepRule {
  readonly next: readonly Step[];
  /** `gone`: only where the node is not to come back. */
  readonly end?: 'yes' | 'gone';
}

/** From the moment that a pod is away. A broken new pod is deleted in its turn, which is `deleting` again. */
const wayBack: Partial<Record<Step, StepRule>> = {
  starting: { next: ['syncing', 'deleting'], end: 'gone' },
  syncing: { next: ['leaders', 'starting'], end: 'gone' },
  leaders: { next: ['syncing', 'starting'], end: 'yes' },
  deleting: { next: ['starting'] },
};

/**
 * Which steps follow which. A step back means that the node fell again. Back from `deleting` to `checking` it goes only once
 * the order to delete, which may be on its way, has been made void.
 */
export const rules: Record<Kind, Partial<Record<Step, StepRule>>> = {
  eviction: { going: { next: ['starting'], end: 'gone' }, ...wayBack },
  loss: { away: { next: ['starting'], end: 'gone' }, ...wayBack },
  roll: {
    ...wayBack,
    checking: { next: ['deleting'], end: 'yes' },
    deleting: { next: ['starting', 'checking'] },
  },
  'scale-in': {
    moving: { next: ['clearing'], end: 'yes' },
    clearing: { next: ['deleting'], end: 'yes' },
    // An empty broker that is wanted again may go all the same: it comes back by its set, and nothing was on it.
    deleting: { next: ['unregistering'], end: 'yes' },
    unregistering: { next: [], end: 'yes' },
  },
  rebalance: {
    executing: { next: ['paused', 'restoring'] },
    paused: { next: ['executing', 'restoring'] },
    restoring: { next: [], end: 'yes' },
  },
};

export const firstStep = {
  eviction: 'going',
  loss: 'away',
  roll: 'checking',
  'scale-in': 'moving',
  rebalance: 'executing',
} as const satisfies Record<Kind, Step>;

export const knowsStep = (kind: Kind, step: Step): boolean => rules[kind][step] !== undefined;

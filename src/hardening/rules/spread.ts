import { keys } from '../../names.ts';
import { podPath, type Draft, type Rule } from '../draft.ts';
import { spreadConstraint } from '../reserved.ts';
import type { Json } from '../tree.ts';

const term = (draft: Draft): Json => ({
  labelSelector: { matchLabels: { [keys.node]: draft.layout.cluster } },
  topologyKey: 'kubernetes.io/hostname',
});

export const spread: Rule = {
  id: 'spread',
  title: 'Brokers on different nodes and zones',
  why: 'Two brokers on one node are lost together, and with them two of three replicas.',
  remedy: 'Nothing to do, or write an anti-affinity or a spread constraint of your own: it is kept.',
  severity: 'info',
  since: 1,
  apply(draft) {
    if (draft.pod.affinity?.podAntiAffinity === undefined)
      draft.put(
        [...podPath, 'affinity', 'podAntiAffinity'],
        draft.mode === 'strict'
          ? { requiredDuringSchedulingIgnoredDuringExecution: [term(draft)] }
          : {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 100, podAffinityTerm: term(draft) },
              ],
            },
      );
    if (draft.pod.topologySpreadConstraints === undefined)
      draft.put(
        [...podPath, 'topologySpreadConstraints'],
        [
          {
            ...spreadConstraint,
            labelSelector: { matchLabels: { [keys.node]: draft.layout.cluster } },
          },
        ],
      );
  },
};

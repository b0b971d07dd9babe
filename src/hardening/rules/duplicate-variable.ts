import { pointerTo, type Rule } from '../draft.ts';
import type { Observed } from './observed.ts';

export const duplicateVariable: Rule = {
  id: 'duplicate-variable',
  title: 'Each variable stands once',
  why: 'Of two entries of one name the last counts; tools that merge lists by name (kubectl apply, kustomize) may drop either, so that the manifest and the running pod differ.',
  remedy: 'Keep the entry that is meant.',
  severity: 'warning',
  since: 1,
  apply({ container, containerIndex, report }: Observed) {
    const seen = new Map<string, number>();
    for (const [i, { name }] of (container.env ?? []).entries()) {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, i);
      else
        report({
          path: pointerTo(containerIndex, `/env/${i}`),
          message: `${name} is set twice (entries ${first} and ${i} of env): the last one counts`,
        });
    }
  },
};

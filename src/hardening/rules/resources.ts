import { pointerTo, type Rule } from '../draft.ts';

export const resources: Rule = {
  id: 'resources',
  title: 'Requests and limits',
  why: 'A broker without a memory request is the first to be evicted when a node runs short, and no budget holds that eviction.',
  remedy: 'Set resources.requests for cpu and memory, and a memory limit with room for the page cache.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    const requests = draft.container.resources?.requests ?? draft.container.resources?.limits;
    if (requests?.['memory'] !== undefined) return;
    draft.report({
      path: pointerTo(draft.containerIndex, '/resources'),
      message: 'the broker has no memory request',
    });
  },
};

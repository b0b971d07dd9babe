import type { Rule } from '../draft.ts';

export const updateStrategy: Rule = {
  id: 'update-strategy',
  title: 'All pods start together, one is updated at a time',
  why: 'Voters need each other to become ready: started one after the other, the first waits for ever. podManagementPolicy is immutable, so it is set when the set is created.',
  remedy: 'Leave maxUnavailable at 1.',
  severity: 'warning',
  since: 1,
  apply(draft) {
    if (draft.set.spec?.podManagementPolicy === undefined) {
      const stored = draft.old === undefined ? 'Parallel' : draft.old.spec?.podManagementPolicy;
      if (stored === 'Parallel') draft.put(['spec', 'podManagementPolicy'], stored);
    }
    const many = draft.set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
    if (many === undefined || many === 1) return;
    draft.unsafe({
      path: '/spec/updateStrategy/rollingUpdate/maxUnavailable',
      message: `maxUnavailable ${many} takes several brokers down at once`,
    });
    draft.put(['spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable'], 1);
  },
};

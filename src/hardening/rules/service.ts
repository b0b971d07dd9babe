import type { Rule } from '../draft.ts';

export const service: Rule = {
  id: 'service',
  title: 'A governing headless Service',
  why: 'Only the Service named in serviceName gives pods a DNS name of their own, and brokers must find each other before they are ready (publishNotReadyAddresses).',
  remedy: 'Name a headless Service in serviceName; where it is missing, the sidecar makes it.',
  severity: 'info',
  since: 1,
  apply(draft) {
    if (draft.set.spec?.serviceName) return;
    draft.put(['spec', 'serviceName'], draft.old?.spec?.serviceName || draft.layout.service);
    draft.report({
      path: '/spec/serviceName',
      message: `serviceName is empty: the headless Service ${draft.layout.service} is made`,
    });
  },
};

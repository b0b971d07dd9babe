import type { Draft, Rule } from '../draft.ts';

export const service: Rule = {
  id: 'service',
  title: 'A governing headless Service',
  why: 'Only the Service named in serviceName gives pods a DNS name of their own, if it is headless, and brokers must find each other before they are ready (publishNotReadyAddresses).',
  remedy: 'Name a headless Service in serviceName; where it is missing, the sidecar makes it.',
  severity: 'info',
  since: 1,
  apply(draft) {
    const given = draft.set.spec?.serviceName;
    if (!given) return withoutService(draft);
    const { service: governing } = draft.layout;
    if (given === governing || (draft.old !== undefined && given !== draft.oldServiceName)) return;
    draft.put(['spec', 'serviceName'], draft.old?.spec?.serviceName ?? governing);
    draft.report({
      path: '/spec/serviceName',
      message: `Service ${given} is not headless and gives the pods no names: the headless Service ${governing} is made for that, and ${given} stays for clients`,
      severity: 'warning',
      remedy: `Nothing to do; or name a Service with clusterIP: None in serviceName.`,
    });
  },
};

function withoutService(draft: Draft): void {
  draft.put(['spec', 'serviceName'], draft.old?.spec?.serviceName || draft.layout.service);
  draft.report({
    path: '/spec/serviceName',
    message: `serviceName is empty: the headless Service ${draft.layout.service} is made`,
  });
}

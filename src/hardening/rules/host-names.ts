import type { Rule } from '../draft.ts';
import type { Observed } from './observed.ts';

export const hostNames: Rule = {
  id: 'host-names',
  title: 'Host names come from the pods',
  why: 'The StatefulSet controller names every pod and its host by the ordinal, whatever the template says: scripts and settings that rely on a fixed host name do not find it. Pods of other workloads would all have the same one.',
  remedy: 'Remove hostname (and subdomain) from the pod template.',
  severity: 'warning',
  since: 1,
  apply({ pod, set, report }: Observed) {
    if (pod.hostname !== undefined)
      report({
        path: '/spec/template/spec/hostname',
        message: `hostname: ${pod.hostname} has no effect in a StatefulSet: the pods are ${set.metadata?.name}-0, ${set.metadata?.name}-1 …`,
      });
    if (pod.subdomain !== undefined && pod.subdomain !== set.spec?.serviceName)
      report({
        path: '/spec/template/spec/subdomain',
        message: `subdomain: ${pod.subdomain} has no effect in a StatefulSet: serviceName (${set.spec?.serviceName ?? 'not set'}) decides`,
      });
  },
};

import { kindOf, textAt } from '../subject.ts';
import type { LintRule } from '../scene.ts';

interface Removed {
  apiVersion: string;
  kinds: RegExp;
  since: string;
  instead: string;
}

const removed = (apiVersion: string, kinds: string, since: string, instead: string): Removed => ({
  apiVersion,
  kinds: new RegExp(`^(${kinds})$`),
  since,
  instead,
});

/** From Kubernetes' deprecated API migration guide. */
const table: readonly Removed[] = [
  removed('apps/v1beta1', '.*', '1.16', 'apps/v1'),
  removed('apps/v1beta2', '.*', '1.16', 'apps/v1'),
  removed('extensions/v1beta1', 'Deployment|DaemonSet|ReplicaSet|StatefulSet', '1.16', 'apps/v1'),
  removed('extensions/v1beta1', 'NetworkPolicy', '1.16', 'networking.k8s.io/v1'),
  removed('extensions/v1beta1', 'Ingress', '1.22', 'networking.k8s.io/v1'),
  removed('networking.k8s.io/v1beta1', 'Ingress|IngressClass', '1.22', 'networking.k8s.io/v1'),
  removed('policy/v1beta1', 'PodDisruptionBudget', '1.25', 'policy/v1'),
  removed('batch/v1beta1', 'CronJob', '1.25', 'batch/v1'),
  removed('batch/v2alpha1', 'CronJob', '1.21', 'batch/v1'),
  removed('rbac.authorization.k8s.io/v1beta1', '.*', '1.22', 'rbac.authorization.k8s.io/v1'),
  removed('rbac.authorization.k8s.io/v1alpha1', '.*', '1.22', 'rbac.authorization.k8s.io/v1'),
  removed(
    'storage.k8s.io/v1beta1',
    'StorageClass|VolumeAttachment|CSIDriver|CSINode',
    '1.22',
    'storage.k8s.io/v1',
  ),
  removed('storage.k8s.io/v1beta1', 'CSIStorageCapacity', '1.27', 'storage.k8s.io/v1'),
  removed('autoscaling/v2beta1', '.*', '1.25', 'autoscaling/v2'),
  removed('autoscaling/v2beta2', '.*', '1.26', 'autoscaling/v2'),
  removed('apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', '1.22', 'apiextensions.k8s.io/v1'),
  removed('scheduling.k8s.io/v1beta1', 'PriorityClass', '1.22', 'scheduling.k8s.io/v1'),
];

const unserved: readonly [RegExp, string, string][] = [
  [/^(extensions|policy)\/v1beta1$/, '1.25', 'Pod Security Admission (labels on the namespace)'],
];

export const removedApi: LintRule = {
  doc: {
    id: 'removed-api',
    title: 'API versions that Kubernetes still serves',
    why: 'The API server refuses an object of a version that it no longer serves, so a manifest that once worked cannot be applied any more. Defaults differ too: in apps/v1beta1 the selector was optional.',
    remedy: 'Write the version that replaced it.',
    severity: 'error',
  },
  check: ({ subjects }) =>
    subjects.flatMap((subject) => {
      const apiVersion = textAt(subject.value, 'apiVersion') ?? '';
      const kind = kindOf(subject);
      const found = table.find((r) => r.apiVersion === apiVersion && r.kinds.test(kind));
      const gone =
        kind === 'PodSecurityPolicy' ? unserved.find(([version]) => version.test(apiVersion)) : undefined;
      const [since, instead] = found ? [found.since, found.instead] : gone ? [gone[1], gone[2]] : [];
      if (since === undefined || instead === undefined) return [];
      const also =
        instead === 'apps/v1' ? ' apps/v1 needs spec.selector, equal to the labels of the template.' : '';
      return [
        {
          subject,
          path: '/apiVersion',
          message: `${kind} of ${apiVersion} is not served since Kubernetes ${since}`,
          remedy: `Write ${instead}.${also}`,
        },
      ];
    }),
};

import { harden } from '../../src/hardening/index.ts';
import type { StatefulSet } from '../../src/hardening/model.ts';

const setBytes = 30 * 1024;

/** A vanilla set with the clutter of real ones, `variables` environment variables long. */
function vanilla(variables: number, variant: number): StatefulSet {
  const labels = { app: 'kafka', 'app.kubernetes.io/name': 'kafka' };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: 'kafka',
      namespace: 'bench',
      uid: '7c0e1d3e-6f5e-4b1b-9c55-0d8c1d9a2c11',
      labels,
      annotations: { 'example.com/variant': String(variant) },
    },
    spec: {
      serviceName: 'kafka',
      replicas: 3,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: { app: 'kafka' } },
      template: {
        metadata: { labels, annotations: { 'example.com/team': 'streaming' } },
        spec: {
          containers: [
            {
              name: 'kafka',
              image: 'apache/kafka:4.1.0',
              ports: [{ name: 'kafka', containerPort: 9092 }],
              resources: { requests: { cpu: '1', memory: '4Gi' }, limits: { memory: '4Gi' } },
              env: Array.from({ length: variables }, (_, index) => ({
                name: `APPLICATION_SETTING_${index}`,
                value: `a setting of some length, number ${index}, that a chart has rendered`,
              })),
              volumeMounts: [{ name: 'data', mountPath: '/var/lib/kafka/data' }],
            },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100Gi' } } },
        },
      ],
    },
  };
}

const hardened = (variables: number, variant: number): StatefulSet =>
  harden(vanilla(variables, variant), { namespace: 'bench' }).workload;

/** How many variables make the hardened set as long as it should be. */
function variablesForSize(): number {
  let variables = 0;
  while (JSON.stringify(hardened(variables, 0)).length < setBytes) variables += 10;
  return variables;
}

function reviewOf(set: StatefulSet, variant: number): Buffer {
  const stored = { ...set, metadata: { ...set.metadata, resourceVersion: '4711', generation: 3 } };
  return Buffer.from(
    JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        uid: `00000000-0000-4000-8000-${String(variant).padStart(12, '0')}`,
        kind: { group: 'apps', version: 'v1', kind: 'StatefulSet' },
        resource: { group: 'apps', version: 'v1', resource: 'statefulsets' },
        name: 'kafka',
        namespace: 'bench',
        operation: 'UPDATE',
        userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
        object: stored,
        oldObject: stored,
        dryRun: false,
        options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1' },
      },
    }),
  );
}

/** Reviews of updates that change nothing, of hardened sets that differ in one annotation. */
export function distinctReviews(count: number): Buffer[] {
  const variables = variablesForSize();
  return Array.from({ length: count }, (_, variant) => reviewOf(hardened(variables, variant), variant));
}

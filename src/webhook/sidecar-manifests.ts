import type { KubeObject, OwnerReference } from '../kubernetes/object.ts';
import { keys, managedBy, objectsOf, sidecarClusterRole, sidecarLabels, sidecarPorts } from '../names.ts';

/** One Kafka cluster, as the sidecar's objects need it. */
export interface ClusterPlace {
  namespace: string;
  cluster: string;
  /** All its StatefulSets. */
  owners: readonly { name: string; uid: string }[];
}

export interface SidecarSettings {
  image: string;
  imagePullSecrets: readonly string[];
  logLevel: string;
  /** Where the webhook, and so whoever watches kafka-warden itself, runs. */
  wardenNamespace: string;
  apiServerPorts: readonly number[];
  /** Authorities, in PEM, of which a client certificate shows that the webhook asks; in a stable order. */
  webhookAuthorities: string;
  /** Whether the webhook asks of evictions; absent: it does not. */
  evictionGate?: boolean;
}

/** Selects the objects that provisioning made, of all clusters. */
export const sidecarSelector =
  'app.kubernetes.io/managed-by=kafka-warden,app.kubernetes.io/component=sidecar';

/** Namespaces with this label may scrape sidecars. */
export const monitoringLabel = 'kafka-warden.io/monitoring';

/** Garbage collection takes the sidecar with the last owner; its deletion never waits for the sidecar. */
const ownersOf = ({ owners }: ClusterPlace): OwnerReference[] =>
  owners
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, uid }) => ({ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid }));

const metadataOf = (place: ClusterPlace) => ({
  name: objectsOf(place.cluster).warden,
  namespace: place.namespace,
  labels: { ...sidecarLabels(place.cluster), ...managedBy },
  ownerReferences: ownersOf(place),
});

function serviceAccount(place: ClusterPlace): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadataOf(place) };
}

function roleBinding(place: ClusterPlace): KubeObject & Record<'roleRef' | 'subjects', unknown> {
  const { namespace, cluster } = place;
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: metadataOf(place),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: sidecarClusterRole },
    subjects: [{ kind: 'ServiceAccount', name: objectsOf(cluster).warden, namespace }],
  };
}

function networkPolicy(place: ClusterPlace, settings: SidecarSettings): KubeObject & { spec: unknown } {
  const { wardenNamespace, apiServerPorts } = settings;
  const tcp = (port: number) => ({ protocol: 'TCP', port });
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(place),
    spec: {
      podSelector: { matchLabels: sidecarLabels(place.cluster) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': wardenNamespace } } },
            { namespaceSelector: { matchLabels: { [monitoringLabel]: 'true' } } },
            { podSelector: { matchLabels: { [keys.node]: place.cluster } } },
          ],
          ports: [tcp(sidecarPorts.health)],
        },
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': wardenNamespace } } }],
          ports: [tcp(sidecarPorts.questions)],
        },
      ],
      egress: [
        { ports: [{ protocol: 'UDP', port: 53 }, tcp(53)] },
        // The API server has no label to select it by.
        { ports: apiServerPorts.map(tcp) },
        { to: [{ podSelector: { matchLabels: { [keys.node]: place.cluster } } }] },
      ],
    },
  };
}

const probe = (path: string, periodSeconds: number) => ({
  httpGet: { path, port: 'health', scheme: 'HTTP' },
  periodSeconds,
  timeoutSeconds: 5,
  failureThreshold: 6,
});

function container(place: ClusterPlace, settings: SidecarSettings) {
  const { image, logLevel, webhookAuthorities, evictionGate } = settings;
  const field = (name: string, fieldPath: string) => ({
    name,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
  });
  return {
    name: 'sidecar',
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['sidecar'],
    env: [
      field('WARDEN_NAMESPACE', 'metadata.namespace'),
      field('WARDEN_POD', 'metadata.name'),
      { name: 'WARDEN_CLUSTER', value: place.cluster },
      { name: 'LOG_LEVEL', value: logLevel },
      { name: 'WARDEN_WEBHOOK_CA', value: webhookAuthorities },
      ...(evictionGate === true ? [{ name: 'WARDEN_EVICTION_GATE', value: 'true' }] : []),
    ],
    ports: [
      { name: 'health', containerPort: sidecarPorts.health, protocol: 'TCP' },
      { name: 'questions', containerPort: sidecarPorts.questions, protocol: 'TCP' },
    ],
    livenessProbe: { ...probe('/healthz', 10), initialDelaySeconds: 10 },
    readinessProbe: probe('/readyz', 5),
    resources: { requests: { cpu: '50m', memory: '160Mi' }, limits: { memory: '512Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

function deployment(place: ClusterPlace, settings: SidecarSettings): KubeObject & { spec: unknown } {
  const labels = sidecarLabels(place.cluster);
  const { warden } = objectsOf(place.cluster);
  const pullSecrets = settings.imagePullSecrets.map((name) => ({ name }));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(place),
    spec: {
      replicas: 1,
      // Never two at once: what the sidecar does to Kafka is not fenced by its Lease alone.
      strategy: { type: 'Recreate' },
      progressDeadlineSeconds: 120,
      revisionHistoryLimit: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels, ...managedBy } },
        spec: {
          serviceAccountName: warden,
          ...(pullSecrets.length > 0 ? { imagePullSecrets: pullSecrets } : {}),
          // Fits Pod Security `restricted`.
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65_532,
            runAsGroup: 65_532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 30,
          containers: [container(place, settings)],
        },
      },
    },
  };
}

/**
 * All objects of one cluster's sidecar, in the order in which they are made: rights first, so that the process does not
 * start without them. The admission policy `kafka-warden-fence` refuses anything else from the webhook's account.
 */
export const sidecarObjects = (place: ClusterPlace, settings: SidecarSettings): KubeObject[] => [
  serviceAccount(place),
  roleBinding(place),
  networkPolicy(place, settings),
  deployment(place, settings),
];

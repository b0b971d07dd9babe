import type { KubeObject } from './object.ts';
import * as names from '../names.ts';

/** One kind of object: where the API serves it. */
interface Resource {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

const resource = (apiVersion: string, kind: string, plural: string, namespaced = true): Resource => ({
  apiVersion,
  kind,
  plural,
  namespaced,
});

const admission = 'admissionregistration.k8s.io/v1';

const resources = {
  namespaces: resource('v1', 'Namespace', 'namespaces', false),
  nodes: resource('v1', 'Node', 'nodes', false),
  pods: resource('v1', 'Pod', 'pods'),
  services: resource('v1', 'Service', 'services'),
  secrets: resource('v1', 'Secret', 'secrets'),
  configmaps: resource('v1', 'ConfigMap', 'configmaps'),
  serviceaccounts: resource('v1', 'ServiceAccount', 'serviceaccounts'),
  persistentvolumeclaims: resource('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  statefulsets: resource('apps/v1', 'StatefulSet', 'statefulsets'),
  deployments: resource('apps/v1', 'Deployment', 'deployments'),
  controllerrevisions: resource('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  leases: resource('coordination.k8s.io/v1', 'Lease', 'leases'),
  events: resource('events.k8s.io/v1', 'Event', 'events'),
  endpointslices: resource('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  poddisruptionbudgets: resource('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  networkpolicies: resource('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  rolebindings: resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  mutatingwebhookconfigurations: resource(
    admission,
    'MutatingWebhookConfiguration',
    'mutatingwebhookconfigurations',
    false,
  ),
  validatingwebhookconfigurations: resource(
    admission,
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    false,
  ),
  kafkausers: resource(names.apiVersion, 'KafkaUser', 'kafkausers'),
  kafkarebalances: resource(names.apiVersion, 'KafkaRebalance', 'kafkarebalances'),
  kafkaclusters: resource(names.apiVersion, 'KafkaCluster', 'kafkaclusters'),
} as const;

function pathTo(found: Resource, namespace?: string, name?: string): string {
  const root = found.apiVersion.includes('/') ? `/apis/${found.apiVersion}` : `/api/${found.apiVersion}`;
  const scope = found.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const item = name ? `/${encodeURIComponent(name)}` : '';
  return `${root}${scope}/${found.plural}${item}`;
}

type ClusterScoped =
  'namespaces' | 'nodes' | 'mutatingwebhookconfigurations' | 'validatingwebhookconfigurations';
type Namespaced = Exclude<keyof typeof resources, ClusterScoped>;
type Paths = { readonly [K in ClusterScoped]: (name?: string) => string } & {
  /** Without a namespace: the collection over all namespaces. */
  readonly [K in Namespaced]: (namespace?: string, name?: string) => string;
};

/**
 * API paths by plural resource name: `paths.statefulsets('shop', 'kafka')`, `paths.nodes()`,
 * `paths.pods()` for all namespaces. Subresources are appended: `${paths.kafkausers(ns, name)}/status`.
 */
export const paths = Object.fromEntries(
  Object.entries(resources).map(([plural, found]) => [
    plural,
    found.namespaced
      ? (namespace?: string, name?: string) => pathTo(found, namespace, name)
      : (name?: string) => pathTo(found, undefined, name),
  ]),
) as unknown as Paths;

/** The path of an object that names its own kind. Throws `TypeError` for a kind this program never handles. */
export function pathOf(object: KubeObject): string {
  const { apiVersion, kind, metadata } = object;
  const found = Object.values(resources).find((one) => one.kind === kind && one.apiVersion === apiVersion);
  if (!found || !metadata?.name)
    throw new TypeError(
      `no API path is known for ${apiVersion ?? '?'} ${kind ?? '?'} ${metadata?.name ?? '?'}`,
    );
  return pathTo(found, metadata.namespace, metadata.name);
}

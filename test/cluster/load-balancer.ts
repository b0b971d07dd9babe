import type { ApiClient, KubeObject } from './api-client.ts';
import type { Layout } from './layout.ts';

interface Service extends KubeObject {
  spec: { type?: string; loadBalancerClass?: string };
  status?: { loadBalancer?: { ingress?: { ip?: string }[] } };
}

/**
 * One pass of the load balancer: an address of the cluster's range for every LoadBalancer Service without one, and
 * none for a Service that is no longer of that type. Each node's kube-proxy does the rest.
 */
export async function reconcileLoadBalancers(layout: Layout, api: ApiClient): Promise<void> {
  const services = await api.list<Service>('/api/v1/services');
  const taken = new Set(services.map(addressOf));
  for (const service of services) {
    const address = addressOf(service);
    if (isBalanced(service) && address === undefined) {
      const free = freeAddress(layout, taken);
      taken.add(free);
      await setIngress(api, service, [{ ip: free }]);
    } else if (!isBalanced(service) && address !== undefined) {
      await setIngress(api, service, []);
    }
  }
}

function isBalanced({ metadata, spec }: Service): boolean {
  return (
    spec.type === 'LoadBalancer' &&
    spec.loadBalancerClass === undefined &&
    metadata.deletionTimestamp === undefined
  );
}

function addressOf(service: Service): string | undefined {
  return service.status?.loadBalancer?.ingress?.[0]?.ip;
}

function freeAddress(layout: Layout, taken: ReadonlySet<string | undefined>): string {
  for (let last = 1; last < 255; last += 1) {
    const address = `${layout.loadBalancerPrefix}.${last}`;
    if (!taken.has(address)) return address;
  }
  throw new Error(`All addresses of ${layout.loadBalancerPrefix}.0/24 are taken.`);
}

async function setIngress(api: ApiClient, { metadata }: Service, ingress: object[]): Promise<void> {
  const path = `/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}/status`;
  await api.send('PATCH', path, { status: { loadBalancer: { ingress } } });
}

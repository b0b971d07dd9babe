import { run, script, tryRun } from './command.ts';
import { allNodes } from './layout.ts';
import type { Layout, NodeLayout } from './layout.ts';

/**
 * A bridge that stands for the data centre's network, with this machine on it, and a network namespace for the
 * control plane. Traffic over the bridge is accepted in a chain of the cluster's own.
 */
export async function makeNetwork(layout: Layout): Promise<void> {
  const { bridge, controlPlane } = layout;
  const podRoutes = allNodes(layout).map(
    (it) => `ip route replace ${it.podSubnet} via ${it.address} dev ${bridge}`,
  );
  await script(`
    sysctl -qw net.ipv4.ip_forward=1
    ip link add ${bridge} type bridge
    ip addr add ${layout.gateway}/24 dev ${bridge}
    ip link set ${bridge} up
    sysctl -qw net.ipv4.conf.${bridge}.send_redirects=0
    iptables -w -N ${chainOf(layout)}
    iptables -w -A ${chainOf(layout)} -i ${bridge} -j ACCEPT
    iptables -w -A ${chainOf(layout)} -o ${bridge} -j ACCEPT
    iptables -w -I FORWARD -j ${chainOf(layout)}
    ${podRoutes.join('\n')}
  `);
  await makeNamespace(layout, controlPlane);
}

/** A node's (new and empty) network namespace, plugged into the bridge. */
export async function plugIn(layout: Layout, node: NodeLayout): Promise<void> {
  await unplug(node);
  await makeNamespace(layout, node, node.podSubnet);
}

/** Removes a node's network namespace: what is on its way to it is lost without an answer. */
export async function unplug(node: Pick<NodeLayout, 'namespace' | 'link'>): Promise<void> {
  await tryRun('ip', ['link', 'del', node.link]);
  await tryRun('ip', ['netns', 'del', node.namespace]);
}

interface Plugged {
  namespace: string;
  link: string;
  address: string;
}

async function makeNamespace(
  layout: Layout,
  { namespace, link, address }: Plugged,
  ownPods?: string,
): Promise<void> {
  const routes = allNodes(layout)
    .filter((it) => it.podSubnet !== ownPods)
    .map((it) => `ip -n ${namespace} route replace ${it.podSubnet} via ${it.address}`);
  await script(`
    ip netns add ${namespace}
    ip link add ${link} type veth peer name eth0 netns ${namespace}
    ip link set ${link} master ${layout.bridge} up
    ip -n ${namespace} addr add ${address}/24 dev eth0
    ip -n ${namespace} link set eth0 up
    ip -n ${namespace} link set lo up
    ip -n ${namespace} route add default via ${layout.gateway}
    nsenter --net=/run/netns/${namespace} sysctl -qw net.ipv4.ip_forward=1
    ${routes.join('\n')}
  `);
}

/** Pulls or plugs a node's cable. */
export async function setCable(node: NodeLayout, state: 'up' | 'down'): Promise<void> {
  await run('ip', ['link', 'set', node.link, state]);
}

/** Sends this machine's traffic for Services to a node, whose kube-proxy knows them. */
export async function routeServices(layout: Layout, node: NodeLayout): Promise<void> {
  for (const subnet of [layout.serviceSubnet, `${layout.loadBalancerPrefix}.0/24`]) {
    await run('ip', ['route', 'replace', subnet, 'via', node.address, 'dev', layout.bridge]);
  }
}

/** Removes everything that the two functions above made, also where only a part of it is there. */
export async function removeNetwork(layout: Layout): Promise<void> {
  for (const plugged of [layout.controlPlane, ...allNodes(layout)]) await unplug(plugged);
  await tryRun('ip', ['link', 'del', layout.bridge]);
  await tryRun('iptables', ['-w', '-D', 'FORWARD', '-j', chainOf(layout)]);
  await tryRun('iptables', ['-w', '-F', chainOf(layout)]);
  await tryRun('iptables', ['-w', '-X', chainOf(layout)]);
}

function chainOf(layout: Layout): string {
  return `KAFKA-WARDEN-${layout.bridge.toUpperCase()}`;
}

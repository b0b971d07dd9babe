import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artefacts } from './build.ts';
import { killGroup, makeGroup, removeGroup } from './cgroups.ts';
import { run } from './command.ts';
import { startControllers, startControlPlane, waitForApiServer } from './control-plane.ts';
import { findLayout, freeSlot, nodeLayout, takeSlot } from './layout.ts';
import type { Layout, NodeLayout } from './layout.ts';
import { makeNetwork, removeNetwork, routeServices } from './network.ts';
import { powerOn, prepareNode, readyFile } from './node.ts';
import { waitForNodes } from './node-readiness.ts';
import { makeAuthority } from './pki.ts';
import { startInBackground } from './processes.ts';
import { markStarting, writeState } from './state.ts';
import type { ClusterState } from './state.ts';
import { storageClasses } from './storage.ts';
import { prepareVolumes, unmountAll } from './volumes.ts';

/** Starts a cluster from nothing and resolves when all its nodes are ready. Leaves nothing behind when it fails. */
export async function bringUp(
  name: string,
  nodeCount: number,
  state: Omit<ClusterState, 'nodes' | 'reachable'>,
): Promise<Layout> {
  const leftBehind = await findLayout(name);
  if (leftBehind !== undefined) await takeDown(leftBehind);
  const layout = await takeSlot(name);
  try {
    const nodes = Array.from({ length: nodeCount }, (_, index) => nodeLayout(layout, index + 1));
    await mkdir(join(layout.folder, 'log'), { recursive: true });
    await markStarting(layout);
    await prepareVolumes(layout);
    await makeNetwork(layout);
    await makeAuthority(layout);
    await startControlPlane(layout, state.artefacts);
    await Promise.all(nodes.map((node) => addMachine(layout, node, state.artefacts)));
    await waitForApiServer(layout, state.artefacts);
    await startControllers(layout, state.artefacts);
    await writeFile(readyFile(layout), '');
    await applyBasics(layout, state.artefacts);
    startCloud(layout);
    const [first] = nodes;
    if (first !== undefined) await routeServices(layout, first);
    await waitForNodes(
      layout,
      state.artefacts,
      nodes.map((it) => it.name),
    );
    const indexes = nodes.map((_, index) => index + 1);
    await writeState(layout, { ...state, nodes: indexes, reachable: indexes });
    return layout;
  } catch (error) {
    if (process.env['KAFKA_WARDEN_KEEP_FAILED'] === undefined) await takeDown(layout);
    throw error;
  }
}

/** Ends and removes a cluster, or what a broken-off start or a killed process left of one. */
export async function takeDown(layout: Layout): Promise<void> {
  await killGroup(layout.group);
  await removeNetwork(layout);
  await unmountAll(layout);
  await rm(layout.folder, { recursive: true, force: true });
  removeGroup(layout.group);
  await freeSlot(layout);
}

/** Prepares a node and powers it on. */
export async function addMachine(layout: Layout, node: NodeLayout, artefacts: Artefacts): Promise<void> {
  await prepareNode(layout, node, artefacts);
  await powerOn(layout, node, artefacts);
}

async function applyBasics(layout: Layout, { kubectl }: Artefacts): Promise<void> {
  const items = [...dnsService(layout), ...storageClasses()];
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await run(kubectl, ['--kubeconfig', layout.kubeconfig, 'apply', '--server-side', '-f', '-'], {
    input: list,
  });
}

function startCloud(layout: Layout): void {
  const group = `${layout.controlPlane.group}/cloud`;
  makeGroup(group);
  startInBackground(process.execPath, [join(import.meta.dirname, 'cloud.ts'), layout.name], {
    group,
    logFile: join(layout.folder, 'log', 'cloud.log'),
  });
}

/** CoreDNS runs beside the control plane, behind the usual Service. */
function dnsService(layout: Layout): object[] {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'system:coredns' },
      rules: [
        {
          apiGroups: [''],
          resources: ['endpoints', 'services', 'pods', 'namespaces'],
          verbs: ['list', 'watch'],
        },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:coredns' }],
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: layout.dnsAddress, ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'kube-dns-1',
        namespace: 'kube-system',
        labels: { 'kubernetes.io/service-name': 'kube-dns' },
      },
      addressType: 'IPv4',
      ports,
      endpoints: [{ addresses: [layout.controlPlane.address], conditions: { ready: true } }],
    },
  ];
}

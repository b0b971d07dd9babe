import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artefacts, Loadable } from './build.ts';
import { killGroup, makeGroup, processesIn } from './cgroups.ts';
import { run } from './command.ts';
import { ClusterError } from './errors.ts';
import type { Layout, NodeLayout } from './layout.ts';
import { plugIn, setCable, unplug } from './network.ts';
import { makeNodeCertificate } from './pki.ts';
import { startInBackground } from './processes.ts';
import { linkImageStore } from './recipes/image-store.ts';
import { images } from './versions.ts';

/** The file whose presence tells a starting node that the API server answers. */
export function readyFile(layout: Layout): string {
  return join(layout.folder, 'api-server-ready');
}

/** Prepares a node's folder: certificate, configuration, and a containerd root that has the images. */
export async function prepareNode(layout: Layout, node: NodeLayout, artefacts: Artefacts): Promise<void> {
  const folder = (name: string) => join(node.folder, name);
  for (const name of ['kubelet', 'containerd', 'cni', 'pod-logs', 'container-logs']) {
    await mkdir(folder(name), { recursive: true });
  }
  await Promise.all([
    makeNodeCertificate(layout, node),
    linkImageStore(artefacts.imageStore, folder('containerd')),
    writeFile(folder('cni.conflist'), JSON.stringify(podNetwork(node))),
    writeFile(folder('kubelet.json'), JSON.stringify(kubeletConfiguration(layout, node))),
    writeFile(folder('containerd.toml'), containerdConfiguration()),
    // Names of the world outside are none of the cluster's business.
    writeFile(folder('resolv.conf'), 'nameserver 127.0.0.1\n'),
  ]);
}

/** Powers a prepared node on: containerd at once, kube-proxy and kubelet when the API server answers. */
export async function powerOn(layout: Layout, node: NodeLayout, artefacts: Artefacts): Promise<void> {
  await plugIn(layout, node);
  await rm(join(node.folder, 'cni'), { recursive: true, force: true });
  await mkdir(join(node.folder, 'cni'));
  makeGroup(node.group);
  makeGroup(systemGroupOf(node));
  const enter = [
    `--net=/run/netns/${node.namespace}`,
    ...['unshare', '--mount', '--uts', '--propagation', 'slave'],
    ...['bash', '-euo', 'pipefail', join(import.meta.dirname, 'node-start.sh')],
  ];
  startInBackground('nsenter', enter, {
    group: systemGroupOf(node),
    logFile: join(layout.folder, 'log', `${node.name}.log`),
    env: {
      NODE_NAME: node.name,
      NODE_FOLDER: node.folder,
      NODE_ADDRESS: node.address,
      NODE_ZONE: node.zone,
      LOG_FOLDER: join(layout.folder, 'log'),
      POD_SUBNETS: node.podSubnet.replace(/\.\d+\.0\/24$/, '.0.0/16'),
      HYPERKUBE: artefacts.hyperkube,
      PROXY_KUBECONFIG: join(layout.folder, 'proxy.kubeconfig'),
      WARDEN_ARCHIVES: artefacts.wardenArchives.join(' '),
      WARDEN_REPOSITORY: repositoryOf(images.warden),
      READY_FILE: readyFile(layout),
    },
  });
}

/** Powers a node off: its network falls silent first, so nobody hears its processes end. Its disks stay as they are. */
export async function powerOff(node: NodeLayout): Promise<void> {
  await setCable(node, 'down').catch(() => undefined);
  await killGroup(node.group);
  await unplug(node);
}

/** Imports images into a running node; the same names then mean the new images. */
export async function loadImages(
  node: NodeLayout,
  { emulationArchives, wardenArchives }: Loadable,
): Promise<void> {
  const [inside] = processesIn(systemGroupOf(node));
  if (inside === undefined)
    throw new ClusterError('NOT_RUNNING', `${node.name} is powered off: start it first.`);
  const address = `/proc/${inside}/root/run/containerd/containerd.sock`;
  const load = ['--address', address, '-n', 'k8s.io', 'images', 'import'];
  for (const archive of emulationArchives) await run('ctr', [...load, archive]);
  for (const archive of wardenArchives)
    await run('ctr', [...load, '--base-name', repositoryOf(images.warden), archive]);
}

function repositoryOf(image: string): string {
  return image.slice(0, image.lastIndexOf(':'));
}

function systemGroupOf(node: NodeLayout): string {
  return `${node.group}/system`;
}

/** Routed pods (no bridge): all their traffic passes the node's own rules, also between two pods of one node. */
function podNetwork(node: NodeLayout): object {
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: { type: 'host-local', ranges: [[{ subnet: node.podSubnet }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function kubeletConfiguration(layout: Layout, node: NodeLayout): object {
  const pki = (name: string) => join(layout.folder, 'pki', name);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: pki(`${node.name}.crt`),
    tlsPrivateKeyFile: pki(`${node.name}.key`),
    clusterDomain: 'cluster.local',
    clusterDNS: [layout.dnsAddress],
    cgroupDriver: 'cgroupfs',
    cgroupRoot: node.group,
    failCgroupV1: false,
    failSwapOn: false,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    resolvConf: join(node.folder, 'resolv.conf'),
    nodeStatusUpdateFrequency: '4s',
    // All nodes share one machine's disk: its filling up says nothing about a node.
    evictionHard: {
      'memory.available': '1Mi',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
    },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    localStorageCapacityIsolation: false,
    maxPods: 100,
    syncFrequency: '20s',
    registerWithTaints: [],
  };
}

function containerdConfiguration(): string {
  return `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${images.pause}"
  # Lowering a score is not permitted on every machine.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`;
}

import { mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from './errors.ts';

export const maxNodes = 6;
const slots = 8;

/** Where one node's things are. */
export interface NodeLayout {
  name: string;
  /** Network namespace. */
  namespace: string;
  /** The bridge's end of the node's cable. */
  link: string;
  address: string;
  podSubnet: string;
  zone: string;
  folder: string;
  /** Control group of all that runs on the node; `system` and `kubepods` are below it. */
  group: string;
}

/** Where a cluster's things are: every name and address follows from the cluster's name and its slot. */
export interface Layout {
  name: string;
  folder: string;
  bridge: string;
  /** The host's address on the bridge. */
  gateway: string;
  controlPlane: { address: string; namespace: string; link: string; group: string };
  serviceSubnet: string;
  kubernetesAddress: string;
  dnsAddress: string;
  /** First three bytes of the addresses for LoadBalancer Services. */
  loadBalancerPrefix: string;
  /** Control group above everything that the cluster runs. */
  group: string;
  kubeconfig: string;
}

/** Where the state of running clusters is kept: `KAFKA_WARDEN_RUN`, else below `/var/lib`. */
export function runRoot(): string {
  return process.env['KAFKA_WARDEN_RUN'] ?? '/var/lib/kafka-warden-test';
}

function layoutOf(name: string, slot: number): Layout {
  const folder = join(runRoot(), name);
  const group = `/kafka-warden/${name}`;
  return {
    name,
    folder,
    bridge: `kw${slot}`,
    gateway: `10.89.${slot}.1`,
    controlPlane: {
      address: `10.89.${slot}.2`,
      namespace: `kw${slot}-cp`,
      link: `kw${slot}-cp`,
      group: `${group}/control-plane`,
    },
    serviceSubnet: `10.${130 + slot}.0.0/16`,
    kubernetesAddress: `10.${130 + slot}.0.1`,
    dnsAddress: `10.${130 + slot}.0.10`,
    loadBalancerPrefix: `10.89.${100 + slot}`,
    group,
    kubeconfig: join(folder, 'admin.kubeconfig'),
  };
}

/** The layout of node 1…6 of a cluster. */
export function nodeLayout(layout: Layout, index: number): NodeLayout {
  const slot = Number(layout.bridge.slice(2));
  const name = `node${index}`;
  return {
    name,
    namespace: `${layout.bridge}-${name}`,
    link: `${layout.bridge}-n${index}`,
    address: `10.89.${slot}.${10 + index}`,
    podSubnet: `10.${110 + slot}.${index}.0/24`,
    zone: `zone${index}`,
    folder: join(layout.folder, name),
    group: `${layout.group}/${name}`,
  };
}

export function allNodes(layout: Layout): NodeLayout[] {
  return Array.from({ length: maxNodes }, (_, index) => nodeLayout(layout, index + 1));
}

/** The layout of a cluster that has a slot, running or left behind. */
export async function findLayout(name: string): Promise<Layout | undefined> {
  const slot = (await takenSlots()).get(name);
  return slot === undefined ? undefined : layoutOf(name, slot);
}

/** Names of all clusters that have a slot. */
export async function clusterNames(): Promise<string[]> {
  return [...(await takenSlots()).keys()];
}

/** Takes a free slot for a cluster. Throws `NO_SLOT` when all are taken. */
export async function takeSlot(name: string): Promise<Layout> {
  const found = await findLayout(name);
  if (found !== undefined) return found;
  await mkdir(slotFolder(), { recursive: true });
  for (let slot = 0; slot < slots; slot += 1) {
    const file = await open(join(slotFolder(), String(slot)), 'wx').catch(() => undefined);
    if (file === undefined) continue;
    await file.writeFile(name);
    await file.close();
    return layoutOf(name, slot);
  }
  const names = (await clusterNames()).join(', ');
  throw new ClusterError(
    'NO_SLOT',
    `All ${slots} cluster slots are taken (${names}): end one with "npm run cluster -- down --name NAME".`,
  );
}

/** Gives a cluster's slot back. */
export async function freeSlot(layout: Layout): Promise<void> {
  await rm(join(slotFolder(), layout.bridge.slice(2)), { force: true });
}

async function takenSlots(): Promise<Map<string, number>> {
  const taken = new Map<string, number>();
  for (const slot of await readdir(slotFolder()).catch(() => [])) {
    taken.set((await readFile(join(slotFolder(), slot), 'utf8')).trim(), Number(slot));
  }
  return taken;
}

function slotFolder(): string {
  return join(runRoot(), '.slots');
}

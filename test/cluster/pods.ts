import { readFileSync } from 'node:fs';
import { groupsNamed, processesIn } from './cgroups.ts';
import type { Cluster, ContainerProcess } from './cluster.ts';
import { ClusterError } from './errors.ts';
import type { Layout } from './layout.ts';

interface PodStatus {
  metadata: { uid: string };
  spec: { volumes?: { name: string; persistentVolumeClaim?: { claimName: string } }[] };
  status: { containerStatuses?: { name: string; containerID?: string }[] };
}

type Kubectl = Cluster['kubectl'];

async function getPod(kubectl: Kubectl, pod: string, namespace: string): Promise<PodStatus> {
  return JSON.parse(await kubectl(['get', 'pod', pod, '-n', namespace, '-o', 'json'])) as PodStatus;
}

/** The processes of a pod's running containers, but for the one that holds its namespaces open. */
export async function processesOfPod(
  layout: Layout,
  found: PodStatus,
  container?: string,
): Promise<ContainerProcess[]> {
  const ids = (found.status.containerStatuses ?? [])
    .filter((it) => container === undefined || it.name === container)
    .map((it) => it.containerID?.replace('containerd://', ''));
  return groupsNamed(layout.group, `pod${found.metadata.uid}`)
    .flatMap((group) => ids.map((id) => `${group}/${id}`))
    .flatMap(processesIn)
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

/** As `processesOfPod`. Throws `NO_SUCH_POD` where nothing of the pod runs on this machine. */
export async function runningProcesses(
  layout: Layout,
  kubectl: Kubectl,
  of: [string, string, (string | undefined)?],
): Promise<ContainerProcess[]> {
  const [pod, namespace, container] = of;
  const found = await processesOfPod(layout, await getPod(kubectl, pod, namespace), container);
  if (found.length > 0) return found;
  throw new ClusterError('NO_SUCH_POD', `No container of ${namespace}/${pod} is running: wait until it is.`);
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** The volume behind a pod's claim. Throws `NO_SUCH_VOLUME` where there is none, or several and no name is given. */
export async function volumeOfPod(kubectl: Kubectl, of: [string, string], claim?: string): Promise<string> {
  const [pod, namespace] = of;
  const { spec } = await getPod(kubectl, pod, namespace);
  const claimed = (spec.volumes ?? []).filter(
    (it) => it.persistentVolumeClaim !== undefined && (claim === undefined || it.name === claim),
  );
  const [only] = claimed;
  if (only?.persistentVolumeClaim === undefined || claimed.length > 1) {
    throw new ClusterError(
      'NO_SUCH_VOLUME',
      `${namespace}/${pod} has ${claimed.length} claims to choose from: name one of its volumes with "claim".`,
    );
  }
  const name = only.persistentVolumeClaim.claimName;
  return (await kubectl(['get', 'pvc', name, '-n', namespace, '-o', 'jsonpath={.spec.volumeName}'])).trim();
}

import type { Cluster } from '../cluster/index.ts';
import { images } from '../cluster/index.ts';

/** Where the chart is installed in tests and in the demo. */
export const wardenNamespace = 'kafka-warden';

const chart = new URL('../../deploy/chart', import.meta.url).pathname;

/** Splits `repository:tag`. */
function imageValues(image: string): string[] {
  const colon = image.lastIndexOf(':');
  return [`image.repository=${image.slice(0, colon)}`, `image.tag=${image.slice(colon + 1)}`];
}

/** Installs (or upgrades) kafka-warden by its chart and waits until its webhook answers. */
export async function installWarden(cluster: Cluster, values: readonly string[] = []): Promise<void> {
  const deployment = [
    '-n',
    wardenNamespace,
    'get',
    'deployment/kafka-warden',
    '--ignore-not-found',
    '-o',
    'name',
  ];
  const before = await cluster.kubectl(deployment);
  const settings = [...imageValues(images.warden), ...values].flatMap((value) => ['--set', value]);
  await cluster.helm([
    'upgrade',
    '--install',
    'kafka-warden',
    chart,
    '--namespace',
    wardenNamespace,
    '--create-namespace',
    '--wait',
    '--timeout=180s',
    ...settings,
  ]);
  // The tag stays the same while the program changes: pods that ran before may have the image of another checkout.
  if (before !== '') await restart(cluster);
}

async function restart(cluster: Cluster): Promise<void> {
  const target = ['-n', wardenNamespace, 'rollout'];
  await cluster.kubectl([...target, 'restart', 'deployment/kafka-warden']);
  await cluster.kubectl([...target, 'status', 'deployment/kafka-warden', '--timeout=120s']);
}

/** Uninstalls kafka-warden by Helm, which runs the chart's farewell first. */
export async function uninstallWarden(cluster: Cluster): Promise<void> {
  await cluster.helm([
    'uninstall',
    'kafka-warden',
    '--namespace',
    wardenNamespace,
    '--wait',
    '--timeout=180s',
  ]);
}

/** Makes a namespace whose workloads are hardened on admission. */
export async function enrolledNamespace(cluster: Cluster, name: string): Promise<void> {
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kafka-warden.io/enroll': 'true' } },
  });
}

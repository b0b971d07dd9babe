import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Artefacts } from './build.ts';
import { tryRun } from './command.ts';
import { ClusterError } from './errors.ts';
import type { Layout } from './layout.ts';

/** Resolves when nodes of these names are Ready. Throws `NOT_READY` after three minutes. */
export async function waitForNodes(
  layout: Layout,
  { kubectl }: Artefacts,
  names: readonly string[],
): Promise<void> {
  const nodes = names.map((it) => `node/${it}`);
  const wait = ['wait', '--for=condition=Ready', '--timeout=60s', ...nodes];
  const deadline = Date.now() + 180_000;
  for (;;) {
    // Ends at once while one of the nodes has not registered yet.
    const { code, stderr } = await tryRun(kubectl, ['--kubeconfig', layout.kubeconfig, ...wait]);
    if (code === 0) return;
    if (Date.now() > deadline) {
      const logs = join(layout.folder, 'log');
      throw new ClusterError('NOT_READY', `Nodes do not get ready: ${stderr.trim()}; see ${logs}.`);
    }
    await sleep(300);
  }
}

/** Resolves when a node's kubelet has renewed its lease since a moment: it may still count as Ready from before. */
export async function waitForHeartbeat(
  layout: Layout,
  { kubectl }: Artefacts,
  { node, since }: { node: string; since: Date },
): Promise<void> {
  const get = ['-n', 'kube-node-lease', 'get', 'lease', node, '-o', 'jsonpath={.spec.renewTime}'];
  const deadline = Date.now() + 120_000;
  for (;;) {
    const { stdout } = await tryRun(kubectl, ['--kubeconfig', layout.kubeconfig, ...get]);
    if (stdout !== '' && new Date(stdout) > since) return;
    if (Date.now() > deadline) {
      throw new ClusterError('NOT_READY', `${node} does not come back; see ${join(layout.folder, 'log')}.`);
    }
    await sleep(250);
  }
}

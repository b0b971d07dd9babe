import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Artefacts } from './build.ts';
import { tryRun } from './command.ts';
import { ClusterError } from './errors.ts';
import type { Layout } from './layout.ts';

/** Resolves when nodes of these names are Ready. Throws `NOT_READY` after two minutes. */
export async function waitForNodes(
  layout: Layout,
  { kubectl }: Artefacts,
  names: readonly string[],
): Promise<void> {
  const base = ['--kubeconfig', layout.kubeconfig];
  const wait = (condition: string, seconds: number) =>
    tryRun(kubectl, [
      ...base,
      'wait',
      `--for=${condition}`,
      `--timeout=${seconds}s`,
      ...names.map((it) => `node/${it}`),
    ]);
  await wait('create', 60);
  const { code, stderr } = await wait('condition=Ready', 120);
  if (code === 0) return;
  throw new ClusterError(
    'NOT_READY',
    `Nodes do not get ready: ${stderr.trim()}; see ${join(layout.folder, 'log')}.`,
  );
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

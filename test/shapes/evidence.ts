import type { Cluster } from '../cluster/index.ts';

interface Pod {
  metadata: { name: string };
  spec: { containers: { name: string }[]; initContainers?: { name: string }[] };
  status?: { containerStatuses?: { name: string; restartCount: number }[] };
}

const tail = '--tail=25';

/** What a namespace looks like when something in it failed: pods, the ends of their logs, and warnings. */
export async function evidenceOf(cluster: Cluster, namespace: string): Promise<string> {
  const kubectl = (...args: string[]) =>
    cluster.kubectl(['-n', namespace, ...args]).catch((error: unknown) => String(error));
  const parts = [await kubectl('get', 'statefulsets,pods,pvc,kafkaclusters,kafkausers', '-o', 'wide')];
  const list = await kubectl('get', 'pods', '-o', 'json');
  const pods = list.startsWith('{') ? (JSON.parse(list) as { items: Pod[] }).items : [];
  for (const { metadata, spec, status } of pods)
    for (const { name } of [...(spec.initContainers ?? []), ...spec.containers]) {
      const of = ['logs', metadata.name, '-c', name, tail];
      const restarts = status?.containerStatuses?.find((it) => it.name === name)?.restartCount ?? 0;
      if (restarts > 0)
        parts.push(`--- ${metadata.name} ${name}, the run before`, await kubectl(...of, '--previous'));
      parts.push(`--- ${metadata.name} ${name}`, await kubectl(...of));
    }
  parts.push('--- warnings', await kubectl('events', '--types=Warning'));
  return parts.join('\n');
}

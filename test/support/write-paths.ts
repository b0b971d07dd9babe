import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Cluster } from '../cluster/index.ts';

/** A way in which people write a manifest over an object that is there already. */
export interface WritePath {
  name: string;
  write(cluster: Cluster, namespace: string, objects: readonly object[]): Promise<void>;
}

const text = (objects: readonly object[]) => objects.map((o) => stringify(o)).join('---\n');

/** A chart that holds nothing but the objects, installed twice: the second time is the re-application. */
async function byHelm(cluster: Cluster, namespace: string, objects: readonly object[]): Promise<void> {
  const chart = await mkdtemp(join(tmpdir(), 'chart-'));
  const set = (objects.at(-1) as { metadata: { name: string } }).metadata.name;
  try {
    await mkdir(join(chart, 'templates'));
    await writeFile(join(chart, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: set, version: '1.0.0' }));
    await writeFile(join(chart, 'templates', 'all.yaml'), text(objects));
    for (let i = 0; i < 2; i++)
      await cluster.helm([
        'upgrade',
        '--install',
        `${set}-release`,
        chart,
        '--namespace',
        namespace,
        '--take-ownership',
      ]);
  } finally {
    await rm(chart, { recursive: true });
  }
}

/** The four ways. */
export const writePaths: readonly WritePath[] = [
  {
    name: 'kubectl apply',
    write: async (cluster, namespace, objects) => {
      await cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], { input: text(objects) });
    },
  },
  {
    name: 'server-side apply',
    write: async (cluster, namespace, objects) => {
      await cluster.kubectl(['-n', namespace, 'apply', '--server-side', '--force-conflicts', '-f', '-'], {
        input: text(objects),
      });
    },
  },
  { name: 'Helm', write: byHelm },
  {
    name: 'kubectl replace',
    write: async (cluster, namespace, objects) => {
      await cluster.kubectl(['-n', namespace, 'replace', '-f', '-'], { input: text(objects) });
    },
  },
];

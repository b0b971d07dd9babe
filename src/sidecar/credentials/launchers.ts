import { isDeepStrictEqual } from 'node:util';
import { isStatus } from '../../kubernetes/client.ts';
import { paths } from '../../kubernetes/paths.ts';
import type { Context } from '../context.ts';
import type { ConfigMap } from '../objects.ts';
import { ownLabels } from '../secrets.ts';

/** Publishes every supported launcher; several clusters of a namespace share them. Other content under that name is replaced. */
export async function publishLaunchers(context: Context): Promise<void> {
  const { kube, namespace, cluster } = context;
  for (const { name, data } of context.launchers) {
    const path = paths.configmaps(namespace, name);
    const stored = await kube.tryGet<ConfigMap>(path);
    if (stored?.immutable === true && isDeepStrictEqual({ ...stored.data }, { ...data })) continue;
    if (stored !== undefined) {
      const { uid } = stored.metadata;
      await kube.remove(path, uid === undefined ? {} : { preconditions: { uid } });
    }
    const wanted: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels: ownLabels(cluster) },
      immutable: true,
      data,
    };
    await kube.create(paths.configmaps(namespace), wanted).catch((error: unknown) => {
      if (!isStatus(error, 409)) throw error;
    });
    context.log.info({ event: 'launcher-published', configMap: name }, 'published a launcher');
  }
}

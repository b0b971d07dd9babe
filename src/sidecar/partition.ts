import type { Kube } from '../kubernetes/client.ts';
import { paths } from '../kubernetes/paths.ts';
import type { StatefulSet } from './objects.ts';

/** Sets the partition of a set's rolling update. A set that has changed since it was seen refuses it, with 409. */
export async function setPartition(
  { kube, namespace }: { readonly kube: Kube; readonly namespace: string },
  { metadata }: Pick<StatefulSet, 'metadata'>,
  partition: number,
): Promise<void> {
  const { name, uid, resourceVersion } = metadata;
  const spec = { updateStrategy: { rollingUpdate: { partition } } };
  await kube.patch(
    paths.statefulsets(namespace, name),
    { metadata: { uid, resourceVersion }, spec },
    'merge',
  );
}

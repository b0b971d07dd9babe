import type { Kube } from '../kubernetes/client.ts';
import { paths } from '../kubernetes/paths.ts';
import { keys, managedBy } from '../names.ts';
import type { Secret } from './objects.ts';

/** The labels of every object that the sidecar makes. */
export const ownLabels = (cluster: string): Record<string, string> => ({
  ...managedBy,
  [keys.cluster]: cluster,
});

export const readSecret = (kube: Kube, namespace: string, name: string): Promise<Secret | undefined> =>
  kube.tryGet<Secret>(paths.secrets(namespace, name));

/**
 * Creates a Secret, or replaces the one that was read: a version that somebody else has changed meanwhile is
 * refused by the API server (409), and the next pass begins from what is there then.
 */
export async function writeSecret(kube: Kube, secret: Secret): Promise<Secret> {
  const { namespace = '', name = '', resourceVersion } = secret.metadata;
  return resourceVersion === undefined
    ? kube.create<Secret>(paths.secrets(namespace), secret)
    : kube.replace<Secret>(paths.secrets(namespace, name), secret);
}

import { isStatus, type Kube } from '../kubernetes/client.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { Log, ObjectMeta } from '../kubernetes/object.ts';
import { pathOf } from '../kubernetes/paths.ts';

/** What matters here of a Mutating- or ValidatingWebhookConfiguration. */
export interface WebhookConfiguration {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  webhooks?: { name: string; clientConfig: { caBundle?: string } }[];
}

/** The operations that put this bundle into every webhook of a configuration; none where it is there. */
export function injectionPatch(configuration: WebhookConfiguration, bundlePem: string): object[] {
  const bundle = Buffer.from(bundlePem).toString('base64');
  return (configuration.webhooks ?? []).flatMap(({ name, clientConfig }, index) =>
    clientConfig.caBundle === bundle
      ? []
      : [
          // The name guards the index: the list may have changed since it was read.
          { op: 'test', path: `/webhooks/${index}/name`, value: name },
          { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: bundle },
        ],
  );
}

/** Injects the bundle into all of these configurations where it differs. */
export async function inject(
  kube: Kube,
  configurations: readonly WebhookConfiguration[],
  bundlePem: string,
  log: Log,
): Promise<void> {
  for (const configuration of configurations) {
    const patch = injectionPatch(configuration, bundlePem);
    if (patch.length === 0) continue;
    const { kind, metadata } = configuration;
    try {
      await kube.patch(pathOf(configuration), patch, 'json');
      log.info({ kind, name: metadata.name }, 'the CA bundle was injected');
    } catch (error) {
      if (!isStatus(error, 404, 409, 422)) throw error;
      log.info({ kind, name: metadata.name, err: error }, 'the configuration changed meanwhile');
    }
  }
}

/** True when both configurations are there and every webhook in them has exactly this bundle. */
export const isInjected = (
  informers: readonly Informer<WebhookConfiguration>[],
  bundlePem: string,
): boolean =>
  informers.every(
    (informer) =>
      informer.list().length > 0 &&
      informer.list().every((configuration) => injectionPatch(configuration, bundlePem).length === 0),
  );

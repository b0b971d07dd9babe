import type { Kube } from '../kubernetes/client.ts';
import type { Informer } from '../kubernetes/informer.ts';
import type { KubeObject } from '../kubernetes/object.ts';
import { keepIdentity, type KeepingOptions } from './certificates.ts';
import { authoritiesOf, purposes, type Pair } from './serving-certificate.ts';
import { servingOf, type Secret } from './serving-secret.ts';
import { installation } from './settings.ts';

export interface ClientIdentitySources {
  secrets: Informer<Secret>;
  /** Deployments of the sidecars. */
  deployments: Informer<KubeObject>;
}

interface Deployment {
  spec?: { template?: { spec?: { containers?: { env?: { name: string; value?: string }[] }[] } } };
}

/** Which authorities of the webhook a sidecar was told to trust. */
const told = (deployment: KubeObject): string | undefined =>
  (deployment as Deployment).spec?.template?.spec?.containers?.[0]?.env?.find(
    ({ name }) => name === 'WARDEN_WEBHOOK_CA',
  )?.value;

/** True when every sidecar that is to stay is told of exactly these. */
export const isTold = (deployments: readonly KubeObject[], authorities: string): boolean =>
  deployments
    .filter(({ metadata }) => !metadata?.deletionTimestamp)
    .every((deployment) => told(deployment) === authorities);

/**
 * The Lease holder's care for the certificate by which the webhook is known to the sidecars. Provisioning tells them of its
 * authorities, old and new together, before the new one signs; each such change starts every sidecar anew, twice in the
 * two years of an authority's life.
 */
export const keepClientIdentity = (
  kube: Kube,
  { secrets, deployments }: ClientIdentitySources,
  options: KeepingOptions,
): Promise<void> =>
  keepIdentity(
    kube,
    {
      secrets,
      secret: installation.clientSecret,
      purpose: purposes.client,
      dnsNames: [],
      trusting: [deployments],
      isTrusted: (serving) => isTold(deployments.list(), authoritiesOf(serving)),
    },
    options,
  );

/** What sidecars have to trust now; undefined while there is no identity yet. */
export function clientAuthorities(secrets: Pick<Informer<Secret>, 'list'>): string | undefined {
  const serving = servingOf(secrets.list()[0]);
  return serving && authoritiesOf(serving);
}

/** By the Secret as it was last heard of: to read keys takes longer than a verdict. */
const leaves = new WeakMap<Secret, { readonly leaf: Pair | undefined }>();

/** The certificate to show to sidecars now; undefined while there is none. */
export function clientCertificate(secrets: Pick<Informer<Secret>, 'list'>): Pair | undefined {
  const [secret] = secrets.list();
  if (secret === undefined) return undefined;
  const known = leaves.get(secret) ?? { leaf: servingOf(secret)?.leaf };
  leaves.set(secret, known);
  return known.leaf;
}

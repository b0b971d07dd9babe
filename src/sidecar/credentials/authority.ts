import { type Authority, CertificateError, createAuthority, loadAuthority } from '../../../certs/index.ts';
import { isStatus } from '../../kubernetes/client.ts';
import type { Context } from '../context.ts';
import { type Secret, base64, entryOf } from '../objects.ts';
import { ownLabels, readSecret, writeSecret } from '../secrets.ts';

/** An authority, or why there is none: its Secret is damaged, or was deleted while certificates of it are in use. */
export type AuthorityState =
  | { readonly state: 'sound'; readonly name: string; readonly authority: Authority }
  | { readonly state: 'damaged' | 'lost'; readonly name: string; readonly problem: string };

const yearMs = 365 * 24 * 3_600_000;
const lifetimeMs = 10 * yearMs;

/**
 * Reads an authority's Secret, and creates it where there is none, unless `inUse` says that certificates of an
 * earlier one are. What is there is never overwritten: with another key nothing in the cluster would trust anything.
 */
export async function authority(
  context: Context,
  wanted: { name: string; commonName: string; inUse: () => Promise<boolean> },
): Promise<AuthorityState> {
  const { kube, namespace } = context;
  const stored = await readSecret(kube, namespace, wanted.name);
  if (stored !== undefined) return readAuthority(wanted.name, stored);
  if (await wanted.inUse()) {
    return {
      state: 'lost',
      name: wanted.name,
      problem: `Secret ${wanted.name} is gone, but its certificates are in use`,
    };
  }
  const subject = { commonName: wanted.commonName, organization: 'kafka-warden' };
  const created = createAuthority({ subject, now: context.now(), lifetimeMs });
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: wanted.name, namespace, labels: ownLabels(context.cluster) },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(created.certificatePem), 'tls.key': base64(created.privateKeyPem) },
  };
  try {
    await writeSecret(kube, secret);
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
    const other = await readSecret(kube, namespace, wanted.name);
    if (other === undefined) throw error;
    return readAuthority(wanted.name, other);
  }
  context.log.info({ event: 'authority-created', secret: wanted.name }, 'created an authority');
  return { state: 'sound', name: wanted.name, authority: created };
}

/** Checks what a Secret holds. */
export function readAuthority(name: string, secret: Secret): AuthorityState {
  const certificatePem = entryOf(secret, 'tls.crt')?.toString('utf8') ?? '';
  const privateKeyPem = entryOf(secret, 'tls.key')?.toString('utf8') ?? '';
  try {
    return { state: 'sound', name, authority: loadAuthority({ certificatePem, privateKeyPem }) };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return { state: 'damaged', name, problem: `Secret ${name} holds no usable authority (${error.code})` };
  }
}

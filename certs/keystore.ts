import { createHash } from 'node:crypto';
import { requireAlias } from './alias.ts';
import { follows, parseCertificate, parseCertificates, parseKeyOf } from './certificate.ts';
import { CertificateError } from './errors.ts';
import { type RandomSource, writePkcs12 } from './pkcs12.ts';

export interface KeystoreRequest {
  readonly certificatePem: string;
  /** The certificates that lead from the leaf to its authority; the leaf itself may stand first. */
  readonly chainPem: string;
  readonly privateKeyPem: string;
  readonly password: string;
  readonly alias: string;
}

/**
 * A PKCS#12 keystore with one private key entry and its chain; the key, of any type that the JVM knows, has the
 * store's password. Throws `certificate-unreadable`, `chain-broken`, `key-unreadable`, `key-mismatch`,
 * `password-unusable`, `alias-invalid`.
 */
export function keystore(request: KeystoreRequest, random?: RandomSource): Buffer {
  const leaf = parseCertificate(request.certificatePem);
  const key = parseKeyOf(leaf, request.privateKeyPem);
  const issuers = parseCertificates(request.chainPem).filter(({ raw }) => !raw.equals(leaf.raw));
  issuers.forEach((issuer, index) => {
    const below = index === 0 ? leaf : issuers[index - 1];
    if (below === undefined || follows(below, issuer)) return;
    throw new CertificateError(
      'chain-broken',
      `certificate ${index + 1} of the chain did not issue the one before it`,
    );
  });
  const keyId = createHash('sha256').update(leaf.raw).digest().subarray(0, 20);
  const alias = requireAlias(request.alias);
  const entries = {
    keys: [{ privateKey: key.export({ type: 'pkcs8', format: 'der' }), alias, keyId }],
    certificates: [
      { certificate: leaf.raw, alias, keyId },
      ...issuers.map(({ raw }) => ({ certificate: raw })),
    ],
  };
  return writePkcs12(entries, request.password, random);
}

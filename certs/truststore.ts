import { requireAlias } from './alias.ts';
import { parseCertificate } from './certificate.ts';
import { CertificateError } from './errors.ts';
import { type RandomSource, writePkcs12 } from './pkcs12.ts';

export interface TrustedCertificate {
  readonly alias: string;
  readonly certificatePem: string;
}

/**
 * A PKCS#12 truststore with one trusted certificate entry per authority; two of them while one replaces the other.
 * Throws `truststore-empty`, `certificate-unreadable`, `not-an-authority`, `alias-invalid` (also where two entries
 * would share an alias), `password-unusable`.
 */
export function truststore(
  trusted: readonly TrustedCertificate[],
  password: string,
  random?: RandomSource,
): Buffer {
  if (trusted.length === 0) throw new CertificateError('truststore-empty', 'the truststore would be empty');
  const taken = new Set<string>();
  const certificates = trusted.map((entry) => {
    const alias = requireAlias(entry.alias);
    if (taken.has(alias)) throw new CertificateError('alias-invalid', `two entries have the alias ${alias}`);
    taken.add(alias);
    return { certificate: authorityDer(entry), alias, trusted: true };
  });
  return writePkcs12({ keys: [], certificates }, password, random);
}

function authorityDer({ alias, certificatePem }: TrustedCertificate): Uint8Array {
  const certificate = parseCertificate(certificatePem);
  if (!certificate.ca) {
    throw new CertificateError('not-an-authority', `the certificate for the alias ${alias} is a leaf`);
  }
  return certificate.raw;
}

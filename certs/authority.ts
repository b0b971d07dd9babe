import type { KeyObject, X509Certificate } from 'node:crypto';
import { parseCertificate, parseKeyOf } from './certificate.ts';
import { CertificateError } from './errors.ts';
import type { Validity } from './renewal.ts';
import { type Subject, encodeSubject } from './subject.ts';
import * as x509 from './x509.ts';

/** A self-signed certificate and the key that signs under it. */
export interface Authority extends Validity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/**
 * Creates an authority with an EC P-256 key that signs leaves only (path length 0), valid from five minutes
 * before `now` until `lifetimeMs` after it. Throws `subject-invalid`, `lifetime-invalid`.
 */
export function createAuthority(request: { subject: Subject; now: Date; lifetimeMs: number }): Authority {
  const name = encodeSubject(request.subject);
  const validity = x509.validityFrom(request.now, request.lifetimeMs);
  const { privateKeyPem, privateKey, publicKey } = x509.newKey();
  const identifier = x509.keyIdentifier(publicKey);
  const extensions = [
    x509.authorityConstraints(),
    x509.authorityKeyUsage(),
    x509.subjectKeyIdentifier(identifier),
    x509.authorityKeyIdentifier(identifier),
  ];
  const serial = x509.newSerial();
  const statement = { serial, issuer: name, subject: name, validity, publicKey, extensions };
  return { certificatePem: x509.signCertificate(statement, privateKey), privateKeyPem, ...validity };
}

/**
 * An authority from its stored parts, checked: throws `certificate-unreadable`, `not-an-authority`,
 * `key-unreadable`, `key-mismatch`, `key-unsupported`.
 */
export function loadAuthority(parts: { certificatePem: string; privateKeyPem: string }): Authority {
  const { certificate } = openAuthority(parts);
  const { validFromDate: notBefore, validToDate: notAfter } = certificate;
  return { certificatePem: parts.certificatePem, privateKeyPem: parts.privateKeyPem, notBefore, notAfter };
}

/** What signing needs of an authority; throws as `loadAuthority` does. */
export function openAuthority(parts: { certificatePem: string; privateKeyPem: string }): {
  certificate: X509Certificate;
  privateKey: KeyObject;
} {
  const certificate = parseCertificate(parts.certificatePem);
  if (!certificate.ca) {
    throw new CertificateError('not-an-authority', `the certificate of ${certificate.subject} is a leaf`);
  }
  const privateKey = parseKeyOf(certificate, parts.privateKeyPem);
  const { namedCurve } = privateKey.asymmetricKeyDetails ?? {};
  if (namedCurve !== 'prime256v1') {
    const type = namedCurve ?? privateKey.asymmetricKeyType ?? 'unknown';
    throw new CertificateError('key-unsupported', `the key of authority ${certificate.subject} is ${type}`);
  }
  return { certificate, privateKey };
}

import { type KeyObject, X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { type Der, children, contents, decode, dotted, isTagged } from './der.ts';
import { CertificateError } from './errors.ts';
import type { Validity } from './renewal.ts';
import { printName } from './subject.ts';
import { extensionIds } from './x509.ts';

/** What a certificate says. Names are as Java prints them; `serialHex` is as Node and OpenSSL print it. */
export interface CertificateFacts extends Validity {
  readonly subject: string;
  readonly issuer: string;
  readonly serialHex: string;
  readonly dnsNames: readonly string[];
  /** SHA-256 of the public key (SubjectPublicKeyInfo), in lower-case hexadecimal. */
  readonly spkiSha256: string;
}

/** Reads the first certificate of a PEM text. Throws `certificate-unreadable`. */
export function readCertificate(pem: string): CertificateFacts {
  const certificate = parseCertificate(pem);
  const { issuer, subject, extension } = tbsFields(certificate);
  return {
    subject: printName(subject),
    issuer: printName(issuer),
    serialHex: certificate.serialNumber,
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    dnsNames: dnsNames(extension(extensionIds.subjectAlternativeName)),
    spkiSha256: spkiSha256(certificate),
  };
}

/** SHA-256 of the certificate's public key (SubjectPublicKeyInfo) in hexadecimal: what a peer may pin. */
export function publicKeySha256(certificatePem: string): string {
  return spkiSha256(parseCertificate(certificatePem));
}

function spkiSha256(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}

/** Whether this authority signed this certificate; dates are not looked at. Throws `certificate-unreadable`. */
export function isIssuedBy(certificatePem: string, authorityPem: string): boolean {
  return follows(parseCertificate(certificatePem), parseCertificate(authorityPem));
}

/** Whether `issuer` has the name and the key that `certificate` was signed under, and may sign. */
export function follows(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The first certificate of a PEM text. Throws `certificate-unreadable`. */
export function parseCertificate(pem: string): X509Certificate {
  const [first] = parseCertificates(pem);
  if (first === undefined) throw new CertificateError('certificate-unreadable', 'no certificate was found');
  return first;
}

/** All certificates of a PEM text, in its order; text between them is passed over. */
export function parseCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw new CertificateError('certificate-unreadable', `certificate ${index + 1} cannot be read`, {
        cause,
      });
    }
  });
}

/** The private key of a certificate. Throws `key-unreadable`, or `key-mismatch` if it belongs to another one. */
export function parseKeyOf(certificate: X509Certificate, privateKeyPem: string): KeyObject {
  const key = parsePrivateKey(privateKeyPem);
  if (!certificate.checkPrivateKey(key)) {
    const { subject } = tbsFields(certificate);
    throw new CertificateError('key-mismatch', `the private key is not that of ${printName(subject)}`);
  }
  return key;
}

function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out: it may quote what was given.
    throw new CertificateError('key-unreadable', 'the private key cannot be read');
  }
}

/** The fields of a certificate that node:crypto does not give as they stand in it. */
export interface TbsFields {
  readonly issuer: Der;
  readonly subject: Der;
  /** The contents of the extension with this object identifier, if it is there. */
  readonly extension: (id: string) => Der | undefined;
}

/** Reads the signed part of a certificate (RFC 5280 §4.1). Throws `certificate-unreadable`. */
export function tbsFields(certificate: X509Certificate): TbsFields {
  const [signedPart] = children(decodeOrRefuse(certificate.raw));
  const fields = children(signedPart).filter((field) => !isTagged(field, 0));
  const [, , issuer, , subject] = fields;
  if (issuer === undefined || subject === undefined) {
    throw new CertificateError('certificate-unreadable', 'the certificate has no issuer or no subject');
  }
  const extensions = children(children(fields.find((field) => isTagged(field, 3)))[0]);
  return {
    issuer,
    subject,
    extension: (id) => {
      const found = extensions.find((candidate) => dotted(children(candidate)[0]) === id);
      return found && decodeOrRefuse(contents(children(found).at(-1)));
    },
  };
}

function decodeOrRefuse(bytes: Uint8Array): Der {
  try {
    return decode(bytes);
  } catch (cause) {
    throw new CertificateError('certificate-unreadable', 'the certificate holds broken DER', { cause });
  }
}

function dnsNames(alternatives: Der | undefined): string[] {
  const names = children(alternatives).filter((name) => isTagged(name, 2));
  return names.map((name) => contents(name).toString('latin1'));
}

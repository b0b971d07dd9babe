import type { X509Certificate } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { type Authority, openAuthority } from './authority.ts';
import { tbsFields } from './certificate.ts';
import { type Der, contents } from './der.ts';
import { CertificateError } from './errors.ts';
import type { Validity } from './renewal.ts';
import { type Subject, encodeSubject, printName } from './subject.ts';
import * as x509 from './x509.ts';

export interface LeafRequest {
  readonly subject: Subject;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly usages: readonly x509.Usage[];
  readonly now: Date;
  readonly lifetimeMs: number;
  /** In hexadecimal; random if absent. */
  readonly serial?: string;
}

/** A certificate with its key. `chainPem` is the certificate followed by its authority's, as TLS servers take it. */
export interface Leaf extends Validity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly chainPem: string;
  /** Upper-case hexadecimal, as Node's and OpenSSL's handshake facts have it. */
  readonly serialHex: string;
}

/**
 * Issues a certificate for a new EC P-256 key, valid from five minutes before `now` until `lifetimeMs` after it,
 * yet never outside its authority's life. Throws `authority-expired`, `authority-not-yet-valid`, a code of
 * `loadAuthority`, or one of what is wrong with the request: `subject-invalid`, `name-invalid`,
 * `address-invalid`, `usages-missing`, `lifetime-invalid`, `serial-invalid`.
 */
export function issueLeaf(
  authority: Pick<Authority, 'certificatePem' | 'privateKeyPem'>,
  request: LeafRequest,
): Leaf {
  const { certificate: issuer, privateKey: signer } = openAuthority(authority);
  const validity = clamp(x509.validityFrom(request.now, request.lifetimeMs), issuer, request.now);
  const serial = request.serial === undefined ? x509.newSerial() : x509.parseSerial(request.serial);
  const { subject: issuerName, extension } = tbsFields(issuer);
  const { privateKeyPem, publicKey } = x509.newKey();
  const statement = {
    serial,
    issuer: issuerName,
    subject: encodeSubject(request.subject),
    validity,
    publicKey,
    extensions: [
      x509.leafConstraints(),
      x509.leafKeyUsage(),
      purposes(request.usages),
      x509.subjectKeyIdentifier(x509.keyIdentifier(publicKey)),
      x509.authorityKeyIdentifier(identifierOf(issuer, extension)),
      ...alternatives(request),
    ],
  };
  const certificatePem = x509.signCertificate(statement, signer);
  return {
    certificatePem,
    privateKeyPem,
    chainPem: certificatePem + issuer.toString(),
    serialHex: serial.toString('hex').toUpperCase(),
    ...validity,
  };
}

function clamp(wanted: Validity, issuer: X509Certificate, now: Date): Validity {
  const { validFromDate: from, validToDate: until } = issuer;
  if (now >= until) {
    throw new CertificateError('authority-expired', `${nameOf(issuer)} ended at ${until.toISOString()}`);
  }
  if (now < from) {
    throw new CertificateError(
      'authority-not-yet-valid',
      `${nameOf(issuer)} begins at ${from.toISOString()}`,
    );
  }
  return {
    notBefore: wanted.notBefore < from ? from : wanted.notBefore,
    notAfter: wanted.notAfter > until ? until : wanted.notAfter,
  };
}

const nameOf = (issuer: X509Certificate): string => `the authority ${printName(tbsFields(issuer).subject)}`;

function identifierOf(issuer: X509Certificate, extension: (id: string) => Der | undefined): Uint8Array {
  const own = extension(x509.extensionIds.subjectKeyIdentifier);
  return own ? contents(own) : x509.keyIdentifier(issuer.publicKey);
}

function purposes(usages: readonly x509.Usage[]): Der {
  const known = new Set(usages);
  if (known.size === 0) throw new CertificateError('usages-missing', 'the certificate would be for nothing');
  return x509.extendedKeyUsage(known);
}

function alternatives({ dnsNames = [], ipAddresses = [] }: LeafRequest): Der[] {
  if (dnsNames.length + ipAddresses.length === 0) return [];
  const names = [...new Set(dnsNames.map(checkedName))];
  return [x509.subjectAlternativeName(names, ipAddresses.map(addressBytes))];
}

/** Letters, digits, hyphens and underscores, a wildcard only as first label. */
const dnsName = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Whether a certificate can be issued for a name; the first label may be `*`. */
export const isDnsName = (name: string): boolean => name.length <= 253 && dnsName.test(name.toLowerCase());

function checkedName(name: string): string {
  const lower = name.toLowerCase();
  if (!isDnsName(lower)) {
    throw new CertificateError('name-invalid', `${JSON.stringify(name)} is not a DNS name`);
  }
  return lower;
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  if (!isIPv6(address) || address.includes('%')) {
    throw new CertificateError('address-invalid', `${JSON.stringify(address)} is not an IP address`);
  }
  return ipv6Bytes(new URL(`http://[${address}]`).hostname.slice(1, -1));
}

/** `canonical`: as the URL parser prints it, groups in hexadecimal, at most one `::`. */
function ipv6Bytes(canonical: string): Uint8Array {
  const [head = [], tail = []] = canonical.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return Buffer.from([...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

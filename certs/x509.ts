import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import * as der from './der.ts';
import { CertificateError } from './errors.ts';
import type { Validity } from './renewal.ts';

const ecdsaWithSha256 = '1.2.840.10045.4.3.2';

/** Certificates begin this long before they are made, for machines whose clocks are behind. */
export const clockSkewMs = 5 * 60_000;

/** What a certificate states, before it is signed. */
export interface Statement {
  readonly serial: Uint8Array;
  readonly issuer: der.Der;
  readonly subject: der.Der;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly extensions: readonly der.Der[];
}

/** Signs a v3 certificate (RFC 5280 §4.1) with an EC P-256 key and returns its PEM. */
export function signCertificate(statement: Statement, signer: KeyObject): string {
  const algorithm = der.sequence(der.oid(ecdsaWithSha256));
  const toBeSigned = der.sequence(
    der.tagged(0, der.integer(2)),
    der.integer(statement.serial),
    algorithm,
    statement.issuer,
    der.sequence(der.time(statement.validity.notBefore), der.time(statement.validity.notAfter)),
    statement.subject,
    der.decode(publicKeyInfo(statement.publicKey)),
    der.tagged(3, der.sequence(...statement.extensions)),
  );
  const signature = sign('sha256', der.encode(toBeSigned), signer);
  return pem(der.encode(der.sequence(toBeSigned, algorithm, der.bits(signature))));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const publicKeyInfo = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** A new EC P-256 key: the private half as PKCS#8 PEM, both as key objects. */
export function newKey(): { privateKeyPem: string; privateKey: KeyObject; publicKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
    publicKey,
  };
}

/** 16 random bytes, positive and of full length: the second highest bit set, the highest clear. */
export function newSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** The bytes of a serial number given in hexadecimal. Throws `serial-invalid`. */
export function parseSerial(hex: string): Buffer {
  if (!/^(0[1-9a-f]|[1-7][0-9a-f])([0-9a-f]{2}){0,19}$/i.test(hex)) {
    throw new CertificateError('serial-invalid', `the serial number is ${JSON.stringify(hex)}`);
  }
  return Buffer.from(hex, 'hex');
}

/** From five minutes before `now` until `lifetimeMs` after it, in whole seconds. Throws `lifetime-invalid`. */
export function validityFrom(now: Date, lifetimeMs: number): Validity {
  const notBefore = wholeSeconds(now.getTime() - clockSkewMs);
  const notAfter = wholeSeconds(now.getTime() + lifetimeMs);
  if (!(lifetimeMs >= 1000) || !(notAfter.getTime() < Date.UTC(10_000, 0))) {
    throw new CertificateError('lifetime-invalid', `the lifetime is ${lifetimeMs} ms from ${String(now)}`);
  }
  return { notBefore, notAfter };
}

const wholeSeconds = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);

function extension(id: string, critical: boolean, value: der.Der): der.Der {
  const flag = critical ? [der.boolean(true)] : [];
  return der.sequence(der.oid(id), ...flag, der.octets(der.encode(value)));
}

/** 160 bits of the SHA-256 of the public key (RFC 7093 §2, method 4). */
export function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(publicKeyInfo(key)).digest().subarray(0, 20);
}

export const extensionIds = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

export const authorityConstraints = (): der.Der =>
  extension(extensionIds.basicConstraints, true, der.sequence(der.boolean(true), der.integer(0)));
export const leafConstraints = (): der.Der => extension(extensionIds.basicConstraints, true, der.sequence());

/** keyCertSign and cRLSign. */
export const authorityKeyUsage = (): der.Der =>
  extension(extensionIds.keyUsage, true, der.bits(Buffer.of(0x06), 1));
/** digitalSignature, all that an EC key does in TLS. */
export const leafKeyUsage = (): der.Der =>
  extension(extensionIds.keyUsage, true, der.bits(Buffer.of(0x80), 7));

const purposes = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** What a leaf may be used for in TLS. */
export type Usage = keyof typeof purposes;

export const extendedKeyUsage = (usages: Iterable<Usage>): der.Der =>
  extension(
    extensionIds.extendedKeyUsage,
    false,
    der.sequence(...Array.from(usages, (usage) => der.oid(purposes[usage]))),
  );

export const subjectKeyIdentifier = (identifier: Uint8Array): der.Der =>
  extension(extensionIds.subjectKeyIdentifier, false, der.octets(identifier));
export const authorityKeyIdentifier = (identifier: Uint8Array): der.Der =>
  extension(extensionIds.authorityKeyIdentifier, false, der.sequence(der.taggedBytes(0, identifier)));

/** `names` are DNS names in ASCII, `addresses` 4 or 16 bytes each. */
export const subjectAlternativeName = (names: readonly string[], addresses: readonly Uint8Array[]): der.Der =>
  extension(
    extensionIds.subjectAlternativeName,
    false,
    der.sequence(
      ...names.map((name) => der.taggedBytes(2, Buffer.from(name, 'latin1'))),
      ...addresses.map((address) => der.taggedBytes(7, address)),
    ),
  );

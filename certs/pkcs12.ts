import { createCipheriv, createHmac, hash, pbkdf2Sync, randomBytes } from 'node:crypto';
import * as der from './der.ts';
import { CertificateError } from './errors.ts';

/**
 * The PKCS#12 format (RFC 7292) as modern JVMs write it: PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC
 * (RFC 8018), integrity by HMAC-SHA256. JDK 8u301, 11.0.12 and later read it.
 */

const oids = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  trustedKeyUsage: '2.16.840.1.113894.746875.1.1',
  anyExtendedKeyUsage: '2.5.29.37.0',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacWithSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

/** As the JDK has it (`keystore.pkcs12.keyPbeIterationCount`). */
const encryptionIterations = 10_000;
/**
 * As OpenSSL has it; the JDK's 10,000 would take 16 ms here, because this older derivation is not native.
 * The stores' passwords are random: no number of iterations is what protects them.
 */
const macIterations = 2_048;

/** Gives as many random bytes as asked for. */
export type RandomSource = (size: number) => Uint8Array;

/** A certificate in a store. */
export interface CertificateEntry {
  readonly certificate: Uint8Array;
  readonly alias?: string;
  /** Ties a leaf to its key: equal bytes on both. */
  readonly keyId?: Uint8Array;
  /** Marks an authority as trusted; without the mark Java shows no entry for a lone certificate. */
  readonly trusted?: boolean;
}

/** A private key (PKCS#8 DER) in a store. */
export interface KeyEntry {
  readonly privateKey: Uint8Array;
  readonly alias: string;
  readonly keyId: Uint8Array;
}

export interface Contents {
  readonly keys: readonly KeyEntry[];
  readonly certificates: readonly CertificateEntry[];
}

/** Writes a PKCS#12 file. Throws `password-unusable`. */
export function writePkcs12(entries: Contents, password: string, random: RandomSource = randomBytes): Buffer {
  requirePassword(password);
  const encrypt = encryption(password, random);
  const keyBags = entries.keys.map((entry) => keyBag(entry, encrypt));
  const certificateBags = entries.certificates.map(certificateBag);
  const safes = [
    ...(keyBags.length > 0 ? [contentInfo(der.encode(der.sequence(...keyBags)))] : []),
    encryptedContent(encrypt(der.encode(der.sequence(...certificateBags)))),
  ];
  const authenticated = der.encode(der.sequence(...safes));
  return der.encode(
    der.sequence(der.integer(3), contentInfo(authenticated), macData(authenticated, password, random(20))),
  );
}

/** Throws `password-unusable` unless keytool and the JVM take it: printable ASCII, at least 6 characters. */
function requirePassword(password: string): void {
  if (!/^[\x20-\x7e]{6,}$/.test(password)) {
    throw new CertificateError('password-unusable', `the store's password has ${password.length} characters`);
  }
}

const contentInfo = (bytes: Uint8Array): der.Der =>
  der.sequence(der.oid(oids.data), der.tagged(0, der.octets(bytes)));

interface Ciphertext {
  readonly algorithm: der.Der;
  readonly bytes: Buffer;
}
type Encrypt = (plaintext: Uint8Array) => Ciphertext;

/** One derived key for all parts of a store (deriving takes the time), an initialisation vector for each. */
function encryption(password: string, random: RandomSource): Encrypt {
  const salt = random(20);
  const key = pbkdf2Sync(password, salt, encryptionIterations, 32, 'sha256');
  const derivation = (): der.Der =>
    der.sequence(
      der.oid(oids.pbkdf2),
      der.sequence(
        der.octets(salt),
        der.integer(encryptionIterations),
        der.integer(key.length),
        der.sequence(der.oid(oids.hmacWithSha256), der.nil()),
      ),
    );
  return (plaintext) => {
    const vector = random(16);
    const cipher = createCipheriv('aes-256-cbc', key, vector);
    const scheme = der.sequence(der.oid(oids.aes256Cbc), der.octets(vector));
    const algorithm = der.sequence(der.oid(oids.pbes2), der.sequence(derivation(), scheme));
    return { algorithm, bytes: Buffer.concat([cipher.update(plaintext), cipher.final()]) };
  };
}

function encryptedContent({ algorithm, bytes }: Ciphertext): der.Der {
  const content = der.sequence(der.oid(oids.data), algorithm, der.taggedBytes(0, bytes));
  return der.sequence(der.oid(oids.encryptedData), der.tagged(0, der.sequence(der.integer(0), content)));
}

function keyBag(entry: KeyEntry, encrypt: Encrypt): der.Der {
  const { algorithm, bytes } = encrypt(entry.privateKey);
  const shrouded = der.sequence(algorithm, der.octets(bytes));
  const attributes = der.set(friendlyName(entry.alias), localKeyId(entry.keyId));
  return der.sequence(der.oid(oids.shroudedKeyBag), der.tagged(0, shrouded), attributes);
}

function certificateBag(entry: CertificateEntry): der.Der {
  const certificate = der.sequence(
    der.oid(oids.x509Certificate),
    der.tagged(0, der.octets(entry.certificate)),
  );
  const attributes = [
    ...(entry.alias === undefined ? [] : [friendlyName(entry.alias)]),
    ...(entry.keyId === undefined ? [] : [localKeyId(entry.keyId)]),
    ...(entry.trusted ? [attribute(oids.trustedKeyUsage, der.oid(oids.anyExtendedKeyUsage))] : []),
  ];
  const bag = [der.oid(oids.certBag), der.tagged(0, certificate)];
  return der.sequence(...bag, ...(attributes.length > 0 ? [der.set(...attributes)] : []));
}

const attribute = (id: string, value: der.Der): der.Der => der.sequence(der.oid(id), der.set(value));
const friendlyName = (alias: string): der.Der => attribute(oids.friendlyName, der.bmpString(alias));
const localKeyId = (id: Uint8Array): der.Der => attribute(oids.localKeyId, der.octets(id));

function macData(authenticated: Uint8Array, password: string, salt: Uint8Array): der.Der {
  const mac = createHmac('sha256', macKey(password, salt)).update(authenticated).digest();
  const digest = der.sequence(der.sequence(der.oid(oids.sha256), der.nil()), der.octets(mac));
  return der.sequence(digest, der.octets(salt), der.integer(macIterations));
}

/** RFC 7292 appendix B.2 for SHA-256, whose one output block is the whole key. */
function macKey(password: string, salt: Uint8Array): Buffer {
  const blockSize = 64;
  const macPurpose = 3;
  const bigEndian = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const fill = (bytes: Uint8Array): Buffer =>
    Buffer.alloc(Math.ceil(bytes.length / blockSize) * blockSize, bytes);
  let key: Buffer = Buffer.concat([Buffer.alloc(blockSize, macPurpose), fill(salt), fill(bigEndian)]);
  for (let round = 0; round < macIterations; round += 1) key = hash('sha256', key, 'buffer');
  return key;
}

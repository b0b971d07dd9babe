import forge from 'node-forge';
import { type Der, children, contents, dotted, encode, oid, sequence, set, utf8 } from './der.ts';
import { CertificateError } from './errors.ts';

const { Type } = forge.asn1;
const teletexString = 20;

/** Whom a certificate names. */
export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
  readonly organizationalUnit?: string;
}

/** In the order in which RFC 2253 prints them; a certificate holds them the other way round. */
const parts = [
  { key: 'commonName', keyword: 'CN', oid: '2.5.4.3' },
  { key: 'organizationalUnit', keyword: 'OU', oid: '2.5.4.11' },
  { key: 'organization', keyword: 'O', oid: '2.5.4.10' },
] as const;

/** The attribute types that `X500Principal.getName()` prints by a keyword; all others stand as numbers. */
const keywords = new Map<string, string>([
  ...parts.map(({ oid, keyword }) => [oid, keyword] as const),
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
]);

// eslint-disable-next-line no-control-regex -- they are what is refused
const forbidden = /[\u0000-\u001f\u007f]/;

function present(subject: Subject): { keyword: string; oid: string; value: string }[] {
  return parts.flatMap(({ key, keyword, oid }) => {
    const value = subject[key];
    if (value === undefined) return [];
    if (value.length === 0 || value.length > 64 || forbidden.test(value) || !value.isWellFormed()) {
      throw new CertificateError('subject-invalid', `the subject's ${key} is ${JSON.stringify(value)}`);
    }
    return [{ keyword, oid, value }];
  });
}

/** The X.501 name of a subject, as it stands in a certificate. Throws `subject-invalid`. */
export function encodeSubject(subject: Subject): Der {
  const attributes = present(subject).map(({ oid: type, value }) => set(sequence(oid(type), utf8(value))));
  return sequence(...attributes.reverse());
}

/** The subject as Java prints it, which is what Kafka's principal has. Throws `subject-invalid`. */
export function distinguishedName(subject: Subject): string {
  return present(subject)
    .map(({ keyword, value }) => `${keyword}=${escapeValue(value)}`)
    .join(',');
}

/**
 * Any X.501 name as Java's `X500Principal.getName()` prints it (`AVA.toRFC2253String` and
 * `RDN.toRFC2253String` in the JDK): Kafka's principal under the default `ssl.principal.mapping.rules`.
 * (Java before 25 garbles BMPString and T61String, which only other issuers write.)
 */
export function printName(name: Der): string {
  const relativeNames = children(name).map((relative) => children(relative).map(printAttribute).join('+'));
  return relativeNames.reverse().join(',');
}

function printAttribute(attribute: Der): string {
  const [type, value] = children(attribute);
  if (type === undefined || value === undefined) return '';
  const keyword = keywords.get(dotted(type));
  const characters = readString(value);
  return keyword === undefined || characters === undefined
    ? `${keyword ?? dotted(type)}=#${encode(value).toString('hex')}`
    : `${keyword}=${escapeValue(characters)}`;
}

function readString(value: Der): string | undefined {
  switch (Number(value.type)) {
    case Number(Type.UTF8):
      return contents(value).toString('utf8');
    case Number(Type.BMPSTRING):
      return value.value as string; // node-forge has already made characters of it
    case Number(Type.PRINTABLESTRING):
    case Number(Type.IA5STRING):
    case teletexString:
      return contents(value).toString('latin1');
    default:
      return undefined;
  }
}

function escapeValue(value: string): string {
  const escaped = value.replace(/[,=+<>#;"\\]/g, '\\$&').replaceAll('\0', '\\00');
  return escaped.replace(/^[ \r]+|[ \r]+$/g, (spaces) => spaces.replace(/./gs, '\\$&'));
}
